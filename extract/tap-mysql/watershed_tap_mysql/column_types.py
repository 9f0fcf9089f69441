"""How each type of MySQL and MariaDB travels: its JSON schema, how it is selected and decoded.

The source writes each value as text, or as bytes where they are the value; nothing of a driver
stands between, which would round, shift or refuse. See the table in this package's README.
"""

from __future__ import annotations

import binascii
import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from watershed_tap.tables import ColumnType, integer_schema, text_schema
from watershed_tap_mysql.settings import ZeroDates

if TYPE_CHECKING:
    from collections.abc import Callable

_BITS_OF_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_BINARIES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"}
_GEOMETRIES = {
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
}
# Bytes of these are UTF-8, or broken; the server would replace broken ones by question marks.
_UTF8 = {"utf8", "utf8mb3", "utf8mb4", "ascii"}
_NUMBER = {"type": ["number", "null"]}
_EWKB_HAS_SRID = 0x20000000


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """A column's type as ``information_schema.columns`` has it.

    Attributes:
        name: e.g. ``bigint``.
        full: e.g. ``bigint(20) unsigned zerofill``.
        character_set: of a text.
        precision: decimal digits, or the bits of a ``bit``.
        scale: decimal digits after the point.
        is_json: MariaDB's ``json``, a ``longtext`` that a constraint checks.
    """

    name: str
    full: str
    character_set: str | None
    precision: int | None
    scale: int | None
    is_json: bool


class ImpossibleDateError(ValueError):
    """A column holds a date that no calendar has."""


def column_type(column: str, declared: DeclaredType, zero_dates: ZeroDates) -> ColumnType:
    """Decide how a column travels.

    Args:
        column: its name, for errors.
        declared: its type.
        zero_dates: what to do with dates that no calendar has.
    """
    text = _text_expression(declared.character_set)
    if declared.is_json or declared.name == "json":
        return ColumnType(text_schema(contentMediaType="application/json"), text, read_text)
    if declared.name in _BITS_OF_INTEGERS:
        return ColumnType(_integer(declared), convert=int)
    if declared.name in _MOMENTS:
        schema, read = _MOMENTS[declared.name]
        return ColumnType(schema, convert=_reader(column, read, zero_dates))
    others = {
        "bit": ColumnType(
            integer_schema(0, 2 ** (declared.precision or 1) - 1), "cast({} as unsigned)", int
        ),
        "decimal": _decimal(declared),
        "double": ColumnType(_NUMBER, convert=float),
        # As text a float has only six digits; as a double all that it holds.
        "float": ColumnType(_NUMBER, "{} * 1e0", float),
        # It may be negative, or longer than a day.
        "time": ColumnType(text_schema(), "cast({} as char)", read_text),
        "uuid": ColumnType(text_schema(format="uuid"), convert=read_text),
        "year": ColumnType(integer_schema(0, 2155), convert=int),
        **dict.fromkeys(
            _BINARIES, ColumnType(text_schema(contentEncoding="base64"), "{}", _base64)
        ),
        **dict.fromkeys(_GEOMETRIES, ColumnType(text_schema(), "{}", ewkb_hex)),
    }
    # Else texts, enum, set; inet6 and the like.
    return others.get(declared.name, ColumnType(text_schema(), text, read_text))


def ewkb_hex(value: bytes) -> str:
    """Write a geometry as PostGIS does: hexadecimal WKB, with its SRID unless that is 0.

    Args:
        value: MySQL's own storage, which is 4 bytes of SRID and then WKB, always x before y.
    """
    srid, order, kind, rest = value[:4], value[4:5], value[5:9], value[9:]
    if int.from_bytes(srid, "little"):
        kind = (int.from_bytes(kind, "little") | _EWKB_HAS_SRID).to_bytes(4, "little") + srid
    return (order + kind + rest).hex().upper()


def _integer(declared: DeclaredType) -> dict[str, Any]:
    bits = _BITS_OF_INTEGERS[declared.name]
    if "unsigned" in declared.full:
        return integer_schema(0, 2**bits - 1)
    return integer_schema(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _decimal(declared: DeclaredType) -> ColumnType:
    schema: dict[str, Any] = text_schema(format="singer.decimal")
    schema |= {"precision": declared.precision, "scale": declared.scale}
    if "zerofill" in declared.full:
        return ColumnType(schema, convert=lambda value: format(Decimal(value.decode()), "f"))
    return ColumnType(schema, convert=read_text)


def _text_expression(character_set: str | None) -> str:
    r"""SQL that gives a text as UTF-8, whatever it is stored in.

    Every byte means something in latin1, the server's name for Windows-1252. In other sets a byte
    may mean nothing: a value that does not survive the way there and back comes as ``\x`` and all
    its bytes in hexadecimal.
    """
    if character_set is None or character_set in _UTF8:
        return "{}"
    converted = "convert({0} using utf8mb4)"
    if character_set == "latin1":
        return converted
    back = f"cast(convert({converted} using {character_set}) as binary)"
    return (
        f"case when {back} <> cast({{0}} as binary)"
        f" then concat(_utf8mb4 0x5c78, hex({{0}})) else {converted} end"
    )


def read_text(value: bytes) -> str:
    r"""Read UTF-8; a byte that is none is written as ``\xff``: neither lost nor hidden."""
    return value.decode("utf-8", "backslashreplace")


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def _date(text: str) -> str:
    return dt.date.fromisoformat(text).isoformat()


def _datetime(text: str) -> str:
    return dt.datetime.fromisoformat(text).isoformat(timespec="microseconds")


def _timestamp(text: str) -> str:
    return _datetime(text) + "+00:00"


_MOMENTS: dict[str, tuple[dict[str, Any], Callable[[str], str]]] = {
    "date": (text_schema(format="date"), _date),
    "datetime": (text_schema(format="date-time") | {"x-sql-datatype": "timestamp"}, _datetime),
    "timestamp": (text_schema(format="date-time"), _timestamp),
}


def _reader(
    column: str, read: Callable[[str], str], zero_dates: ZeroDates
) -> Callable[[bytes], str | None]:
    def convert(value: bytes) -> str | None:
        text = value.decode()
        try:
            return read(text)
        except ValueError as error:
            if zero_dates is ZeroDates.FAIL:
                raise ImpossibleDateError(f"column {column!r} holds {text!r}") from error
            return None if zero_dates is ZeroDates.NULL else text

    return convert
