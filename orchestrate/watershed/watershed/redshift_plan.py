"""What a publication on Redshift is made of: which tables, and whose marts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watershed.publication_plan import (
    LEFTOVERS,
    PREVIOUS,
    WITHHELD,
    Plan,
    Table,
    choose_marts,
    one_row,
    quoted,
)
from watershed.redshift_copies import home_of_marts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed.publications import Publication
    from watershed.redshift_session import Session

WAREHOUSE = "warehouse"
"""Stands for the schemas that are loaded and built."""
NOT_PUBLISHED = WITHHELD | {"publishing"}


def make_plan(session: Session, ledger: Sequence[Publication]) -> Plan:
    """Decide what to publish.

    Args:
        session: The warehouse.
        ledger: All publications, the newest last.
    """
    previous = ledger[-1] if ledger else None
    marts = choose_marts(session, WAREHOUSE, previous)
    names = tables_of(session, ("ops", "marts"))
    ops = [
        _table(session, "ops", name, "ops") for name in names["ops"] if name not in NOT_PUBLISHED
    ]
    tables = list(ops)
    if marts.catalog == WAREHOUSE:
        tables += [_table(session, "marts", name, "marts") for name in names["marts"]]
    elif marts.catalog == PREVIOUS:
        home = home_of_marts(ledger, previous)
        kept = tables_of(session, (home,))[home] if home else []
        tables += [
            _table(session, "marts", name, home or "") for name in kept if name not in names["ops"]
        ]
    return Plan(
        tables=tuple(sorted(tables, key=lambda table: (table.schema, table.name))),
        has_marts=marts.catalog is not None,
        keeps_marts=marts.catalog == PREVIOUS,
        build_id=marts.build_id,
        note=marts.note,
        is_change=previous is None
        or marts.catalog == WAREHOUSE
        or _differ(session, ops, previous.file),
        remarks=(marts.note,) if marts.note else (),
    )


def tables_of(session: Session, schemas: Sequence[str]) -> dict[str, list[str]]:
    """List the tables of schemas, without what a killed build did not rename."""
    marks = ", ".join("?" * len(schemas))
    found = session.execute(
        "select table_schema, table_name from svv_tables where table_type = 'BASE TABLE' "
        f"and table_schema in ({marks}) order by table_schema, table_name",
        list(schemas),
    ).fetchall()
    return {
        schema: [name for home, name in found if home == schema and not name.endswith(LEFTOVERS)]
        for schema in schemas
    }


def columns_of(session: Session, schemas: Sequence[str]) -> dict[tuple[str, str], list[object]]:
    """List the columns of tables, by schema and table: name, type and its numbers."""
    marks = ", ".join("?" * len(schemas))
    found = session.execute(
        "select table_schema, table_name, column_name, data_type, character_maximum_length, "
        f"numeric_precision, numeric_scale from svv_columns where table_schema in ({marks}) "
        "order by table_schema, table_name, ordinal_position",
        list(schemas),
    ).fetchall()
    columns: dict[tuple[str, str], list[object]] = {}
    for schema, table, *column in found:
        columns.setdefault((schema, table), []).append(tuple(column))
    return columns


def _table(session: Session, schema: str, name: str, home: str) -> Table:
    rows = one_row(session, f"select count(*) from {quoted(home)}.{quoted(name)}")[0]
    return Table(home, schema, name, rows, None, ())


def _differ(session: Session, tables: Sequence[Table], copy: str) -> bool:
    """Compare tables of ops with their copies: names, columns, rows in any order."""
    columns = columns_of(session, ("ops", copy))
    copied = {name for schema, name in columns if schema == copy}
    for table in tables:
        if table.name not in copied:
            return True
        if columns["ops", table.name] != columns[copy, table.name]:
            return True
        mine, theirs = (f"{quoted(home)}.{quoted(table.name)}" for home in ("ops", copy))
        if one_row(session, f"select count(*) from {theirs}")[0] != table.rows:
            return True
        for one, other in ((mine, theirs), (theirs, mine)):
            surplus = f"select * from {one} except select * from {other}"
            if one_row(session, f"select count(*) from ({surplus}) as surplus")[0]:
                return True
    return False
