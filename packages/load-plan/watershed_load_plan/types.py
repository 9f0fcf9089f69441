"""Column types that every warehouse of ours has, and how they follow from Singer schemas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST_PRECISION = 38
"""Decimal digits that DuckDB and Redshift can hold."""

FIRST_PRECISION, FIRST_SCALE = 18, 6
"""Of a number whose source allows more digits than any warehouse holds: its values widen it."""


class Kind(StrEnum):
    """What a column holds."""

    BOOLEAN = "boolean"
    SMALLINT = "smallint"
    INTEGER = "integer"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    DOUBLE = "double"
    TEXT = "text"
    JSON = "json"
    BINARY = "binary"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    UUID = "uuid"


INTEGER_DIGITS = {Kind.SMALLINT: 5, Kind.INTEGER: 10, Kind.BIGINT: 19}
"""Decimal digits that each kind of integer needs, smallest kind first."""

_INTEGER_RANGES = {
    Kind.SMALLINT: 2**15,
    Kind.INTEGER: 2**31,
    Kind.BIGINT: 2**63,
}

_STRING_FORMATS = {
    "date": Kind.DATE,
    "time": Kind.TIME,
    "uuid": Kind.UUID,
}


@dataclass(frozen=True)
class ColumnType:
    """The type of a column; precision and scale are digits, and only decimals have them."""

    kind: Kind
    precision: int | None = None
    scale: int | None = None

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return self.kind.value

    @property
    def digits(self) -> tuple[int, int] | None:
        """Digits before and after the point; None for what is no exact number."""
        if self.kind is Kind.DECIMAL:
            assert self.precision is not None  # noqa: S101  # narrows for mypy
            assert self.scale is not None  # noqa: S101  # narrows for mypy
            return self.precision - self.scale, self.scale
        if self.kind in INTEGER_DIGITS:
            return INTEGER_DIGITS[self.kind], 0
        return None


def decimal(precision: int, scale: int) -> ColumnType:
    """Make a decimal type of so many digits, so many of them after the point."""
    return ColumnType(Kind.DECIMAL, precision, scale)


def from_json_schema(schema: Mapping[str, Any]) -> ColumnType:
    """Find the column type for one property of a Singer SCHEMA.

    Args:
        schema: For example ``{"type": ["string", "null"], "format": "date-time"}``. Beside JSON
            Schema's own words it may carry what our taps add: ``precision`` and ``scale`` with
            ``format: singer.decimal``, ``x-sql-datatype: timestamp`` for a time without zone,
            ``contentMediaType: application/json`` for a string that holds JSON.

    Returns:
        The narrowest type that holds every value the schema allows; JSON where values of
        several kinds may come.
    """
    variants = [_from_variant(variant) for variant in _variants(schema)]
    kinds = {variant.kind for variant in variants}
    if len(kinds) == 1:
        return variants[0]
    if kinds and kinds <= {*INTEGER_DIGITS, Kind.DOUBLE}:
        return ColumnType(Kind.DOUBLE)
    if kinds and not kinds & {Kind.JSON, Kind.BOOLEAN, Kind.DOUBLE, *INTEGER_DIGITS}:
        return ColumnType(Kind.TEXT)
    return ColumnType(Kind.JSON)


def _variants(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the schema once for each JSON type it allows, null left out."""
    for word in ("anyOf", "oneOf"):
        if word in schema:
            for option in schema[word]:
                yield from _variants(option)
            return
    declared = schema.get("type", ())
    for name in [declared] if isinstance(declared, str) else declared:
        if name != "null":
            yield {**schema, "type": name}


def _from_variant(schema: Mapping[str, Any]) -> ColumnType:
    match schema["type"]:
        case "boolean":
            return ColumnType(Kind.BOOLEAN)
        case "integer":
            return _from_integer(schema)
        case "number":
            return _from_number(schema)
        case "string":
            return _from_string(schema)
        case _:
            return ColumnType(Kind.JSON)


def _from_integer(schema: Mapping[str, Any]) -> ColumnType:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None or high is None:
        return ColumnType(Kind.BIGINT)
    for kind, limit in _INTEGER_RANGES.items():
        if -limit <= low and high < limit:
            return ColumnType(kind)
    digits = len(str(max(abs(int(low)), abs(int(high)))))
    return decimal(min(digits, LARGEST_PRECISION), 0)


def _from_number(schema: Mapping[str, Any]) -> ColumnType:
    step = schema.get("multipleOf")
    text = format(step, "f") if step is not None else ""
    if text.startswith("0.") and set(text[2:]) <= {"0", "1"} and text.count("1") == 1:
        scale = text.index("1") - 1
        if scale <= LARGEST_PRECISION:
            return decimal(LARGEST_PRECISION, scale)
    return ColumnType(Kind.DOUBLE)


def _from_string(schema: Mapping[str, Any]) -> ColumnType:
    string_format = schema.get("format")
    if string_format == "singer.decimal":
        precision, scale = schema.get("precision"), schema.get("scale", 0)
        if precision is None:
            return decimal(FIRST_PRECISION, FIRST_SCALE)
        if not 0 <= scale <= precision:
            return ColumnType(Kind.TEXT)
        if precision > LARGEST_PRECISION:
            return decimal(FIRST_PRECISION, min(scale, FIRST_SCALE))
        return decimal(precision, scale)
    if string_format == "date-time":
        naive = schema.get("x-sql-datatype") == "timestamp"
        return ColumnType(Kind.TIMESTAMP if naive else Kind.TIMESTAMPTZ)
    if string_format in _STRING_FORMATS:
        return ColumnType(_STRING_FORMATS[string_format])
    if schema.get("contentMediaType") == "application/json":
        return ColumnType(Kind.JSON)
    if schema.get("contentEncoding") == "base64":
        return ColumnType(Kind.BINARY)
    return ColumnType(Kind.TEXT)


def widen(current: ColumnType, incoming: ColumnType) -> ColumnType | None:
    """Find the type that a column must take to hold what it holds and what comes.

    Returns:
        The current type when it holds both, a wider type of the same family, JSON where JSON
        comes (every value has its JSON), or None when no such type exists: then the column stays
        as it is, and values that do not fit it exactly go to quarantine. A column is never
        narrowed.
    """
    if current == incoming or current.kind in {Kind.TEXT, Kind.JSON}:
        return current
    if incoming.kind is Kind.JSON:
        return incoming
    if current.digits and incoming.digits:
        whole = max(current.digits[0], incoming.digits[0])
        fraction = max(current.digits[1], incoming.digits[1])
        return _number(whole, fraction, current, incoming)
    if (current.kind, incoming.kind) == (Kind.DATE, Kind.TIMESTAMP):
        return incoming
    if (current.kind, incoming.kind) == (Kind.TIMESTAMP, Kind.DATE):
        return current
    return None


def hold_digits(current: ColumnType, whole: int, fraction: int) -> ColumnType | None:
    """Widen a number column so that it holds so many digits before and after the point."""
    if current.digits is None:
        return None
    whole, fraction = max(whole, current.digits[0]), max(fraction, current.digits[1])
    if whole + fraction > LARGEST_PRECISION:
        return None
    return decimal(whole + fraction, fraction)


def _number(whole: int, fraction: int, *candidates: ColumnType) -> ColumnType | None:
    for candidate in candidates:
        if candidate.digits == (whole, fraction):
            return candidate
    if whole + fraction > LARGEST_PRECISION:
        return None
    return decimal(whole + fraction, fraction)
