"""A warehouse that another release loaded: an older one's is completed, a newer one's refused."""

import pytest

from watershed_duckdb import connect
from watershed_load_plan import LoadError

pytestmark = [pytest.mark.load, pytest.mark.trust]

INTEGER = {"type": ["integer", "null"]}

# As issue A landed it, with some of it missing, as a still older release might have had it.
OLDER = """
    create schema ops;
    create schema shop;
    create table ops.loads (
        load_id varchar, run_id varchar, state_id varchar, target_schema varchar, stream varchar,
        table_name varchar, bookmark_before varchar, bookmark_after varchar, ordinal bigint,
        table_version bigint, rows_inserted bigint, rows_updated bigint, rows_deleted bigint,
        rows_quarantined bigint, bytes bigint, seconds double, committed_at timestamptz
    );
    create table ops.bookmarks (
        state_id varchar, stream varchar, bookmark varchar, run_id varchar, committed_at timestamptz
    );
    create table shop.orders (id integer, _sdc_received_at timestamptz);
    insert into shop.orders values (1, now());
    insert into ops.bookmarks values ('dev:a-to-b', 'shop-orders', '{"at": 1}', 'r', now());
    insert into ops.loads (load_id, stream, rows_inserted) values ('first', 'shop-orders', 1);
"""


def an_order(singer, number):
    return [
        singer.schema("shop-orders", id=INTEGER),
        singer.record("shop-orders", id=number),
        singer.state(**{"shop-orders": {"at": number}}),
    ]


def test_the_tables_of_an_older_release_are_completed_and_keep_their_rows(loader, singer):
    with connect(loader.path) as connection:
        connection.execute(OLDER)
    loader.load(*an_order(singer, 2), state_id="dev:a-to-b")
    assert loader.rows("select id from shop.orders order by id") == [(1,), (2,)]
    assert loader.rows(
        "select rows_inserted, rows_unchanged, bookmark_before from ops.loads order by committed_at"
    ) == [(1, 0, '{"at": 1}'), (1, None, None)]
    assert loader.rows("select * from ops.versions") == [("ledger", 1)]
    assert loader.one("select count(*) from ops.quarantine") == 0


def test_a_warehouse_of_a_newer_release_is_left_as_it_is(loader, singer):
    loader.load(*an_order(singer, 1))
    with connect(loader.path) as connection:
        connection.execute("update ops.versions set version = 2")
    with pytest.raises(LoadError, match="a newer release has loaded it; upgrade this one"):
        loader.load(*an_order(singer, 2))
    assert loader.one("select count(*) from shop.orders") == 1
