"""The one text of each value, in every engine, and the digest of a row.

A row's text is that of its columns, joined by commas. NULL is ``N``; a text or JSON has its length
in bytes before it, so that no value can pass for another or for two. The others hold no
comma. A row's digest is the first 60 bits of the MD5 of its text in UTF-8; digests are summed.

==============  ================================================================================
integer         its digits
decimal         its digits, without zeros at the end of its fraction
float           against PostgreSQL its IEEE 754 bits as an integer, or ``nan``; against MySQL, which
                cannot give them, the digits of its shortest text and an exponent: 0.1 is ``1e0``;
                -0 is 0, as SQL has it
boolean, uuid   as PostgreSQL writes them
date            days since 1970, or ``infinity``
timestamp       microseconds since 1970 (in UTC where it has a zone), or ``infinity``
time, text      as it is
json            as it landed, which is as the source writes it
binary          hexadecimal digits
==============  ================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from watershed_load_plan.types import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed_load_plan.types import ColumnType

NUMBERS = {Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL}
WITH_LENGTH = {Kind.TEXT, Kind.JSON}
HEX_DIGITS = 15


def is_comparable(source: ColumnType, raw: ColumnType) -> bool:
    """Say whether a value has one text, whether it stands in the one type or the other."""
    return source.kind == raw.kind or {source.kind, raw.kind} <= NUMBERS


class Dialect(Protocol):
    """How an engine writes the texts; ``value`` is SQL of a column.

    Attributes:
        text_type: What a number is cast to, to become text.
        division: The operator that divides integers and forgets the rest.
    """

    text_type: ClassVar[str]
    division: ClassVar[str]

    def text(self, value: str, of: ColumnType) -> str:
        """SQL of a value's text; NULL for NULL."""

    def length(self, text: str) -> str:
        """SQL of a text's length in bytes, itself a text."""

    def joined(self, texts: Sequence[str]) -> str:
        """SQL that joins texts, of which none is NULL."""

    def digest(self, text: str) -> str:
        """SQL of a text's digest, a number."""

    def literal(self, text: str) -> str:
        """SQL of a text."""


def field(dialect: Dialect, value: str, of: ColumnType) -> str:
    """SQL of a column's part of a row's text."""
    text = dialect.text(value, of)
    if of.kind in WITH_LENGTH:
        text = dialect.joined([dialect.length(text), "':'", text])
    return f"coalesce({text}, 'N')"


def row_text(dialect: Dialect, columns: Sequence[tuple[str, ColumnType]]) -> str:
    """SQL of a row's text; each column is its SQL and its type."""
    parts = [part for value, of in columns for part in ("','", field(dialect, value, of))]
    return dialect.joined(parts[1:])


def _shortest(text: str) -> str:
    """SQL of DuckDB: digits and exponent of a float's shortest text."""
    mantissa = f"ltrim(split_part({text}, 'e', 1), '-')"
    whole = f"split_part({mantissa}, '.', 1)"
    digits = f"replace({mantissa}, '.', '')"
    exponent = (
        f"cast(coalesce(nullif(split_part({text}, 'e', 2), ''), '0') as integer)"
        f" + length({whole}) - length({digits}) + length(ltrim({digits}, '0'))"
    )
    return _assembled(text, f"rtrim(ltrim({digits}, '0'), '0')", f"cast({exponent} as varchar)")


def _assembled(text: str, digits: str, exponent: str) -> str:
    return (
        f"case when {digits} = '' then '0' else "
        f"case when left({text}, 1) = '-' then '-' else '' end"
        f" || {digits} || 'e' || {exponent} end"
    )


class DuckDBDialect:
    """The warehouse.

    Args:
        has_bits: Floats are their bits; else their shortest digits. PostgreSQL's shortest text
            is not always the shortest.
    """

    text_type: ClassVar[str] = "varchar"
    division: ClassVar[str] = "//"

    def __init__(self, *, has_bits: bool = True) -> None:
        self._has_bits = has_bits

    def text(self, value: str, of: ColumnType) -> str:  # one for each type
        """SQL of a value's text."""
        as_text = f"cast({value} as varchar)"
        match of.kind:
            case Kind.DECIMAL if of.scale:
                if of.scale == of.precision:  # DuckDB writes .5
                    as_text = f"regexp_replace({as_text}, '^(-?)[.]', '\\1' || '0.')"
                return f"rtrim(rtrim({as_text}, '0'), '.')"
            case Kind.DOUBLE if self._has_bits:
                bits = f"cast(cast(cast({value} + 0::double as bit) as bigint) as varchar)"
                return f"case when isnan({value}) then 'nan' else {bits} end"
            case Kind.DOUBLE:
                return _shortest(as_text)
            case Kind.DATE:
                days = f"cast({value} - date '1970-01-01' as varchar)"
                return f"case when isfinite({value}) then {days} else {as_text} end"
            case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
                moment = f"cast(epoch_us({value}) as varchar)"
                return f"case when isfinite({value}) then {moment} else {as_text} end"
            case Kind.BINARY:
                return f"lower(hex({value}))"
        return as_text

    def length(self, text: str) -> str:
        """SQL of a text's length."""
        return f"cast(strlen({text}) as varchar)"

    def joined(self, texts: Sequence[str]) -> str:
        """SQL that joins texts."""
        return "(" + " || ".join(f"({text})" for text in texts) + ")"

    def digest(self, text: str) -> str:
        """SQL of a text's digest."""
        return f"cast('0x' || left(md5({text}), {HEX_DIGITS}) as bigint)"

    def literal(self, text: str) -> str:
        """SQL of a text."""
        return "'" + text.replace("'", "''") + "'"


class PostgresDialect:
    """PostgreSQL; a value is as the tap selects it, in the tap's session."""

    text_type: ClassVar[str] = "text"
    division: ClassVar[str] = "/"

    def text(self, value: str, of: ColumnType) -> str:
        """SQL of a value's text."""
        as_text = f"({value})::text"
        match of.kind:
            case Kind.DECIMAL:
                return f"trim_scale(({value})::numeric)::text"
            case Kind.DOUBLE:
                double = f"(({value})::text::float8 + 0)"  # of a real its text, as the tap has it
                bits = f"('x' || encode(float8send({double}), 'hex'))::bit(64)::bigint::text"
                return f"case when {value} = 'NaN' then 'nan' else {bits} end"
            case Kind.DATE:
                days = f"({value} - date '1970-01-01')::text"
                return f"case when isfinite({value}) then {days} else {as_text} end"
            case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
                moment = f"(extract(epoch from {value}) * 1000000)::bigint::text"
                return f"case when isfinite({value}) then {moment} else {as_text} end"
            case Kind.BINARY:
                return f"encode({value}, 'hex')"
        return as_text

    def length(self, text: str) -> str:
        """SQL of a text's length."""
        return f"octet_length(convert_to({text}, 'UTF8'))::text"

    def joined(self, texts: Sequence[str]) -> str:
        """SQL that joins texts."""
        return "(" + " || ".join(f"({text})" for text in texts) + ")"

    def digest(self, text: str) -> str:
        """SQL of a text's digest."""
        return f"('x' || left(md5(convert_to({text}, 'UTF8')), {HEX_DIGITS}))::bit(60)::bigint"

    def literal(self, text: str) -> str:
        """SQL of a text."""
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


class MySQLDialect:
    """MySQL and MariaDB; texts are bytes in UTF-8, lest collations meet."""

    text_type: ClassVar[str] = "char"
    division: ClassVar[str] = "div"

    def text(self, value: str, of: ColumnType) -> str:  # one for each type
        """SQL of a value's text."""
        match of.kind:
            case Kind.SMALLINT | Kind.INTEGER | Kind.BIGINT:
                return f"cast({value} + 0 as char)"  # without zeros before it
            case Kind.DECIMAL if of.scale:
                zeros = f"trim(trailing '0' from cast({value} as char))"
                return f"trim(trailing '.' from {zeros})"
            case Kind.DECIMAL:
                return f"cast({value} + 0 as char)"
            case Kind.DOUBLE:
                return self._float(f"cast({value} as char)")
            case Kind.DATE:
                return f"cast(to_days({value}) - 719528 as char)"
            case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
                return f"cast(timestampdiff(microsecond, '1970-01-01', {value}) as char)"
            case Kind.BINARY:
                return f"lower(hex({value}))"
        # Else a cast to bytes would give those of which a UUID or an address is made.
        return f"cast({value} as char character set utf8mb4)"

    def length(self, text: str) -> str:
        """SQL of a text's length."""
        return f"cast(length({text}) as char)"

    def joined(self, texts: Sequence[str]) -> str:
        """SQL that joins texts."""
        return "concat(" + ", ".join(f"cast({text} as binary)" for text in texts) + ")"

    def digest(self, text: str) -> str:
        """SQL of a text's digest."""
        return f"cast(conv(left(md5({text}), {HEX_DIGITS}), 16, 10) as unsigned)"

    def literal(self, text: str) -> str:
        """SQL of a text, as its bytes."""
        return f"x'{text.encode().hex()}'"

    @staticmethod
    def _float(text: str) -> str:
        mantissa = f"trim(leading '-' from substring_index({text}, 'e', 1))"
        whole = f"substring_index({mantissa}, '.', 1)"
        digits = f"replace({mantissa}, '.', '')"
        bare = f"trim(trailing '0' from trim(leading '0' from {digits}))"
        power = f"if(locate('e', {text}), substring_index({text}, 'e', -1), '0')"
        exponent = (
            f"cast({power} as signed) + char_length({whole}) - char_length({digits})"
            f" + char_length(trim(leading '0' from {digits}))"
        )
        return (
            f"if({bare} = '', '0', "
            f"concat(if(left({text}, 1) = '-', '-', ''), {bare}, 'e', {exponent}))"
        )
