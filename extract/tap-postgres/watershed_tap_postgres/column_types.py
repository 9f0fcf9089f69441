"""How each PostgreSQL type travels: its JSON schema, how it is selected, what Python still does.

The source itself turns into text what a driver would round, shift or refuse, so that what arrives
is what the source says; see the table in this package's README.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from watershed_tap.tables import BulkType, ColumnType, Convert, integer_schema, text_schema

_BITS_OF_INTEGERS = {"int2": 16, "int4": 32, "int8": 64}
_PLAIN_TEXT = {"text", "varchar"}
_NUMBER = {"type": ["number", "null"]}
_TIMESTAMPS = {"timestamptz", "timestamp"}
# The binary protocol's readers know no zone's end of time: what lies beyond comes as text.
_BEYOND_ISO = "({{}} < '0001-01-01' or {{}} > '9999-12-31{}')"
_JSON_TYPE = BulkType(typed="try_cast({} as JSON)", is_null_if_inexact=True, text="{}")
LARGEST_PRECISION = 38


def column_type(builtin_type: str | None, *, is_array: bool, modifier: int) -> ColumnType:
    """Decide how a column travels.

    Args:
        builtin_type: name in ``pg_catalog`` after domains are resolved, e.g. ``int4``; ``None``
            for a type of an extension or of the users: those travel as text.
        is_array: a true array of any element type.
        modifier: ``atttypmod``; for a numeric its precision and scale, or -1.
    """
    if is_array:  # to_json, not to_jsonb: it leaves elements of json[] as they are
        return _as_text(
            text_schema(contentMediaType="application/json"),
            expression="to_json({})::text",
            bulk=_JSON_TYPE,
        )
    if builtin_type in _BITS_OF_INTEGERS:
        return ColumnType(_integer(_BITS_OF_INTEGERS[builtin_type]))
    if builtin_type in _TIMESTAMPS:
        return _timestamp(builtin_type)
    others = {
        "bool": ColumnType({"type": ["boolean", "null"]}),
        "bytea": ColumnType(
            text_schema(contentEncoding="base64"),
            "translate(encode({}, 'base64'), E'\\n', '')",
            bulk=BulkType(text="to_base64({})"),
        ),
        "date": _as_text(
            text_schema(format="date"), bulk=BulkType(is_special=_BEYOND_ISO.format(""))
        ),
        # A float's own text is its shortest, which a double has too; its bits are not a double's.
        "float4": ColumnType(_NUMBER, convert=number_or_name, bulk=BulkType("{}::text::float8")),
        "float8": ColumnType(_NUMBER, convert=number_or_name),
        "numeric": _as_text(_numeric(modifier), bulk=_bulk_numeric(_numeric(modifier))),
        "time": _as_text(text_schema(format="time")),
        "uuid": _as_text(text_schema(format="uuid"), bulk=BulkType()),
        "json": _as_text(text_schema(contentMediaType="application/json"), bulk=_JSON_TYPE),
        "jsonb": _as_text(
            text_schema(contentMediaType="application/json"),
            bulk=BulkType("{}::text", text="{}", is_json=True),
        ),
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
    bulk = BulkType(is_special=_BEYOND_ISO.format(" 23:59:59.999999"))
    if builtin_type == "timestamptz":
        return _as_text(text_schema(format="date-time"), iso_timestamptz, bulk=bulk)
    schema = text_schema(format="date-time") | {"x-sql-datatype": "timestamp"}
    return _as_text(schema, iso_timestamp, bulk=bulk)


def _as_text(
    schema: dict[str, Any],
    convert: Convert | None = None,
    *,
    expression: str = "{}::text",
    bulk: BulkType | None = None,
) -> ColumnType:
    """A type whose text is exact; in files it is that text, unless ``bulk`` knows better."""
    in_files = bulk or BulkType(expression, text="{}")
    if bulk is _JSON_TYPE:
        in_files = replace(_JSON_TYPE, expression=expression)
    return ColumnType(schema, expression, convert, in_files)


def _bulk_numeric(schema: dict[str, Any]) -> BulkType | None:
    """A numeric that fits 128 bits travels in binary, but for NaN, which the reader makes 0."""
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if precision is None or not 0 <= scale <= precision <= LARGEST_PRECISION:
        return None
    return BulkType(f"{{}}::numeric({precision},{scale})", is_special="{} = 'NaN'")


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
