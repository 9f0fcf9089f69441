"""Days after the history: what a shop does to its tables while somebody copies them."""

import datetime as dt
from dataclasses import dataclass

import psycopg

from watershed_demo.exceptions import DemoError
from watershed_demo.shop.history import (
    TABLES,
    ShopSize,
    insert_rows,
    run_sql,
    set_chance,
)
from watershed_demo.timeline import Changes, Timing, new_numbers

LAST_DAY_WITH_A_NEW_COLUMN = 2


@dataclass(frozen=True)
class _Day:
    """The window of a day and the numbers of its new rows, which follow those of the day before."""

    number: int
    size: ShopSize

    @property
    def timing(self) -> Timing:
        return Timing.of_day(self.number)

    def new(self, kind: str) -> range:
        """Numbers of the new rows of one of the kinds that `ShopSize` counts."""
        history: int = getattr(self.size, kind)
        return new_numbers(history, self.number)


def apply_day(connection: psycopg.Connection, *, day: int | None = None) -> dict[str, Changes]:
    """Apply the next day of changes, in one transaction.

    Day N is the N-th day after the history, and the same for everybody who has the same scale and
    seed. About one row in a hundred is inserted or updated; rows are deleted from ``addresses`` and
    ``inventory_movements`` only; the first two days add a column each.

    Args:
        connection: to a database that `generate_shop` filled, as the same role.
        day: the day one expects to apply; None for whichever is next.

    Returns:
        The changes by table, e.g. ``{"orders": Changes(inserted=152, updated=320, deleted=0)}``.

    Raises:
        DemoError: ``day`` is not the next day.
    """
    with connection.transaction():
        scale, seed, last_day = connection.execute(
            "select scale, seed, day from demo.company for update"
        ).fetchall()[0]
        today = _Day(last_day + 1, ShopSize.at_scale(float(scale)))
        if day not in (None, today.number):
            raise DemoError(f"day {day} cannot be applied: the next day is {today.number}")
        before = _row_changes(connection)
        _apply(connection, today, seed)
        connection.execute("update demo.company set day = %s", [today.number])
        after = _row_changes(connection)
    return {
        table: Changes(*(a - b for a, b in zip(after[table], before[table], strict=True)))
        for table in TABLES
    }


def _apply(connection: psycopg.Connection, today: _Day, seed: int) -> None:
    if today.number <= LAST_DAY_WITH_A_NEW_COLUMN:
        run_sql(connection, f"day/{today.number}.sql")
    set_chance(connection, str(seed))
    _insert_new_rows(connection, today)
    set_chance(connection, f"{seed}:{today.number}")
    orders = today.new("orders")
    parameters = {
        "window_start": today.timing.start,
        "customers": today.new("customers").stop - 1,
        "addresses": today.new("addresses").stop - 1,
        "products": today.size.products,
        "first_order": orders.start,
    }
    run_sql(connection, "day/changes.sql", parameters)
    insert_rows(connection, "refunds", range(1, orders.stop), today.timing, {})
    if today.number >= LAST_DAY_WITH_A_NEW_COLUMN:
        run_sql(connection, "day/gift_wrap.sql", parameters)


def _insert_new_rows(connection: psycopg.Connection, today: _Day) -> None:
    """Insert the day's new rows, a tenth of them late where extraction goes by ``updated_at``."""
    customers, orders = today.new("customers"), today.new("orders")
    known = {
        "first_customer": customers.start,
        "customers": customers.stop - 1,
        "products": today.size.products,
        "orders": orders.stop - 1,
    }
    for table, numbers in (
        ("customers", customers),
        ("orders", orders),
        ("order_items", orders),
        ("payments", orders),
        ("StoreVisits", today.new("visits")),
    ):
        timing = today.timing.with_late(numbers, _last_update(connection, table))
        insert_rows(connection, table, numbers, timing, known)
    insert_rows(connection, "addresses", today.new("addresses"), today.timing, known)
    insert_rows(connection, "inventory_movements", today.new("movements"), today.timing, known)


def _last_update(connection: psycopg.Connection, table: str) -> dt.datetime:
    query = f'select max(updated_at) from shop."{table}"'
    moment: dt.datetime = connection.execute(query).fetchall()[0][0]
    return moment


def _row_changes(connection: psycopg.Connection) -> dict[str, tuple[int, int, int]]:
    """Rows inserted, updated and deleted so far, by table: only differences mean anything."""
    rows = connection.execute(
        "select relname, n_tup_ins, n_tup_upd, n_tup_del"
        " from pg_stat_xact_user_tables where schemaname = 'shop'"
    )
    return {table: (inserted, updated, deleted) for table, inserted, updated, deleted in rows}
