"""Our column types as DuckDB names them, and back: it reads every batch, whatever the target."""

from __future__ import annotations

import re

from watershed_load_plan.types import ColumnType, Kind, decimal

_NAMES = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.SMALLINT: "SMALLINT",
    Kind.INTEGER: "INTEGER",
    Kind.BIGINT: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.JSON: "JSON",
    Kind.BINARY: "BLOB",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
    Kind.UUID: "UUID",
}
_KINDS = {name: kind for kind, name in _NAMES.items()}


def to_duckdb(column_type: ColumnType) -> str:
    """Name a column type in DuckDB's SQL, for example ``DECIMAL(12,2)``."""
    if column_type.kind is Kind.DECIMAL:
        return f"DECIMAL({column_type.precision},{column_type.scale})"
    return _NAMES[column_type.kind]


def from_duckdb(name: str) -> ColumnType | None:
    """Read DuckDB's name of a type; None for a type that no column of ours has."""
    if name in _KINDS:
        return ColumnType(_KINDS[name])
    found = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name)
    return decimal(int(found[1]), int(found[2])) if found else None


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text as an SQL literal, for the places where DuckDB takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
