"""How rows that come meet rows that are there."""

import pytest

pytestmark = pytest.mark.redshift

INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}
LOADS = (
    "select sum(rows_inserted), sum(rows_updated), sum(rows_unchanged), sum(rows_deleted) "
    "from ops.loads where {mine}"
)
DELETED = "select id from {raw}.orders where _sdc_deleted_at is not null order by id"


def orders(singer, *rows, version=None):
    yield singer.schema("shop-orders", id=INTEGER, name=TEXT)
    for number, name in rows:
        yield singer.record("shop-orders", version, id=number, name=name)


def test_of_one_key_the_row_sent_last_stays(loader, singer):
    loader.load(*orders(singer, (1, "first"), (2, "other"), (1, "second"), (1, "last")))
    assert loader.rows("select id, name from {raw}.orders order by id") == [
        (1, "last"),
        (2, "other"),
    ]


def test_rows_that_did_not_change_are_not_rewritten(loader, singer):
    loader.load(*orders(singer, (1, "same"), (2, None), (3, "old")))
    before = dict(loader.rows("select id, _sdc_received_at from {raw}.orders"))
    loader.load(*orders(singer, (1, "same"), (2, None), (3, "new"), (4, "added")))
    after = dict(loader.rows("select id, _sdc_received_at from {raw}.orders"))
    assert (before[1], before[2]) == (after[1], after[2])
    assert before[3] < after[3]
    assert loader.one(LOADS) == (4, 1, 2, 0)


def test_an_empty_text_is_not_null_and_a_change_between_them_is_a_change(loader, singer):
    loader.load(*orders(singer, (1, ""), (2, None)))
    loader.load(*orders(singer, (1, None), (2, "")))
    assert loader.rows("select id, name from {raw}.orders order by id") == [(1, None), (2, "")]
    assert loader.one(LOADS) == (2, 2, 0, 0)


def test_a_composite_key_is_all_of_its_columns(loader, singer):
    def items(*rows):
        yield singer.schema("shop-items", keys=("a", "b"), a=INTEGER, b=TEXT, value=TEXT)
        for a, b, value in rows:
            yield singer.record("shop-items", a=a, b=b, value=value)

    loader.load(*items((1, "x", "1x"), (1, "y", "1y"), (2, "x", "2x")))
    loader.load(*items((1, "y", "changed")))
    assert loader.rows("select a, b, value from {raw}.items order by a, b") == [
        (1, "x", "1x"),
        (1, "y", "changed"),
        (2, "x", "2x"),
    ]


def test_a_new_version_marks_what_it_did_not_bring_as_deleted(loader, singer):
    loader.load(*orders(singer, (1, "a"), (2, "b"), version=10), singer.activate("shop-orders", 10))
    loader.load(*orders(singer, (1, "a"), (3, "c"), version=20), singer.activate("shop-orders", 20))
    assert loader.rows(DELETED) == [(2,)]
    assert loader.one(LOADS) == (3, 0, 1, 1)


def test_a_deleted_row_that_comes_back_lives_again(loader, singer):
    for version, rows in ((10, [(1, "a")]), (20, []), (30, [(1, "a")])):
        loader.load(
            *orders(singer, *rows, version=version), singer.activate("shop-orders", version)
        )
        alive = loader.rows("select id from {raw}.orders where _sdc_deleted_at is null")
        assert alive == [(number,) for number, _ in rows]


def test_a_document_that_did_not_change_is_left_alone(loader, singer):
    document = {"type": ["object", "null"]}
    for value in ({"a": [1, 2.50]}, {"a": [1, 2.50]}, {"a": [1, 3]}):
        loader.load(
            singer.schema("shop-docs", id=INTEGER, doc=document),
            singer.record("shop-docs", id=1, doc=value),
        )
    assert loader.one(LOADS) == (1, 1, 1, 0)
    assert loader.one("select d.doc.a[1] from {raw}.docs as d") in (3, "3")


def test_a_rerun_without_news_issues_no_copy(loader, singer, asked):
    schema, state = next(orders(singer)), singer.state(**{"shop-orders": {"at": 1}})
    loader.load(schema, singer.record("shop-orders", id=1, name="a"), state)
    asked.clear()
    loader.load(schema, state)
    assert asked
    assert not [sql for sql in asked if sql.startswith("copy") or 'orders" ' in sql]


def test_a_copy_changes_nothing_and_analyzes_nothing_by_itself(loader, singer, asked):
    loader.load(*orders(singer, (1, "a")), vacuum=True)
    (copy,) = [sql for sql in asked if sql.startswith("copy")]
    assert "truncatecolumns" not in copy
    assert "statupdate off" in copy
    table = f'"{loader.schema}"."orders"'
    assert asked[-2:] == [f"vacuum {table}", f"analyze {table}"], "nothing else is asked after"


def test_vacuum_is_asked_for(loader, singer, asked):
    loader.load(*orders(singer, (1, "a")))
    assert asked[-1] == f'analyze "{loader.schema}"."orders"'
    assert not [sql for sql in asked if sql.startswith("vacuum")]


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
        assert loader.rows("select line from {raw}.log order by line") == [("a",), ("a",), ("b",)]

    def test_a_version_replaces_the_one_before(self, loader, singer):
        self.load(loader, singer, 10, "a", "a", "b")
        self.load(loader, singer, 20, "a", "c")
        assert loader.rows("select line from {raw}.log order by line") == [("a",), ("c",)]
        assert loader.one(LOADS) == (4, 0, 1, 2)

    def test_nothing_is_seen_of_a_version_before_it_is_activated(self, loader, singer):
        self.load(loader, singer, 10, "a")
        loader.load(*self.log(singer, 20, "b", "c"), singer.state(**{"shop-log": {}}))
        assert loader.rows("select line from {raw}.log") == [("a",)]

    def test_a_version_that_was_broken_off_leaves_nothing_in_the_next(self, loader, singer):
        loader.load(*self.log(singer, 10, "broken", "off"), singer.state(**{"shop-log": {}}))
        self.load(loader, singer, 20, "whole")
        assert loader.rows("select line from {raw}.log") == [("whole",)]

    def test_an_unchanged_version_changes_nothing(self, loader, singer):
        self.load(loader, singer, 10, "a", "b")
        before = loader.rows("select line, _sdc_received_at from {raw}.log order by line")
        self.load(loader, singer, 20, "b", "a")
        assert loader.rows("select line, _sdc_received_at from {raw}.log order by line") == before

    def test_versions_of_one_commit_follow_each_other(self, loader, singer):
        loader.load(
            *self.log(singer, 10, "a"),
            singer.activate("shop-log", 10),
            *self.log(singer, 20, "b"),
            singer.activate("shop-log", 20),
        )
        assert loader.rows("select line from {raw}.log") == [("b",)]

    def test_a_late_binding_view_survives_the_swap(self, loader, singer):
        self.load(loader, singer, 10, "a")
        loader.rows("create view {raw}.lines as select line from {raw}.log with no schema binding")
        self.load(loader, singer, 20, "b")
        assert loader.rows("select line from {raw}.lines") == [("b",)]

    def test_a_bound_view_makes_the_swap_one_clear_line(self, loader, singer):
        self.load(loader, singer, 10, "a")
        loader.rows("create view {raw}.lines as select line from {raw}.log")
        with pytest.raises(Exception, match="depend") as raised:
            self.load(loader, singer, 20, "b")
        assert "\n" not in str(raised.value)
        assert loader.rows("select line from {raw}.log") == [("a",)]
        assert loader.staged() == []
