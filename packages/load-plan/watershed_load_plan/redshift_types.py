"""Our column types as Redshift names them."""

from __future__ import annotations

from watershed_load_plan.types import ColumnType, Kind

_NAMES = {
    Kind.BOOLEAN: "boolean",
    Kind.SMALLINT: "smallint",
    Kind.INTEGER: "integer",
    Kind.BIGINT: "bigint",
    Kind.DOUBLE: "double precision",
    Kind.TEXT: "varchar(65535)",  # bytes, the most that Redshift has
    Kind.JSON: "super",
    Kind.BINARY: "varbyte",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
    Kind.UUID: "varchar(36)",  # Redshift has no type for it
}


def to_redshift(column_type: ColumnType) -> str:
    """Name a column type in Redshift's SQL, for example ``decimal(12,2)``."""
    if column_type.kind is Kind.DECIMAL:
        return f"decimal({column_type.precision},{column_type.scale})"
    return _NAMES[column_type.kind]
