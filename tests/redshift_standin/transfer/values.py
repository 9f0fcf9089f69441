"""What each type of column makes of a text, strictly: nothing is guessed, little is forgiven."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

import simplejson

from redshift_standin.transfer.failures import UnfitValueError, not_in_stand_in
from redshift_standin.transfer.moments import read_date, read_moment, read_time

if TYPE_CHECKING:
    from redshift_standin.transfer.copy_statement import Copy

Converter = Callable[[str], str | None]
"""Makes of a text what PostgreSQL reads; raises UnfitValueError."""

LONGEST_VARCHAR = 65535
DEFAULT_PRECISION = 18
INTEGERS = {
    "smallint": (2**15, "Short"),
    "integer": (2**31, "Integer"),
    "bigint": (2**63, "Long"),
}
FLOATS = {"real": (7.006492321624086e-46, 3.4028235677973366e38), "double precision": (0, math.inf)}
"""Up to where a number becomes zero, and from where on it overflows."""
LARGEST_EXPONENT = 308

TRUE_WORDS = {"t", "true", "y", "yes", "1"}
FALSE_WORDS = {"f", "false", "n", "no", "0"}

_TYPE = re.compile(r"([a-z ]+?)(?:\(([\d,]+)\))?( with(?:out)? time zone)?")
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NOT_ZERO = re.compile(r"[^eE]*[1-9]")
_ENCODER = simplejson.JSONEncoder(
    use_decimal=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_EXACT = Context(prec=100)
_REMEMBERED_MOMENTS = 4096
"""Rows of one load share moments; to read one anew takes twenty times as long."""


@dataclass(frozen=True)
class TargetColumn:
    """A column to load or unload.

    Args:
        name: Its name.
        type: As PostgreSQL's ``format_type()`` names it; ``jsonb`` is SUPER, ``bytea`` VARBYTE.
        is_nullable: Whether it may hold NULL.
    """

    name: str
    type: str
    is_nullable: bool = True

    @cached_property
    def kind(self) -> str:
        """The type without its lengths, for example ``numeric`` or ``character varying``."""
        return self._parts[0]

    @cached_property
    def length(self) -> int:
        """The most bytes of a character type."""
        sizes = self._parts[1]
        return sizes[0] if sizes else (1 if self.kind == "character" else LONGEST_VARCHAR)

    @cached_property
    def digits(self) -> tuple[int, int]:
        """Precision and scale of a numeric type."""
        sizes = (*self._parts[1], 0)
        return (sizes[0], sizes[1]) if self._parts[1] else (DEFAULT_PRECISION, 0)

    @cached_property
    def is_character(self) -> bool:
        """Whether it holds text, so that an empty field is no NULL."""
        return self.kind in {"character varying", "character", "text"}

    @property
    def _parts(self) -> tuple[str, tuple[int, ...]]:
        match = _TYPE.fullmatch(self.type)
        if not match:
            raise not_in_stand_in(f"columns of type {self.type}")
        sizes = tuple(int(size) for size in match[2].split(",")) if match[2] else ()
        return match[1] + (match[3] or ""), sizes


def converter(column: TargetColumn, copy: Copy) -> Converter:
    """Choose how a column's texts are read.

    Raises:
        RedshiftError: the stand-in has no such type.
    """
    kind = column.kind
    if column.is_character:
        return partial(_read_text, column=column, copy=copy)
    if kind in INTEGERS:
        limit, name = INTEGERS[kind]
        return partial(_read_integer, limit=limit, name=name)
    if kind in FLOATS:
        return partial(_read_float, limits=FLOATS[kind])
    if kind in {"date", "timestamp without time zone", "timestamp with time zone"}:
        read = _moment_reader(kind, copy)
        return partial(_read_any_date, read=read) if copy.accept_any_date else read
    others: dict[str, Converter] = {
        "numeric": partial(_read_decimal, column=column, is_rounded=copy.round_decimals),
        "boolean": _read_boolean,
        "time without time zone": partial(read_time, has_zone=False),
        "time with time zone": partial(read_time, has_zone=True),
        "jsonb": _read_super,
        "bytea": _read_bytes,
    }
    if kind not in others:
        raise not_in_stand_in(f"columns of type {column.type}")
    return others[kind]


def check_null(column: TargetColumn, value: str | None) -> str | None:
    """Refuse NULL in a column that may not hold it; give back anything else.

    Raises:
        UnfitValueError: of that column.
    """
    if value is None and not column.is_nullable:
        raise UnfitValueError(1213, "Missing data for not-null field").of(column, "")
    return value


def _moment_reader(kind: str, copy: Copy) -> Converter:
    has_zone = kind == "timestamp with time zone"
    read: Converter = partial(read_moment, time_format=copy.time_format, has_zone=has_zone)
    if kind == "date":
        read = partial(read_date, date_format=copy.date_format)
    return lru_cache(_REMEMBERED_MOMENTS)(read)


def _read_any_date(text: str, read: Converter) -> str | None:
    try:
        return read(text)
    except UnfitValueError:
        return None


def _read_text(text: str, column: TargetColumn, copy: Copy) -> str:
    if copy.trim_blanks and column.kind == "character varying":
        text = text.rstrip()
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        text = _replace_invalid(text, copy.accept_invalid_characters, error)
        encoded = text.encode()
    if "\0" in text:
        raise not_in_stand_in("the character NUL in text: PostgreSQL cannot hold it")
    if column.kind == "character" and not text.isascii():
        raise UnfitValueError(
            1220,
            "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: "
            + next(character for character in text if not character.isascii()).encode().hex(" "),
        )
    if len(encoded) > column.length:
        if copy.truncate_columns:
            return encoded[: column.length].decode(errors="ignore")
        what = "Char" if column.kind == "character" else "String"
        raise UnfitValueError(1204, f"{what} length exceeds DDL length")
    return text


def _replace_invalid(text: str, replacement: str | None, error: UnicodeEncodeError) -> str:
    """Deal with bytes that are no UTF-8: each came as half a surrogate pair."""
    if replacement is None:
        byte = ord(text[error.start]) & 0xFF
        raise UnfitValueError(
            1220,
            "String contains invalid or unsupported UTF8 codepoints. "
            f"Bad UTF8 hex sequence: {byte:x} (error 3)",
        ) from error
    return re.sub("[\ud800-\udfff]", replacement, text)


def _read_integer(text: str, limit: int, name: str) -> str:
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        raise _invalid_digit(text, r"[+-]?\d*", name)
    if not -limit <= int(text) < limit:
        raise UnfitValueError(1222, f"Overflow, Value '{text}', Type: {name}")
    return text


def _invalid_digit(text: str, valid: str, name: str) -> UnfitValueError:
    """Say where digits end that should not; beyond the text it is a digit that is missing."""
    match = re.match(valid, text, re.ASCII)
    position = match.end() if match else 0
    return UnfitValueError(
        1207,
        f"Invalid digit, Value '{text[position : position + 1]}', Pos {position}, Type: {name}",
    )


def _read_decimal(text: str, column: TargetColumn, *, is_rounded: bool) -> str:
    """Read a decimal; digits beyond the scale are cut off, as Redshift does unless ROUNDEC."""
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        raise _invalid_digit(text, r"[+-]?\d*\.?\d*", "Decimal")
    precision, scale = column.digits
    rounding = ROUND_HALF_UP if is_rounded else ROUND_DOWN
    number = Decimal(text)
    if number.adjusted() > precision - scale and number:
        raise UnfitValueError(1204, "Numeric data overflow (result precision)")
    number = number.quantize(Decimal(1).scaleb(-scale), rounding, _EXACT)
    if number and number.adjusted() >= precision - scale:
        raise UnfitValueError(1204, "Numeric data overflow (result precision)")
    return f"{number:f}"


def _read_float(text: str, limits: tuple[float, float]) -> str:
    text = text.strip()
    if text.lower() in {"nan", "infinity", "-infinity"}:
        return text
    if not _FLOAT.fullmatch(text):
        raise UnfitValueError(1208, "Invalid float format or value")
    if not limits[0] < abs(float(text)) < limits[1] and _NOT_ZERO.match(text):
        raise UnfitValueError(1208, "Float value is out of range")
    return text


def _read_boolean(text: str) -> str:
    word = text.strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise UnfitValueError(1210, "Unknown boolean format")
    return "t" if word in TRUE_WORDS else "f"


def _read_super(text: str) -> str:
    check_super(read_json(text))
    return text


def read_json(text: str) -> object:
    """Read JSON, its numbers exactly.

    Raises:
        UnfitValueError: it is not well-formed.
    """
    try:
        return simplejson.loads(text, use_decimal=True, allow_nan=False)
    except simplejson.JSONDecodeError as error:
        if error.msg.startswith("Extra data"):
            reason = "Format with multiple values without array or object"
        else:
            reason = f"Invalid JSON: {error.msg}"
        raise UnfitValueError(1224, reason) from error
    except (RecursionError, ValueError) as error:
        raise UnfitValueError(
            1224, "Invalid JSON: nested too deeply, or too many digits"
        ) from error


def check_super(value: object) -> None:
    """Refuse what SUPER cannot hold.

    Raises:
        UnfitValueError: a string in it is no UTF-8, or longer than a VARCHAR can be.
        RedshiftError: PostgreSQL cannot hold it.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
            waiting.extend(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            _check_super_text(item)
        elif isinstance(item, Decimal) and abs(item.adjusted()) > LARGEST_EXPONENT:
            raise UnfitValueError(1224, "Number is out of range")


def _check_super_text(text: str) -> None:
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise UnfitValueError(
            1220, "String contains invalid or unsupported UTF8 codepoints."
        ) from error
    if length > LONGEST_VARCHAR:
        raise UnfitValueError(1224, f"String value exceeds the max size of {LONGEST_VARCHAR} bytes")
    if "\0" in text:
        raise not_in_stand_in("the character NUL in SUPER: PostgreSQL cannot hold it")


def json_text(value: object) -> str:
    """Write JSON without blanks, as Redshift shows it."""
    return _ENCODER.encode(value)


def _read_bytes(text: str) -> str:
    try:
        return "\\x" + bytes.fromhex(text).hex()
    except ValueError as error:
        raise UnfitValueError(1219, "Invalid hexadecimal digit in VARBYTE") from error
