"""How rows that come meet rows that are there."""

import pytest

pytestmark = pytest.mark.load

INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}
JSON_TEXT = {"type": ["string", "null"], "contentMediaType": "application/json"}
LOADS = (
    "select sum(rows_inserted), sum(rows_updated), sum(rows_unchanged), sum(rows_deleted) "
    "from ops.loads"
)
DELETED = "select id from shop.orders where _sdc_deleted_at is not null order by id"


def orders(singer, *rows, version=None):
    yield singer.schema("shop-orders", id=INTEGER, name=TEXT)
    for number, name in rows:
        yield singer.record("shop-orders", version, id=number, name=name)


def test_of_one_key_the_row_sent_last_stays(loader, singer):
    loader.load(*orders(singer, (1, "first"), (2, "other"), (1, "second"), (1, "last")))
    assert loader.rows("select id, name from shop.orders order by id") == [
        (1, "last"),
        (2, "other"),
    ]


def test_rows_that_did_not_change_are_not_rewritten(loader, singer):
    loader.load(*orders(singer, (1, "same"), (2, None), (3, "old")))
    before = dict(loader.rows("select id, _sdc_received_at from shop.orders"))
    loader.load(*orders(singer, (1, "same"), (2, None), (3, "new"), (4, "added")))
    after = dict(loader.rows("select id, _sdc_received_at from shop.orders"))
    assert (before[1], before[2]) == (after[1], after[2])
    assert before[3] < after[3]
    assert loader.one(LOADS) == (4, 1, 2, 0)


def test_an_empty_text_is_not_null_and_a_change_between_them_is_a_change(loader, singer):
    loader.load(*orders(singer, (1, ""), (2, None)))
    loader.load(*orders(singer, (1, None), (2, "")))
    assert loader.rows("select id, name from shop.orders order by id") == [(1, None), (2, "")]
    assert loader.one(LOADS) == (2, 2, 0, 0)


def test_a_composite_key_is_all_of_its_columns(loader, singer):
    def items(*rows):
        yield singer.schema("shop-items", keys=("a", "b"), a=INTEGER, b=TEXT, value=TEXT)
        for a, b, value in rows:
            yield singer.record("shop-items", a=a, b=b, value=value)

    loader.load(*items((1, "x", "1x"), (1, "y", "1y"), (2, "x", "2x")))
    loader.load(*items((1, "y", "changed")))
    assert loader.rows("select a, b, value from shop.items order by all") == [
        (1, "x", "1x"),
        (1, "y", "changed"),
        (2, "x", "2x"),
    ]


def test_a_new_version_marks_what_it_did_not_bring_as_deleted(loader, singer):
    loader.load(*orders(singer, (1, "a"), (2, "b"), version=10), singer.activate("shop-orders", 10))
    loader.load(*orders(singer, (1, "a"), (3, "c"), version=20), singer.activate("shop-orders", 20))
    assert loader.rows(DELETED) == [(2,)]
    assert loader.rows("select id from shop.orders where _sdc_deleted_at is null order by id") == [
        (1,),
        (3,),
    ]
    assert loader.one(LOADS) == (3, 0, 1, 1)


def test_without_activation_nothing_is_deleted(loader, singer):
    loader.load(*orders(singer, (1, "a"), (2, "b"), version=10), singer.activate("shop-orders", 10))
    loader.load(*orders(singer, (1, "a"), version=20))
    assert loader.rows(DELETED) == []


def test_a_deleted_row_that_comes_back_lives_again(loader, singer):
    for version, rows in ((10, [(1, "a")]), (20, []), (30, [(1, "a")])):
        loader.load(
            *orders(singer, *rows, version=version), singer.activate("shop-orders", version)
        )
        alive = loader.rows("select id from shop.orders where _sdc_deleted_at is null")
        assert alive == [(number,) for number, _ in rows]


def test_a_delete_that_the_tap_reports_is_a_soft_delete(loader, singer):
    loader.load(*orders(singer, (1, "a"), (2, "b")))
    loader.load(
        singer.schema(
            "shop-orders", id=INTEGER, name=TEXT, _sdc_deleted_at={"type": ["string", "null"]}
        ),
        singer.record("shop-orders", id=1, name="a", _sdc_deleted_at="2026-01-01T00:00:00Z"),
    )
    assert loader.rows(DELETED) == [(1,)]
    assert loader.one(LOADS) == (2, 0, 0, 1)


class TestWithoutAKey:
    """A keyless stream is replaced whole, at once, when its version is activated."""

    @staticmethod
    def log(singer, version, *lines):
        yield singer.schema("shop-log", keys=(), line=TEXT)
        for line in lines:
            yield singer.record("shop-log", version, line=line)

    def load(self, loader, singer, version, *lines):
        loader.load(*self.log(singer, version, *lines), singer.activate("shop-log", version))

    def test_equal_rows_are_as_many_as_came(self, loader, singer):
        self.load(loader, singer, 10, "a", "a", "b")
        assert loader.rows("select line from shop.log order by all") == [("a",), ("a",), ("b",)]

    def test_a_version_replaces_the_one_before(self, loader, singer):
        self.load(loader, singer, 10, "a", "a", "b")
        self.load(loader, singer, 20, "a", "c")
        assert loader.rows("select line from shop.log order by all") == [("a",), ("c",)]
        assert loader.one(LOADS) == (4, 0, 1, 2)

    def test_nothing_is_seen_of_a_version_before_it_is_activated(self, loader, singer):
        self.load(loader, singer, 10, "a")
        loader.load(*self.log(singer, 20, "b", "c"), singer.state(**{"shop-log": {}}))
        assert loader.rows("select line from shop.log") == [("a",)]

    def test_a_version_that_was_broken_off_leaves_nothing_in_the_next(self, loader, singer):
        loader.load(*self.log(singer, 10, "broken", "off"), singer.state(**{"shop-log": {}}))
        self.load(loader, singer, 20, "whole")
        assert loader.rows("select line from shop.log") == [("whole",)]

    def test_an_unchanged_version_changes_nothing(self, loader, singer):
        self.load(loader, singer, 10, "a", "b")
        before = loader.rows("select line, _sdc_received_at from shop.log order by line")
        self.load(loader, singer, 20, "b", "a")
        assert loader.rows("select line, _sdc_received_at from shop.log order by line") == before
        assert loader.one(LOADS) == (2, 0, 2, 0)

    def test_a_version_without_rows_empties_the_table(self, loader, singer):
        self.load(loader, singer, 10, "a", "b")
        self.load(loader, singer, 20)
        assert loader.one("select count(*) from shop.log") == 0

    def test_no_table_of_waiting_rows_stays(self, loader, singer):
        self.load(loader, singer, 10, "a")
        self.load(loader, singer, 20, "a")
        tables = loader.rows("select table_name from duckdb_tables() where schema_name = 'shop'")
        assert tables == [("log",)]

    def test_rows_without_a_version_are_added(self, loader, singer):
        loader.load(*self.log(singer, None, "a"))
        loader.load(*self.log(singer, None, "a", "b"))
        assert loader.rows("select line from shop.log order by all") == [("a",), ("a",), ("b",)]


class TestEvolution:
    """A schema grows; nothing in a table narrows or rounds."""

    def test_a_new_column_is_null_in_the_rows_that_are_there(self, loader, singer):
        loader.load(*orders(singer, (1, "a")))
        loader.load(
            singer.schema("shop-orders", id=INTEGER, name=TEXT, code=TEXT),
            singer.record("shop-orders", id=2, name="b", code="X"),
        )
        assert loader.rows("select id, name, code from shop.orders order by id") == [
            (1, "a", None),
            (2, "b", "X"),
        ]

    def test_a_column_that_is_sent_no_more_stays(self, loader, singer):
        loader.load(*orders(singer, (1, "a")))
        loader.load(singer.schema("shop-orders", id=INTEGER), singer.record("shop-orders", id=2))
        assert loader.rows("select id, name from shop.orders order by id") == [(1, "a"), (2, None)]

    def test_a_schema_that_changes_in_mid_run_applies_to_what_follows(self, loader, singer):
        loader.load(
            *orders(singer, (1, "a")),
            singer.schema("shop-orders", id=INTEGER, name=TEXT, code=TEXT),
            singer.record("shop-orders", id=2, name="b", code="X"),
            singer.state(**{"shop-orders": {}}),
        )
        assert loader.rows("select id, name, code from shop.orders order by id") == [
            (1, "a", None),
            (2, "b", "X"),
        ]

    @pytest.mark.parametrize(
        ("first", "then", "becomes"),
        [
            ({"type": "integer", "minimum": 0, "maximum": 9}, {"type": "integer"}, "BIGINT"),
            ({"type": "integer"}, {"type": "integer", "minimum": 0, "maximum": 9}, "BIGINT"),
            (
                {"type": "string", "format": "singer.decimal", "precision": 5, "scale": 2},
                {"type": "string", "format": "singer.decimal", "precision": 6, "scale": 4},
                "DECIMAL(7,4)",
            ),
            ({"type": "string", "format": "date"}, {"type": "string"}, "DATE"),
            ({"type": "string"}, {"type": "integer"}, "VARCHAR"),
            ({"type": "integer"}, {"type": "string"}, "BIGINT"),
        ],
    )
    def test_a_type_widens_within_its_family_and_never_narrows(
        self, loader, singer, first, then, becomes
    ):
        loader.load(singer.schema("shop-orders", id=INTEGER, x=first))
        loader.load(singer.schema("shop-orders", id=INTEGER, x=then))
        assert loader.types("shop.orders")["x"] == becomes

    def test_a_conflict_loads_what_fits_and_sets_the_rest_aside(self, loader, singer):
        loader.load(
            singer.schema("shop-orders", id=INTEGER, x=INTEGER),
            singer.record("shop-orders", id=1, x=10),
        )
        loader.load(
            singer.schema("shop-orders", id=INTEGER, x=TEXT),
            singer.record("shop-orders", id=2, x="20"),
            singer.record("shop-orders", id=3, x="thirty"),
        )
        assert loader.rows("select id, x from shop.orders order by id") == [
            (1, 10),
            (2, 20),
            (3, None),
        ]
        assert loader.rows("select record_key, column_name, value from ops.quarantine") == [
            ('{"id":3}', "x", "thirty")
        ]

    @pytest.mark.parametrize(
        "case",
        [
            ({"type": "integer"}, 7, "7"),
            ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00Z", '"2026-01-01'),
            ({"type": "boolean"}, True, "true"),
            ({"type": "number"}, "NaN", '"nan"'),
        ],
    )
    @pytest.mark.parametrize("commit_between", [True, False])
    def test_a_column_becomes_json_and_keeps_what_it_holds(
        self, loader, singer, case, commit_between
    ):
        first, value, becomes = case
        state = [singer.state(**{"shop-orders": {}})] if commit_between else []
        loader.load(
            singer.schema("shop-orders", id=INTEGER, x=first),
            singer.record("shop-orders", id=1, x=value),
            *state,
            singer.schema("shop-orders", id=INTEGER, x=JSON_TEXT),
            singer.record("shop-orders", id=2, x='{"$numberInt":"7"}'),
        )
        assert loader.types("shop.orders")["x"] == "JSON"
        [(_, held), (_, came)] = loader.rows("select id, x from shop.orders order by id")
        assert came == '{"$numberInt":"7"}'
        assert held.lower().startswith(becomes)
        assert loader.one("select count(*) from ops.quarantine") == 0

    def test_a_number_too_long_for_its_column_widens_it(self, loader, singer):
        loader.load(
            singer.schema("shop-orders", id=INTEGER, x=INTEGER),
            singer.record("shop-orders", id=1, x=2**63 - 1),
        )
        loader.load(
            singer.schema("shop-orders", id=INTEGER, x=INTEGER),
            singer.record("shop-orders", id=2, x=2**64 - 1),
        )
        assert loader.rows("select id, x::varchar from shop.orders order by id") == [
            (1, "9223372036854775807"),
            (2, "18446744073709551615"),
        ]
        assert loader.one("select count(*) from ops.quarantine") == 0
