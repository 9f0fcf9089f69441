"""For tests: reads canonical Extended JSON v2 by its specification, with nothing of its writer."""

from __future__ import annotations

import base64
import json
import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

if TYPE_CHECKING:
    from collections.abc import Callable

Told = tuple[str, Any]
"""Name of a BSON type, and the value in a form that == compares bit for bit."""

_INT32 = range(-(2**31), 2**31)


class Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in their order."""


def told_by_json(text: str) -> Told:
    """What a text in canonical Extended JSON says.

    Raises:
        ValueError: it is no JSON, or not canonical.
    """
    return _told(json.loads(text, object_pairs_hook=Pairs))


def told_by_bson(value: Any) -> Told:
    """The same of a value as it was written into the source."""
    return _BY_BSON[type(value)](value)


def _told(value: Any) -> Told:
    match value:
        case None:
            return "null", None
        case bool():
            return "bool", value
        case str():
            return "string", value
        case Pairs():
            return _told_by_members(value)
        case list():
            return "array", [_told(item) for item in value]
    raise ValueError(f"a bare number is not canonical: {value!r}")


def _told_by_members(members: Pairs) -> Told:
    match members:
        case [(name, value)] if name in _BY_WORD:
            return _BY_WORD[name](value)
        case [("$date", [("$numberLong", text)])]:
            return "date", int(text)
        case [("$binary", [("base64", text), ("subType", subtype)])]:
            return "binData", (int(subtype, 16), base64.b64decode(text, validate=True))
        case [("$timestamp", [("t", seconds), ("i", ordinal)])]:
            return "timestamp", (seconds, ordinal)
        case [("$regularExpression", [("pattern", pattern), ("options", options)])]:
            return "regex", (pattern, options)
    return "object", [(name, _told(value)) for name, value in members]


def _bits(value: float) -> bytes:
    """NaN has many forms in binary; Extended JSON has one."""
    return b"NaN" if value != value else struct.pack(">d", value)  # noqa: PLR0124  # that is NaN


def _decimal(value: Decimal) -> str:
    return "NaN" if value.is_nan() else str(value)


def _regex_options(value: Regex[str]) -> str:
    letters = {2: "i", 4: "l", 8: "m", 16: "s", 32: "u", 64: "x"}
    return "".join(letter for flag, letter in letters.items() if value.flags & flag)


_BY_WORD: dict[str, Callable[[Any], Told]] = {
    "$numberInt": lambda text: ("int", int(text)),
    "$numberLong": lambda text: ("long", int(text)),
    "$numberDouble": lambda text: ("double", _bits(float(text))),
    "$numberDecimal": lambda text: ("decimal", _decimal(Decimal(text))),
    "$oid": lambda text: ("objectId", bytes.fromhex(text)),
    "$code": lambda text: ("javascript", text),
    "$minKey": lambda one: ("minKey", one),
    "$maxKey": lambda one: ("maxKey", one),
}
_BY_BSON: dict[type, Callable[[Any], Told]] = {
    type(None): lambda value: ("null", value),
    bool: lambda value: ("bool", value),
    int: lambda value: ("int" if value in _INT32 else "long", value),
    Int64: lambda value: ("long", int(value)),
    float: lambda value: ("double", _bits(value)),
    Decimal128: lambda value: ("decimal", _decimal(value.to_decimal())),
    str: lambda value: ("string", value),
    Code: lambda value: ("javascript", str(value)),
    ObjectId: lambda value: ("objectId", value.binary),
    DatetimeMS: lambda value: ("date", int(value)),
    bytes: lambda value: ("binData", (0, value)),
    Binary: lambda value: ("binData", (value.subtype, bytes(value))),
    Timestamp: lambda value: ("timestamp", (value.time, value.inc)),
    Regex: lambda value: ("regex", (value.pattern, _regex_options(value))),
    MinKey: lambda _: ("minKey", 1),
    MaxKey: lambda _: ("maxKey", 1),
    list: lambda value: ("array", [told_by_bson(item) for item in value]),
    dict: lambda value: ("object", [(name, told_by_bson(item)) for name, item in value.items()]),
}
