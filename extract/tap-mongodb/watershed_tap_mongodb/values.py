"""What becomes of a BSON value: text that holds all of it."""

from __future__ import annotations

import base64
import datetime as dt
import math
from typing import Any

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS

from watershed_tap_mongodb.extended_json import canonical_json, exact_decimal

# Dates stay numbers, since Python's own end with the year 9999 and MongoDB's do not.
CODEC_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS
)

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # UTC like all BSON dates; years are put right below
_YEARS_OF_CYCLE = 400
_MS_OF_CYCLE = 146_097 * 86_400_000  # after 400 years the Gregorian calendar begins anew

# The names that MongoDB's own operator $type gives.
_TYPE_NAMES: dict[type, str] = {
    Binary: "binData",
    Code: "javascript",
    Decimal128: "decimal",
    Int64: "long",
    MaxKey: "maxKey",
    MinKey: "minKey",
    ObjectId: "objectId",
    Regex: "regex",
    Timestamp: "timestamp",
    DatetimeMS: "date",
    bool: "bool",
    bytes: "binData",
    dict: "object",
    float: "double",
    int: "int",
    list: "array",
    str: "string",
    type(None): "null",
}


def type_name(value: Any) -> str:  # noqa: ANN401  # any BSON value
    """Name a value's type as MongoDB does, e.g. ``objectId``; ``object`` for what is rare."""
    return _TYPE_NAMES.get(type(value), "object")


def identity(value: Any) -> tuple[str, str]:  # noqa: ANN401  # any BSON value
    """Write an ``_id`` as two texts that together no other ``_id`` has.

    Returns:
        The identifier (of an ObjectId its 24 hex digits, of a string or whole number itself, of
        anything else its canonical Extended JSON), and the name of its type.
    """
    name = type_name(value)
    if name in {"objectId", "string", "int", "long"}:
        return str(value), name
    return canonical_json(value), name


def iso_date(value: DatetimeMS) -> str:
    """Write a date in UTC as ISO 8601 with milliseconds: ``1969-07-20T20:17:40.000+00:00``.

    Beyond ISO's years the year has more than four digits, or stands before a ``BC`` at the end.
    """
    cycles, milliseconds = divmod(int(value), _MS_OF_CYCLE)
    moment = _EPOCH + dt.timedelta(milliseconds=milliseconds)
    year = moment.year + cycles * _YEARS_OF_CYCLE
    text = f"-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+00:00"
    return f"{year:04}{text}" if year > 0 else f"{1 - year:04}{text} BC"


def number_or_name(value: float) -> float | str:
    """JSON has no word for what is not finite: those travel as text, e.g. ``-Infinity``."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def plain_decimal(value: Decimal128) -> str:
    """Write a finite decimal with all its digits and no exponent."""
    return format(exact_decimal(value), "f")


def base64_text(value: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(value).decode()


def uuid_text(value: Binary) -> str:
    """Write a binary of subtype 4 as a UUID."""
    return str(value.as_uuid())
