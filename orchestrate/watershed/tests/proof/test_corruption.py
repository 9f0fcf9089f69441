"""R-3.4.1: what is wrong in the warehouse is found, named, kept from readers, and repaired."""

import itertools
import random
import threading
import time

import pytest

from watershed.proof.records import blocking
from watershed_duckdb import connect

pytestmark = pytest.mark.trust

ROWS = 60
ROUNDS = 4
TABLES = f"""
create table orders (
    id int primary key, note text, amount numeric(12,2), weight float8, placed timestamptz,
    local timestamp, flag boolean, document jsonb, updated_at timestamptz not null
);
create index on orders (updated_at);
insert into orders
select n, case when n % 3 = 0 then '' else 'note ' || n end, n * 1.10, n / 7.0::float8,
    '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour',
    '2024-01-01 00:00'::timestamp + n * interval '1 hour',
    n % 2 = 0, json_build_object('n', n),
    '2024-02-01 00:00+00'::timestamptz + n * interval '2 hours'
from generate_series(1, {ROWS}) as n;
create table countries (code text primary key, name text);
insert into countries values ('at', 'Österreich'), ('de', 'Deutschland'), ('fr', 'France');
"""
CORRUPTIONS = {
    "row deleted": "delete from {table} where {row}",
    "row marked as deleted": "update {table} set _sdc_deleted_at = now() where {row}",
    "value changed": "update {table} set amount = amount + 0.01 where {row}",
    "row doubled": "insert into {table} from {table} where {row}",
    "key invented": "update {table} set id = id + 1000000 where {row}",
    "values swapped between rows": (
        "update {table} set note = case when id = {id} then 'note 62' else 'note 61' end "
        "where id = {id}"
    ),
    "empty text became null": "update {table} set note = null where id = {id_of_three}",
    "null became a text": "update {table} set note = 'NULL' where {row}",
    "zone shifted": "update {table} set placed = placed + interval '1 hour' where {row}",
    "last digit of a float": "update {table} set weight = weight * (1 + 4e-16) where {row}",
    "flag turned": "update {table} set flag = not flag where {row}",
    "document rewritten": "update {table} set document = '{{\"n\":0}}' where {row}",
    "moment cut to seconds": (
        "update {table} set local = local + interval '1 microsecond' where {row}"
    ),
    "table emptied": "delete from {table}",
}


@pytest.fixture
def loaded(shop):
    with shop.tap.database.connect(autocommit=True) as connection:
        connection.execute(TABLES)
    shop.catalog = shop.tap.catalog(
        public_orders={"replication-method": "INCREMENTAL", "replication-key": "updated_at"},
        public_countries={"replication-method": "FULL_TABLE"},
    )
    shop.load()
    return shop


def blocked(shop):
    with connect(shop.settings.warehouse, read_only=True) as connection:
        return blocking(connection)


def test_each_corruption_is_found_named_kept_from_readers_and_repaired(loaded, subtests):
    """Fifty-six, each followed by a comparison of what is right, which raises no alarm."""
    chance = random.Random(7)  # noqa: S311  # no secret
    clean = loaded.reconcile(deep=True)
    assert {each.state for each in clean.values()} == {"proved"}, clean
    for turn, (kind, statement) in itertools.product(range(ROUNDS), CORRUPTIONS.items()):
        with subtests.test(kind, turn=turn):
            number = chance.randint(1, ROWS - 1)
            three = 3 * chance.randint(1, ROWS // 3 - 1)
            loaded.run_sql(
                statement.format(
                    table="raw.orders", row=f"id = {number}", id=number, id_of_three=three
                )
            )
            found = loaded.reconcile(streams=["orders"])["orders"]
            assert found.state == "unproved"
            # What the source changed in the last hour before the bookmark may have come late.
            is_late = ("missing", str(ROWS)) in found.keys
            assert found.remaining == len(found.keys) - is_late
            named = {key for _, key in found.keys}
            assert named & {str(number), str(three)}
            assert "public-orders" in blocked(loaded)
            repaired = loaded.reconcile(repair=True, streams=["orders"])["orders"]
            assert (repaired.state, repaired.remaining) == ("proved", 0), repaired
            assert repaired.repaired == len(found.keys)
            assert blocked(loaded) is None
            assert loaded.run_sql(
                "select count(*), count(distinct id) from raw.orders where _sdc_deleted_at is null"
            ) == [(ROWS, ROWS)]
            right = loaded.reconcile().values()
            assert [(each.state, each.keys) for each in right] == [("proved", ())] * len(right)


def test_a_bookmark_ahead_of_its_rows_is_found(loaded):
    with loaded.tap.database.connect(autocommit=True) as connection:
        connection.execute(
            "insert into orders (id, updated_at) values (500, '2024-03-01 00:00+00')"
        )
    loaded.run_sql(
        "update ops.bookmarks set bookmark = "
        "replace(bookmark, '2024-02-06T00:00', '2024-06-01T00:00') where stream = 'public-orders'"
    )
    assert loaded.reconcile()["orders"].keys == (("missing", "500"),)
    assert loaded.reconcile(repair=True)["orders"].state == "proved"
    assert loaded.run_sql("select amount from raw.orders where id = 500") == [(None,)]


def test_rows_deleted_at_the_source_are_learned_of(loaded):
    with loaded.tap.database.connect(autocommit=True) as connection:
        connection.execute("delete from orders where id in (3, 9)")
    assert loaded.reconcile()["orders"].keys == (("extra", "3"), ("extra", "9"))
    assert loaded.reconcile(repair=True)["orders"].repaired == 2
    assert loaded.run_sql(
        "select list(id order by id) from raw.orders where _sdc_deleted_at is not null"
    ) == [([3, 9],)]
    assert loaded.run_sql("select rows_deleted from ops.loads where run_id like 'repair-%'") == [
        (2,)
    ]


def test_a_table_read_whole_is_repaired_and_stays_so(loaded):
    loaded.run_sql("update raw.countries set name = upper(name) where code = 'fr'")
    assert loaded.reconcile()["countries"].keys == (("different", "2:fr"),)
    assert loaded.reconcile(repair=True)["countries"].state == "proved"
    loaded.load()
    assert {each.state for each in loaded.reconcile().values()} == {"proved"}


def test_a_steady_writer_raises_no_alarm_and_hides_nothing(loaded):
    loaded.run_sql("update raw.orders set amount = 0 where id = 5")
    done = threading.Event()

    def write():
        with loaded.tap.database.connect(autocommit=True) as connection:
            number = 0
            while not done.is_set():
                number += 1
                connection.execute(
                    "update orders set amount = amount + 1, updated_at = now() where id = %s",
                    [10 + number % 40],
                )
                connection.execute(
                    "insert into orders (id, updated_at) values (%s, now())", [10_000 + number]
                )
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [loaded.reconcile(streams=["orders"])["orders"] for _ in range(5)]
    finally:
        done.set()
        writer.join()
    assert {each.keys for each in found} == {(("different", "5"),)}
