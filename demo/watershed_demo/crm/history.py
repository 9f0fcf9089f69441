"""The CRM's history, made from a seed."""

import re
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from watershed_demo.crm.rows import (
    CrmSize,
    Row,
    account,
    campaign,
    contact,
    invoice,
    subscription,
    tester,
    touch,
)
from watershed_demo.timeline import DEFAULT_SEED, Timing

if TYPE_CHECKING:
    from pymysql import Connection
    from pymysql.cursors import Cursor

SCHEMA_FILE = Path(__file__).parents[2] / "crm" / "schema.sql"
TABLES = (
    "accounts",
    "contacts",
    "campaigns",
    "campaign_touches",
    "subscriptions",
    "invoices",
)
ROWS_PER_STATEMENT = 5_000


def generate_crm(
    connection: "Connection[Cursor]",
    *,
    scale: float = 1.0,
    seed: int = DEFAULT_SEED,
    report: Callable[[str, float], None] = lambda _step, _share: None,
) -> None:
    """Create the CRM's tables in the connection's empty database, and their history.

    The rows are committed at once, together with the row of ``company`` in the database
    ``<name>_demo`` beside it, which tells how they were made.

    Args:
        connection: of a user who may create tables here, and ``<name>_demo``.
        scale: 1 is about 40,000 rows.
        seed: the same seed makes the same rows, to the last byte.
        report: is told each step before it begins, with the share of the work done so far (0..1).
    """
    size = CrmSize.at_scale(scale)
    with connection.cursor() as cursor:
        prepare_session(cursor)
        company = company_table(cursor)
        cursor.execute(f"create database if not exists {company.partition('.')[0]}")
        cursor.execute(
            f"create or replace table {company}"
            " (scale double not null, seed bigint not null, day int not null)"
        )
        for statement in re.split(r";\s*$", SCHEMA_FILE.read_text(), flags=re.MULTILINE):
            if statement.strip():
                cursor.execute(statement)
        connection.begin()
        for number, (table, rows) in enumerate(_history(seed, size)):
            report(table, number / len(TABLES))
            insert_rows(cursor, table, rows)
        cursor.execute(f"insert into {company} values (%s, %s, 0)", [scale, seed])
        connection.commit()
    report("done", 1.0)


def prepare_session(cursor: "Cursor") -> None:
    """Let the session take zero dates, and no other value that does not fit; its time is UTC."""
    cursor.execute("set time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'")


def company_table(cursor: "Cursor") -> str:
    """Tell the name of the table that keeps how the connection's database was made."""
    cursor.execute("select database()")
    ((name,),) = cursor.fetchall()
    return f"`{name}_demo`.company"


def insert_rows(cursor: "Cursor", table: str, rows: Iterable[Row]) -> int:
    """Insert rows whose values stand in the order of the table's first columns.

    Returns:
        How many.
    """
    batch: list[Row] = []
    count = 0
    columns = _columns(cursor, table)
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_PER_STATEMENT:
            count += _insert(cursor, table, columns, batch)
            batch = []
    return count + (_insert(cursor, table, columns, batch) if batch else 0)


def _insert(cursor: "Cursor", table: str, columns: list[str], rows: list[Row]) -> int:
    width = len(rows[0])
    names = ", ".join(f"`{name}`" for name in columns[:width])
    values = ", ".join(["%s"] * width)
    cursor.executemany(f"insert into `{table}` ({names}) values ({values})", rows)
    return len(rows)


def _columns(cursor: "Cursor", table: str) -> list[str]:
    cursor.execute(
        "select column_name from information_schema.columns"
        " where table_schema = database() and table_name = %s order by ordinal_position",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]


def _history(seed: int, size: CrmSize) -> Iterable[tuple[str, Iterable[Row]]]:
    timing = Timing.of_history()
    accounts = range(1, size.accounts + 1)
    contacts = range(1, size.contacts + 1)
    campaigns = range(1, size.campaigns + 1)
    touches = range(1, size.touches + 1)
    numbers = range(1, size.subscriptions + 1)
    subscribed = [subscription(seed, n, numbers, timing, size) for n in numbers]
    yield "accounts", (account(seed, n, accounts, timing) for n in accounts)
    people = (contact(seed, n, contacts, timing, size) for n in contacts)
    yield "contacts", chain(people, (tester(seed, n, timing) for n in range(1, 4)))
    yield "campaigns", (campaign(seed, n, campaigns, timing) for n in campaigns)
    yield "campaign_touches", (touch(seed, n, touches, timing, size) for n in touches)
    yield "subscriptions", (one.row() for one in subscribed)
    yield (
        "invoices",
        (
            invoice(seed, one, quarter, timing)
            for one in subscribed
            for quarter in one.quarters(timing.horizon)
        ),
    )
