"""How each PostgreSQL type travels: its JSON schema, how it is selected, what Python still does.

The source itself turns into text what a driver would round, shift or refuse, so that what arrives
is what the source says; see the table in this package's README.
"""

from __future__ import annotations

import math
from typing import Any

from watershed_tap.tables import ColumnType, Convert, integer_schema, text_schema

_BITS_OF_INTEGERS = {"int2": 16, "int4": 32, "int8": 64}
_PLAIN_TEXT = {"text", "varchar"}
_JSON = {"json", "jsonb"}
_TIMESTAMPS = {"timestamptz", "timestamp"}


def column_type(builtin_type: str | None, *, is_array: bool, modifier: int) -> ColumnType:
    """Decide how a column travels.

    Args:
        builtin_type: name in ``pg_catalog`` after domains are resolved, e.g. ``int4``; ``None``
            for a type of an extension or of the users: those travel as text.
        is_array: a true array of any element type.
        modifier: ``atttypmod``; for a numeric its precision and scale, or -1.
    """
    if is_array:  # to_json, not to_jsonb: it leaves elements of json[] as they are
        return ColumnType(text_schema(contentMediaType="application/json"), "to_json({})::text")
    if builtin_type in _BITS_OF_INTEGERS:
        return ColumnType(_integer(_BITS_OF_INTEGERS[builtin_type]))
    if builtin_type in _TIMESTAMPS:
        return _timestamp(builtin_type)
    others = {
        "bool": ColumnType({"type": ["boolean", "null"]}),
        "bytea": ColumnType(
            text_schema(contentEncoding="base64"), "translate(encode({}, 'base64'), E'\\n', '')"
        ),
        "date": _as_text(text_schema(format="date")),
        "float4": ColumnType({"type": ["number", "null"]}, convert=number_or_name),
        "float8": ColumnType({"type": ["number", "null"]}, convert=number_or_name),
        "numeric": _as_text(_numeric(modifier)),
        "time": _as_text(text_schema(format="time")),
        "uuid": _as_text(text_schema(format="uuid")),
        **dict.fromkeys(_JSON, _as_text(text_schema(contentMediaType="application/json"))),
        **dict.fromkeys(_PLAIN_TEXT, ColumnType(text_schema())),
    }
    return others.get(builtin_type or "", _as_text(text_schema()))


def number_or_name(value: float) -> float | str:
    """JSON has no word for what is not finite: those travel as PostgreSQL's own words."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def iso_timestamptz(value: str) -> str:
    """Write PostgreSQL's text of a ``timestamptz`` in UTC as ISO 8601 with six digits.

    ``2026-01-02 03:04:05.1+00`` becomes ``2026-01-02T03:04:05.100000+00:00``. What ISO cannot say
    keeps PostgreSQL's words: ``infinity``, and a year before Christ its ``BC``.
    """
    if value.endswith("+00"):
        return _iso(value[:-3], "+00:00")
    if value.endswith(" BC"):
        return _iso(value[:-6], "+00:00 BC")
    return value


def iso_timestamp(value: str) -> str:
    """Do the same for a ``timestamp`` without a zone: ``2026-01-02T03:04:05.100000``."""
    if value.endswith(" BC"):
        return _iso(value[:-3], " BC")
    return _iso(value, "")


def _iso(value: str, suffix: str) -> str:
    day, space, clock = value.partition(" ")
    if not space:
        return value
    whole, _, fraction = clock.partition(".")
    return f"{day}T{whole}.{fraction:0<6}{suffix}"


def _timestamp(builtin_type: str) -> ColumnType:
    if builtin_type == "timestamptz":
        return _as_text(text_schema(format="date-time"), iso_timestamptz)
    schema = text_schema(format="date-time") | {"x-sql-datatype": "timestamp"}
    return _as_text(schema, iso_timestamp)


def _as_text(schema: dict[str, Any], convert: Convert | None = None) -> ColumnType:
    return ColumnType(schema, "{}::text", convert)


def _integer(bits: int) -> dict[str, Any]:
    half = 2 ** (bits - 1)
    return integer_schema(-half, half - 1)


def _numeric(modifier: int) -> dict[str, Any]:
    """Precision and scale as SQL engines other than PostgreSQL know them: 0 <= scale <= precision.

    The modifier's layout is that of ``make_numeric_typmod`` in PostgreSQL's numeric.c: precision
    in the upper 16 bits, scale as a signed number of 11 bits, and an offset of 4.
    """
    schema = text_schema(format="singer.decimal")
    if modifier == -1:
        return schema
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    scale = (scale ^ 1024) - 1024
    return schema | {"precision": max(precision - min(scale, 0), scale), "scale": max(scale, 0)}
