"""Our column types as Redshift names them, and back."""

from __future__ import annotations

from watershed_load_plan.types import LARGEST_PRECISION, ColumnType, Kind, decimal

LARGEST_VARCHAR = 65_535
"""Bytes of UTF-8, the most that Redshift has."""
LARGEST_VARBYTE = 1_024_000

_UUID_CHARACTERS = 36
_NAMES = {
    Kind.BOOLEAN: "boolean",
    Kind.SMALLINT: "smallint",
    Kind.INTEGER: "integer",
    Kind.BIGINT: "bigint",
    Kind.DOUBLE: "double precision",
    Kind.TEXT: f"varchar({LARGEST_VARCHAR})",
    Kind.JSON: "super",
    Kind.BINARY: f"varbyte({LARGEST_VARBYTE})",  # without a number it holds 64,000 bytes
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
    Kind.UUID: f"varchar({_UUID_CHARACTERS})",  # Redshift has no type for it
}
_KINDS = {
    "boolean": Kind.BOOLEAN,
    "smallint": Kind.SMALLINT,
    "integer": Kind.INTEGER,
    "bigint": Kind.BIGINT,
    "double precision": Kind.DOUBLE,
    "super": Kind.JSON,
    "varbyte": Kind.BINARY,
    "binary varying": Kind.BINARY,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "time without time zone": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamp without time zone": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ,
    "timestamp with time zone": Kind.TIMESTAMPTZ,
}
_PRECISION_OF_64_BITS = 19


def to_redshift(column_type: ColumnType) -> str:
    """Name a column type in Redshift's SQL, for example ``decimal(12,2)``.

    A decimal of 19 digits gets a twentieth: Redshift keeps one of 19 in 64 bits, which end at
    9,223,372,036,854,775,807.
    """
    if column_type.kind is Kind.DECIMAL:
        precision, scale = column_type.precision, column_type.scale
        if precision == _PRECISION_OF_64_BITS:
            precision += 1
        return f"decimal({precision},{scale})"
    return _NAMES[column_type.kind]


def from_redshift(
    name: str, length: int | None, precision: int | None, scale: int | None
) -> ColumnType:
    """Read a column's type from Redshift's catalog; what is none of ours counts as text.

    Args:
        name: For example ``character varying``.
        length: Of text, in bytes; 36 is a UUID, for no text of ours is so narrow.
        precision: Of decimals.
        scale: Of decimals.
    """
    name = name.lower()
    if name == "numeric":
        return decimal(precision or LARGEST_PRECISION, scale or 0)
    if name in _KINDS:
        return ColumnType(_KINDS[name])
    return ColumnType(Kind.UUID if length == _UUID_CHARACTERS else Kind.TEXT)
