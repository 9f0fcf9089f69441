"""What the source's own catalog says about its tables."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from watershed_tap_postgres.column_types import ColumnType, column_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TABLES_SQL = files(__package__).joinpath("tables.sql").read_text()


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the role may read.

    Attributes:
        declared_type: as ``create table`` would spell it, e.g. ``shop.sku``.
        builtin_type: what that comes down to, e.g. ``text``; ``None`` if it is not built in.
        leads_an_index: rows can be had in this column's order without sorting.
    """

    name: str
    declared_type: str
    builtin_type: str | None
    type: ColumnType
    leads_an_index: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or materialized view; ``key`` is empty if nothing identifies its rows."""

    schema: str
    name: str
    is_view: bool
    columns: Mapping[str, Column]
    key: tuple[str, ...]

    @property
    def stream_id(self) -> str:
        """The Singer stream's name, ``<schema>-<table>``."""
        return f"{self.schema}-{self.name}"


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
        builtin_type=row["builtin_type"],
        type=column_type(row["builtin_type"], is_array=row["is_array"], modifier=row["modifier"]),
        leads_an_index=row["leads_an_index"],
    )
