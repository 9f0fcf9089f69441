"""What the source's own catalog says about its tables."""

from __future__ import annotations

from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from watershed_tap.tables import Column, KeyKind, Table
from watershed_tap_postgres.column_types import column_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TABLES_SQL = files(__package__).joinpath("tables.sql").read_text()


_KEY_KINDS = {
    **dict.fromkeys(("int2", "int4", "int8"), KeyKind.INTEGER),
    "date": KeyKind.DATE,
    "timestamp": KeyKind.TIMESTAMP,
    "timestamptz": KeyKind.TIMESTAMPTZ,
}


def tables_of(rows: Iterable[Mapping[str, Any]]) -> list[Table]:
    """Group the rows of ``tables.sql``, which come in the order of tables and their columns."""
    grouped = groupby(rows, key=lambda row: (row["schema_name"], row["table_name"]))
    return [_table(list(columns)) for _, columns in grouped]


def _table(rows: list[Mapping[str, Any]]) -> Table:
    first = rows[0]
    key_rows = [row for row in rows if row["key_position"] is not None]
    is_key_readable = len(key_rows) == first["key_size"]
    key_rows.sort(key=lambda row: int(row["key_position"]))
    return Table(
        schema=first["schema_name"],
        name=first["table_name"],
        is_view=first["is_view"],
        columns={row["column_name"]: _column(row) for row in rows},
        key=tuple(row["column_name"] for row in key_rows) if is_key_readable else (),
    )


def _column(row: Mapping[str, Any]) -> Column:
    return Column(
        name=row["column_name"],
        declared_type=row["declared_type"],
        type=column_type(row["builtin_type"], is_array=row["is_array"], modifier=row["modifier"]),
        key_kind=_KEY_KINDS.get(row["builtin_type"]),
        leads_an_index=row["leads_an_index"],
    )
