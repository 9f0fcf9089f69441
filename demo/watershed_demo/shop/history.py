"""The shop's database: its history, made from a seed, every row a function of seed and number."""

import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from watershed_demo.timeline import DEFAULT_SEED, HISTORY_END, HISTORY_START, Timing

SQL_FOLDER = Path(__file__).parents[2] / "shop"
TABLES = (
    "customers",
    "addresses",
    "categories",
    "products",
    "orders",
    "order_items",
    "payments",
    "refunds",
    "inventory_movements",
    "StoreVisits",
)
FIRST_CUSTOMER_CAME = dt.datetime(2021, 7, 1, tzinfo=dt.UTC)
MONTHS = 24
# Per cent of an average month, January first: a quiet start of the year, presents at its end.
SEASON = (80, 82, 92, 96, 100, 98, 90, 88, 98, 108, 138, 152)
GROWTH_PERCENT_PER_MONTH = 3


@dataclass(frozen=True)
class ShopSize:
    """How many rows the history has; what hangs on orders (lines, payments) follows by chance."""

    customers: int
    addresses: int
    products: int
    orders: int
    movements: int
    visits: int

    @classmethod
    def at_scale(cls, scale: float) -> "ShopSize":
        """Size a shop: 1 is about 200,000 rows over all tables, 40 about eight million."""

        def rows(at_scale_one: int) -> int:
            return max(50, round(at_scale_one * scale))

        return cls(
            customers=rows(10_000),
            addresses=rows(12_000),
            products=rows(1_000),
            orders=rows(38_000),
            movements=rows(9_000),
            visits=rows(8_000),
        )

    @property
    def regulars(self) -> int:
        """The customers who were there before the history begins."""
        return self.customers * 2 // 5


@dataclass(frozen=True)
class _Month:
    timing: Timing
    orders: range
    movements: range
    visits: range
    known_customers: int


def generate_shop(
    connection: psycopg.Connection,
    *,
    scale: float = 1.0,
    seed: int = DEFAULT_SEED,
    report: Callable[[str, float], None] = lambda _step, _share: None,
) -> None:
    """Create the schema ``shop`` and its history in an empty database, in one transaction.

    Args:
        connection: of a role that may create schemas.
        scale: 1 is about 200,000 rows; memory does not grow with it.
        seed: the same seed makes the same rows, to the last byte.
        report: is told each step before it begins, with the share of the work done so far (0..1).
    """
    size = ShopSize.at_scale(scale)
    with connection.transaction():
        set_chance(connection, str(seed))
        connection.execute("set local default_statistics_target = 10; set local jit = off")
        for file in ("schema.sql", "chance.sql"):
            run_sql(connection, file)
        connection.execute(
            "insert into demo.company (scale, seed, day) values (%s::numeric, %s, 0)",
            [str(scale), seed],
        )
        report("customers and products", 0.0)
        _insert_base(connection, size)
        months = list(_months(size))
        for number, month in enumerate(months):
            report(f"{month.timing.start:%B %Y}", (1 + number) / (MONTHS + 2))
            _insert_month(connection, month, size)
        report("keys", (1 + MONTHS) / (MONTHS + 2))
        run_sql(connection, "keys.sql")
        for table in TABLES:
            connection.execute(f'analyze shop."{table}"')
    report("done", 1.0)


def set_chance(connection: psycopg.Connection, seed: str) -> None:
    """Make the rows that the rest of this transaction makes depend on ``seed`` alone."""
    connection.execute("select set_config('demo.seed', %s, true)", [seed])
    connection.execute("set local timezone = 'UTC'")


def run_sql(
    connection: psycopg.Connection, file: str, parameters: Mapping[str, object] | None = None
) -> None:
    """Run the statements of a file in ``demo/shop``, with its ``%(name)s`` filled in."""
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute((SQL_FOLDER / file).read_bytes(), parameters)


def insert_rows(
    connection: psycopg.Connection,
    table: str,
    numbers: range,
    timing: Timing,
    known: Mapping[str, int],
) -> None:
    """Insert the rows of ``table`` with these numbers.

    Args:
        connection: within a transaction that called `set_chance`.
        table: one of `TABLES`.
        numbers: of the rows; for tables that hang on orders, of the orders.
        timing: when the rows came to be.
        known: how many rows of other tables there are to refer to, e.g. ``{"products": 1000}``.
    """
    parameters = {
        "first": numbers[0],
        "last": numbers[-1],
        "window_start": timing.start,
        "window_end": timing.end,
        "horizon": timing.horizon,
        "last_late": numbers[0] + timing.late_rows - 1,
        "late_before": timing.late_before,
    }
    run_sql(connection, f"rows/{table}.sql", {**parameters, **known})


def _insert_base(connection: psycopg.Connection, size: ShopSize) -> None:
    before = Timing(FIRST_CUSTOMER_CAME, HISTORY_START, HISTORY_END)
    since = Timing(HISTORY_START, HISTORY_END, HISTORY_END)
    customers = _numbers(size.customers)
    known = {"first_customer": 1, "customers": size.customers}
    run_sql(connection, "rows/categories.sql", {"window_start": HISTORY_START})
    insert_rows(connection, "products", _numbers(size.products), before, known)
    insert_rows(connection, "customers", customers[: size.regulars], before, known)
    insert_rows(connection, "customers", customers[size.regulars :], since, known)
    run_sql(connection, "rows/test_accounts.sql", {"window_start": HISTORY_START})
    insert_rows(connection, "addresses", _numbers(size.addresses), since, known)


def _insert_month(connection: psycopg.Connection, month: _Month, size: ShopSize) -> None:
    known = {
        "customers": month.known_customers,
        "products": size.products,
        "orders": month.orders.stop,
    }
    for table, numbers in (
        ("orders", month.orders),
        ("order_items", month.orders),
        ("payments", month.orders),
        ("refunds", month.orders),
        ("inventory_movements", month.movements),
        ("StoreVisits", month.visits),
    ):
        if not numbers:
            continue
        insert_rows(connection, table, numbers, month.timing, known)
        # Without statistics a nested loop over the next table's rows looks cheap, and is not.
        connection.execute(f'analyze shop."{table}"')


def _months(size: ShopSize) -> list[_Month]:
    """Spread the history over its months, by season and growth."""
    starts = [
        HISTORY_START.replace(
            year=HISTORY_START.year + (HISTORY_START.month - 1 + i) // 12,
            month=(HISTORY_START.month - 1 + i) % 12 + 1,
        )
        for i in range(MONTHS + 1)
    ]
    weights = [
        (100 + GROWTH_PERCENT_PER_MONTH * i) * SEASON[start.month - 1]
        for i, start in enumerate(starts[:-1])
    ]
    return [
        _Month(
            timing=Timing(starts[i], starts[i + 1], HISTORY_END),
            orders=orders,
            movements=movements,
            visits=visits,
            known_customers=size.regulars + (size.customers - size.regulars) * i // MONTHS,
        )
        for i, (orders, movements, visits) in enumerate(
            zip(
                _shares(size.orders, weights),
                _shares(size.movements, weights),
                _shares(size.visits, weights),
                strict=True,
            )
        )
    ]


def _shares(total: int, weights: list[int]) -> list[range]:
    """Cut the numbers 1..total into ranges as long as the weights say."""
    ends = [total * weight // sum(weights) for weight in itertools.accumulate(weights)]
    return [range(start + 1, end + 1) for start, end in itertools.pairwise([0, *ends])]


def _numbers(count: int) -> range:
    return range(1, count + 1)
