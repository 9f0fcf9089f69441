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


_INTEGERS = ("int2", "int4", "int8")
_ORDERED = (*_INTEGERS, "uuid", "text", "varchar")
"""Types of which a value's text, read again, has the same place in the order."""
_LEAST_CORRELATION = 0.9
_KEY_KINDS = {
    **dict.fromkeys(_INTEGERS, KeyKind.INTEGER),
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
        is_key_ordered=is_key_readable and _is_ordered(key_rows),
        row_bytes=first["row_bytes"],
    )


def _is_ordered(key_rows: list[Mapping[str, Any]]) -> bool:
    """Whether reading in the key's order is about as fast as reading in that of the disk.

    Else the source would fetch a page for each row. Before the table was ever analysed, a number is
    taken to have been counted up.
    """
    if not key_rows or any(row["builtin_type"] not in _ORDERED for row in key_rows):
        return False
    correlation = key_rows[0]["correlation"]
    if correlation is None:
        return key_rows[0]["builtin_type"] in _INTEGERS
    return bool(abs(correlation) >= _LEAST_CORRELATION)


def _column(row: Mapping[str, Any]) -> Column:
    return Column(
        name=row["column_name"],
        declared_type=row["declared_type"],
        type=column_type(row["builtin_type"], is_array=row["is_array"], modifier=row["modifier"]),
        key_kind=_KEY_KINDS.get(row["builtin_type"]),
        leads_an_index=row["leads_an_index"],
    )
