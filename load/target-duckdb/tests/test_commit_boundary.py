"""Each STATE is a commit: rows, ledger and bookmark together, and only then is it printed."""

import json

import pytest

from watershed_duckdb import connect
from watershed_load_plan import RecordError, SchemaError

pytestmark = pytest.mark.load

INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}


def rows_and_states(singer, count, every):
    yield singer.schema("shop-orders", id=INTEGER, name=TEXT)
    for number in range(1, count + 1):
        yield singer.record("shop-orders", id=number, name=f"order {number}")
        if number % every == 0:
            yield singer.state(**{"shop-orders": {"replication_key_value": number}})


def test_no_row_is_lost_over_many_flushes(loader, singer):
    """R-3.1.3: the published target for DuckDB loses a row on every flush."""
    states = loader.load(*rows_and_states(singer, 1000, every=10))
    assert len(states) == 100
    assert loader.one("select count(*), count(distinct id), sum(id) from shop.orders") == (
        1000,
        1000,
        500_500,
    )
    assert loader.one("select count(*), sum(rows_inserted) from ops.loads") == (100, 1000)


def test_rows_beyond_what_memory_holds_wait_on_disk_in_order(loader, singer, monkeypatch):
    monkeypatch.setattr("watershed_load_plan.spool.ROWS_IN_MEMORY", 7)
    messages = [singer.schema("shop-orders", id=INTEGER, name=TEXT)]
    messages += [singer.record("shop-orders", id=n % 50, name=f"at {n}") for n in range(500)]
    loader.load(*messages)
    assert loader.rows("select id, name from shop.orders order by id") == [
        (n, f"at {450 + n}") for n in range(50)
    ]
    assert not list(loader.spools.glob("*"))


def test_a_state_is_printed_only_when_its_rows_can_be_read(loader, singer, monkeypatch):
    seen = []

    def write(_):
        with connect(loader.path, read_only=True) as connection:
            seen.append(connection.execute("select count(*) from shop.orders").fetchone()[0])

    monkeypatch.setattr("sys.stdout.write", write)
    loader.load(*rows_and_states(singer, 30, every=10))
    assert seen == [10, 20, 30]


def test_the_bookmark_of_each_stream_is_kept_apart(loader, singer):
    loader.load(
        singer.schema("shop-orders", id=INTEGER),
        singer.schema("shop-items", id=INTEGER),
        singer.state(**{"shop-orders": {"at": 1}, "shop-items": {"at": 1}}),
        state_id="dev:shop",
    )
    loader.load(
        singer.schema("shop-items", id=INTEGER),
        singer.state(**{"shop-items": {"at": 9}}),
        state_id="dev:shop",
    )
    assert loader.rows("select stream, bookmark from ops.bookmarks order by stream") == [
        ("shop-items", '{"at": 9}'),
        ("shop-orders", '{"at": 1}'),
    ]


def test_a_stream_without_rows_has_a_table_a_bookmark_and_no_load(loader, singer):
    loader.load(
        singer.schema("shop-orders", id=INTEGER, name=TEXT), singer.state(**{"shop-orders": {}})
    )
    assert loader.one("select count(*) from shop.orders") == 0
    assert loader.one("select count(*) from ops.bookmarks") == 1
    assert loader.one("select count(*) from ops.loads") == 0


def test_a_state_under_meltano_says_that_it_is_committed(loader, singer):
    (state,) = loader.load(
        singer.schema("shop-orders", id=INTEGER),
        singer.state(**{"shop-orders": {"at": 1}}),
        state_id="dev:shop",
    )
    assert state == {"bookmarks": {"shop-orders": {"at": 1}}, "watershed_committed": True}


def test_a_failing_commit_leaves_the_warehouse_as_before_and_prints_no_state(
    loader, singer, tmp_path
):
    first = list(rows_and_states(singer, 10, every=10))
    loader.load(*first)
    tables = ("shop.orders", "ops.bookmarks", "ops.loads")
    before = [loader.rows(f"from {table} order by all") for table in tables]
    missing = singer.batch("shop-orders", tmp_path / "none.parquet", format="parquet")
    with pytest.raises(RecordError, match=r"shop-orders: BATCH file .*none\.parquet does not"):
        loader.load(
            *rows_and_states(singer, 9, every=100),
            singer.record("shop-orders", id=11, name="new"),
            missing,
            singer.state(**{"shop-orders": {"replication_key_value": 11}}),
        )
    assert [loader.rows(f"from {table} order by all") for table in tables] == before


def test_the_same_messages_again_count_once(loader, singer):
    started = {"replication_key_value": 3, "starting_replication_value": 1}
    messages = [
        singer.schema("shop-orders", id=INTEGER),
        singer.schema("shop-log", keys=(), line=TEXT),
        *(singer.record("shop-orders", id=n) for n in (1, 2, 3)),
        *(singer.record("shop-log", line="equal") for _ in range(2)),
        singer.state(**{"shop-orders": started, "shop-log": started}),
    ]
    loader.load(*messages)
    loader.load(*messages)
    assert loader.one("select count(*) from shop.orders") == 3
    assert loader.one("select count(*) from shop.log") == 2
    assert loader.rows("select stream, rows_inserted from ops.loads order by stream") == [
        ("shop-log", 2),
        ("shop-orders", 3),
    ]


def test_a_later_commit_does_not_hide_an_earlier_one_in_the_ledger(loader, singer):
    loader.load(*rows_and_states(singer, 6, every=2))
    assert loader.rows(
        "select bookmark_before, bookmark_after, ordinal, rows_inserted from ops.loads "
        "order by ordinal"
    ) == [
        (None, '{"replication_key_value": 2}', 0, 2),
        ('{"replication_key_value": 2}', '{"replication_key_value": 4}', 1, 2),
        ('{"replication_key_value": 4}', '{"replication_key_value": 6}', 2, 2),
    ]


def test_a_state_of_another_shape_is_kept_whole(loader, singer):
    state = {"currently_syncing": None, "last": {"page": 1.5}}
    printed = loader.load(
        singer.schema("items", id=INTEGER),
        singer.record("items", id=1),
        {"type": "STATE", "value": state},
    )
    assert printed == [state]
    ((stream, bookmark),) = loader.rows("select stream, bookmark from ops.bookmarks")
    assert (stream, json.loads(bookmark)) == ("", state)


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"id": INTEGER, "Id": INTEGER}, "properties 'id' and 'Id' would both become column 'id'"),
        ({"name": TEXT}, "key 'id' is not among the stream's properties"),
    ],
)
def test_a_schema_that_can_be_no_table_is_one_line(loader, singer, properties, problem):
    with pytest.raises(SchemaError, match=f"stream shop-orders: {problem}") as raised:
        loader.load(singer.schema("shop-orders", **properties))
    assert "\n" not in str(raised.value)
    assert not loader.path.exists()


def test_two_streams_that_would_share_a_table_are_refused(loader, singer):
    with pytest.raises(SchemaError, match=r"shop-Orders and crm-orders would both land in"):
        loader.load(
            singer.schema("shop-Orders", id=INTEGER),
            singer.schema("crm-orders", id=INTEGER),
            default_target_schema="raw_all",
        )


def test_odd_names_are_names(loader, singer):
    odd = 'a "b".c;--ü'
    loader.load(
        singer.schema(
            f"shop-{odd}", keys=(odd,), **{odd: INTEGER, "select": TEXT, "Visited At": TEXT}
        ),
        singer.record(f"shop-{odd}", **{odd: 1, "select": "x", "Visited At": "y"}),
        singer.record(f"shop-{odd}", **{odd: 1, "select": "z", "Visited At": "y"}),
    )
    quoted = odd.replace('"', '""')
    assert loader.rows(f'select "{quoted}", "select", "visited at" from shop."{quoted}"') == [
        (1, "z", "y")
    ]
