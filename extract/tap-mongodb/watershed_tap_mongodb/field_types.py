"""The type of a field whose values agree, and JSON for one whose values do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import TYPE_CHECKING, Any

from bson import Binary, Decimal128, Int64, ObjectId
from bson.binary import UUID_SUBTYPE
from bson.datetime_ms import DatetimeMS

from watershed_tap.tables import integer_schema, text_schema
from watershed_tap_mongodb.extended_json import canonical_json, exact_decimal
from watershed_tap_mongodb.values import (
    base64_text,
    iso_date,
    number_or_name,
    plain_decimal,
    uuid_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST_PRECISION = 38
"""Decimal digits that warehouses can hold; MongoDB's decimals have 34, but at any place."""

_UUID_BYTES = 16


class Kind(StrEnum):
    """What a field's column holds; the names are those of ``$type``, as far as it has one."""

    INT = "int"
    LONG = "long"
    DOUBLE = "double"
    DECIMAL = "decimal"
    STRING = "string"
    OBJECT_ID = "objectId"
    BOOL = "bool"
    DATE = "date"
    BINARY = "binData"
    UUID = "uuid"
    JSON = "json"


_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.INT: integer_schema(-(2**31), 2**31 - 1),
    Kind.LONG: integer_schema(-(2**63), 2**63 - 1),
    Kind.DOUBLE: {"type": ["number", "null"]},
    Kind.STRING: text_schema(),
    Kind.OBJECT_ID: text_schema(),
    Kind.BOOL: {"type": ["boolean", "null"]},
    Kind.DATE: text_schema(format="date-time"),
    Kind.BINARY: text_schema(contentEncoding="base64"),
    Kind.UUID: text_schema(format="uuid"),
    Kind.JSON: text_schema(contentMediaType="application/json"),
}


def _itself(value: Any) -> Any:  # noqa: ANN401
    return value


_CONVERSIONS: dict[Kind, Callable[[Any], Any]] = {
    Kind.INT: _itself,
    Kind.LONG: int,
    Kind.DOUBLE: number_or_name,
    Kind.DECIMAL: plain_decimal,
    Kind.STRING: _itself,
    Kind.OBJECT_ID: str,
    Kind.BOOL: _itself,
    Kind.DATE: iso_date,
    Kind.BINARY: base64_text,
    Kind.UUID: uuid_text,
    Kind.JSON: canonical_json,
}


@dataclass(frozen=True, slots=True)
class FieldType:
    """How the values of one field travel.

    Attributes:
        kind: what they are.
        whole: digits before the point; only decimals have them.
        fraction: digits after it.
    """

    kind: Kind
    whole: int = 0
    fraction: int = 0

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.whole + self.fraction},{self.fraction})"
        return self.kind.value

    @classmethod
    def parse(cls, text: str | None) -> FieldType | None:
        """Read what :meth:`__str__` wrote; ``None`` for anything else."""
        found = re.fullmatch(r"decimal\((\d+),(\d+)\)", text or "")
        if found:
            precision, scale = int(found[1]), int(found[2])
            return cls(Kind.DECIMAL, precision - scale, scale)
        return PLAIN_TYPES.get(text or "")

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of a value in a RECORD."""
        if self.kind is Kind.DECIMAL:
            digits = {"precision": self.whole + self.fraction, "scale": self.fraction}
            return text_schema(format="singer.decimal") | digits
        return _SCHEMAS[self.kind]

    @property
    def convert(self) -> Callable[[Any], Any]:
        """What makes a RECORD's value of a value of this type."""
        return _CONVERSIONS[self.kind]

    def join(self, other: FieldType) -> FieldType:
        """Find the type that holds what either holds, exactly; JSON holds everything.

        Whole numbers of both widths are whole numbers, and decimals get the digits that they need;
        anything else that differs has no column in common but JSON.
        """
        if self is other or self is JSON:
            return self
        kinds = {self.kind, other.kind}
        if kinds == {Kind.INT, Kind.LONG}:
            return PLAIN_TYPES[Kind.LONG]
        if kinds == {Kind.DECIMAL}:
            digits = max(self.whole, other.whole), max(self.fraction, other.fraction)
            return self if digits == (self.whole, self.fraction) else _decimal(*digits)
        return JSON


PLAIN_TYPES: dict[str, FieldType] = {
    kind: FieldType(kind) for kind in Kind if kind is not Kind.DECIMAL
}
"""The types that have no digits; one object of each, so that they can be told by identity."""

JSON = PLAIN_TYPES[Kind.JSON]

_BY_PYTHON_TYPE = {
    int: PLAIN_TYPES[Kind.INT],
    Int64: PLAIN_TYPES[Kind.LONG],
    float: PLAIN_TYPES[Kind.DOUBLE],
    str: PLAIN_TYPES[Kind.STRING],
    ObjectId: PLAIN_TYPES[Kind.OBJECT_ID],
    bool: PLAIN_TYPES[Kind.BOOL],
    DatetimeMS: PLAIN_TYPES[Kind.DATE],
    bytes: PLAIN_TYPES[Kind.BINARY],
}


def type_of(value: Any) -> FieldType:  # noqa: ANN401  # any BSON value
    """Find the type of one value; JSON for what no column but that one holds."""
    found = _BY_PYTHON_TYPE.get(type(value))
    if found is not None:
        return found
    if isinstance(value, Decimal128):
        return _type_of_decimal(value)
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE and len(value) == _UUID_BYTES:
        return PLAIN_TYPES[Kind.UUID]
    return JSON


def types_of(values: Sequence[Any]) -> set[FieldType]:
    """Find the types of many values, as :func:`type_of` does of each; ``None`` has none."""
    found: set[FieldType] = set()
    for python_type in set(map(type, values)) - {NoneType}:
        known = _BY_PYTHON_TYPE.get(python_type)
        if known is not None:
            found.add(known)
        else:
            found.update(type_of(value) for value in values if type(value) is python_type)
    return found


def _type_of_decimal(value: Decimal128) -> FieldType:
    sign, digits, exponent = exact_decimal(value).as_tuple()
    is_negative_zero = sign == 1 and not any(digits)
    if not isinstance(exponent, int) or is_negative_zero:  # NaN, infinities
        return JSON
    return _decimal(max(len(digits) + exponent, 1), max(-exponent, 0))


def _decimal(whole: int, fraction: int) -> FieldType:
    if whole + fraction > LARGEST_PRECISION:
        return JSON
    return FieldType(Kind.DECIMAL, whole, fraction)
