"""Days of change: deterministic, with late rows, deletes where they are allowed, new columns."""

import datetime as dt
import itertools
from collections import Counter

import pytest

from watershed_demo import TABLES, Changes, DemoError, apply_day, generate_shop
from watershed_demo.timeline import HISTORY_END
from watershed_servers.pytest_plugin import temporary_database

pytestmark = pytest.mark.demo

EXTRACTED_BY_UPDATED_AT = [
    table for table in TABLES if table not in ("addresses", "inventory_movements")
]
LATE = ("customers", "orders", "order_items", "payments", "StoreVisits")
OVERLAP = dt.timedelta(hours=1)


def value(connection, query):
    return connection.execute(query).fetchone()[0]


def rows_as_text(connection, table):
    connection.execute("set timezone = 'UTC'")
    return [row for (row,) in connection.execute(f'select t::text from shop."{table}" as t')]


def stamps(connection, table):
    """When each row of a table was last updated, by its key."""
    key = {
        "customers": "customer_id",
        "categories": "category_id",
        "products": "product_id",
        "orders": "order_id",
        "order_items": "(order_id, line_number)",
        "payments": "payment_id",
        "refunds": "refund_id",
        "StoreVisits": '"VisitId"',
    }[table]
    return dict(
        connection.execute(f'select {key}::text, updated_at from shop."{table}"').fetchall()
    )


@pytest.fixture(scope="module")
def days(postgres_server):
    """A shop of its own with three days applied, and what each of them did."""
    with temporary_database(postgres_server) as database, database.connect() as connection:
        generate_shop(connection, scale=0.1)
        seen = [observe(connection)]
        for _ in range(3):
            changes = apply_day(connection)
            seen.append(observe(connection) | {"changes": changes})
        yield connection, seen


def observe(connection):
    return {
        "stamps": {table: stamps(connection, table) for table in EXTRACTED_BY_UPDATED_AT},
        "rows": {table: rows_as_text(connection, table) for table in TABLES},
        "columns": {
            f"{table}.{column}": kind
            for table, column, kind in connection.execute(
                "select table_name, column_name, data_type from information_schema.columns"
                " where table_schema = 'shop'"
            )
        },
    }


def test_the_same_days_make_the_same_bytes(days, postgres_database, digest) -> None:
    with postgres_database.connect() as connection:
        connection.execute("set timezone = 'America/St_Johns'")
        connection.commit()
        generate_shop(connection, scale=0.1)
        for _ in range(3):
            apply_day(connection)
        assert digest(connection) == digest(days[0])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_day_touches_about_one_row_in_a_hundred(days, number) -> None:
    _, seen = days
    before = sum(map(len, seen[number - 1]["rows"].values()))
    changes = seen[number]["changes"].values()
    touched = sum(change.inserted + change.updated for change in changes)
    assert 0.005 < touched / before < 0.02


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_day_tells_what_it_did(days, number) -> None:
    _, seen = days
    for table in TABLES:
        change: Changes = seen[number]["changes"][table]
        grown = len(seen[number]["rows"][table]) - len(seen[number - 1]["rows"][table])
        assert change.inserted - change.deleted == grown


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_day_deletes_from_two_tables_only(days, number) -> None:
    _, seen = days
    for table in EXTRACTED_BY_UPDATED_AT:
        assert seen[number - 1]["stamps"][table].keys() <= seen[number]["stamps"][table].keys()
    deleting = {table for table, change in seen[number]["changes"].items() if change.deleted}
    assert deleting == {"addresses", "inventory_movements"}


@pytest.mark.parametrize("table", LATE)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_some_new_rows_are_stamped_below_what_was_seen_already(days, number, table) -> None:
    _, seen = days
    before, after = seen[number - 1]["stamps"][table], seen[number]["stamps"][table]
    high_water = max(before.values())
    new = after.keys() - before.keys()
    delays = [high_water - after[key] for key in new if after[key] <= high_water]
    assert 0 < len(delays) < len(new)
    assert min(delays) > dt.timedelta(0)
    assert max(delays) <= dt.timedelta(minutes=30) < OVERLAP


@pytest.mark.parametrize("table", EXTRACTED_BY_UPDATED_AT)
def test_every_change_is_stamped_within_the_overlap_of_what_was_seen(days, table) -> None:
    connection, seen = days
    unchanged = set(seen[2]["rows"][table])
    high_water = max(seen[2]["stamps"][table].values())
    changed = connection.execute(
        f'select t::text, updated_at from shop."{table}" as t where updated_at <= %s',
        [high_water - OVERLAP],
    )
    assert [row for row, _ in changed if row not in unchanged] == []


def test_no_update_lies_beyond_its_day(days) -> None:
    _, seen = days
    for number in (1, 2, 3):
        end = HISTORY_END + dt.timedelta(days=number)
        last = max(max(stamps.values()) for stamps in seen[number]["stamps"].values())
        assert end - dt.timedelta(days=1) <= last < end


def test_the_first_two_days_add_a_column_each(days) -> None:
    _, seen = days
    added = [
        {name: kind for name, kind in after["columns"].items() if name not in before["columns"]}
        for before, after in itertools.pairwise(seen)
    ]
    assert added == [{"customers.referral_code": "text"}, {"orders.gift_wrap": "boolean"}, {}]


def test_the_added_columns_hold_values(days) -> None:
    connection, _ = days
    codes = {code for (code,) in connection.execute("select referral_code from shop.customers")}
    gifts = {gift for (gift,) in connection.execute("select distinct gift_wrap from shop.orders")}
    assert {None, ""} < codes
    assert gifts == {True, False, None}


def test_prices_and_orders_move_on(days) -> None:
    _, seen = days
    for table in ("products", "orders", "order_items", "payments", "customers", "addresses"):
        assert seen[3]["changes"][table].updated > 0
    for table in set(TABLES) - {"categories", "products"}:
        assert seen[3]["changes"][table].inserted > 0


def test_a_day_of_equal_rows_may_lose_one_and_keep_the_other(days) -> None:
    _, seen = days
    for number in (1, 2, 3):
        before = Counter(seen[number - 1]["rows"]["inventory_movements"])
        after = Counter(seen[number]["rows"]["inventory_movements"])
        if any(before[row] > after[row] > 0 for row in before):
            return
    pytest.fail("in three days no row lost its equal")


def test_a_day_that_is_not_the_next_changes_nothing(postgres_database, digest) -> None:
    with postgres_database.connect() as connection:
        generate_shop(connection, scale=0.01)
        before = digest(connection)
        with pytest.raises(DemoError, match="the next day is 1"):
            apply_day(connection, day=2)
        assert digest(connection) == before
        apply_day(connection, day=1)
        assert digest(connection) != before


def test_a_day_that_fails_half_way_changes_nothing(postgres_database, digest) -> None:
    with postgres_database.connect() as connection:
        generate_shop(connection, scale=0.01)
        connection.execute(
            "alter table shop.inventory_movements add constraint full_up"
            " check (moved_at < '2026-07-01 00:00+00')"
        )
        connection.commit()
        before = digest(connection)
        with pytest.raises(Exception, match="full_up"):
            apply_day(connection)
        assert digest(connection) == before
        assert value(connection, "select day from demo.company") == 0
