"""SQL that reads a text as a type exactly, or as NULL.

DuckDB's own casts round ('5.4' as an integer is 5), cut ('2024-01-01 10:00' as a date) and forgive
(' 5', '1_000'). Here a text is matched first, so that only what the type holds to the last digit
passes. The SQL is DuckDB's, because DuckDB reads every batch, whatever the warehouse is.
"""

from __future__ import annotations

from watershed_load_plan.duckdb_types import to_duckdb
from watershed_load_plan.types import INTEGER_DIGITS, ColumnType, Kind

# No calendar has a year 0, MySQL has: DuckDB would make 1 BC of it.
_YEAR = r"([1-9][0-9]{3,6}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DATE = _YEAR + r"-[0-9]{2}-[0-9]{2}( [(]BC[)])?"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?"
_ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2}(:[0-9]{2})?)?)?"
_MIDNIGHT = r"([T ]00:00(:00([.]0+)?)?(Z|[+]00(:?00)?)?)?"
_FOREVER = r"-?infinity"

_SHAPES = {
    Kind.DATE: f"{_DATE}{_MIDNIGHT}|{_FOREVER}",
    Kind.TIME: _CLOCK,
    Kind.TIMESTAMP: f"{_DATE}([T ]{_CLOCK})?|{_FOREVER}",
    Kind.TIMESTAMPTZ: f"{_DATE}([T ]{_CLOCK}{_ZONE})?|{_FOREVER}",
    Kind.UUID: r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}
_ERAS = {Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}


def exact(text: str, column_type: ColumnType) -> str:
    """Write the SQL that turns a text expression into a value of a type.

    Args:
        text: An SQL expression of type VARCHAR.
        column_type: What it shall become.

    Returns:
        An SQL expression: the value, or NULL where the text is NULL or does not hold one exactly.
    """
    target = to_duckdb(column_type)
    match column_type.kind:
        case Kind.TEXT:
            return text
        case Kind.JSON:
            return f"case when json_valid({text}) then cast({text} as JSON) end"
        case Kind.BINARY:
            return f"try(from_base64({text}))"
        case Kind.BOOLEAN:
            return f"case {text} when 'true' then true when 'false' then false end"
        case Kind.DOUBLE:
            return _double(text)
        case Kind.DECIMAL:
            shape = rf"[+-]?[0-9]+([.][0-9]{{0,{column_type.scale}}}0*)?"
        case kind if kind in INTEGER_DIGITS:
            shape = r"[+-]?[0-9]+([.]0*)?"
        case kind:
            shape = _SHAPES[kind]
            text = _era_before_clock(text) if kind in _ERAS else text
    return f"case when regexp_full_match({text}, '{shape}') then try_cast({text} as {target}) end"


def as_json(value: str, column_type: ColumnType) -> str:
    """Write the SQL that turns a value of a type into JSON from which it can be had exactly.

    What JSON has no word for becomes a JSON string: the text from which `exact` reads it.
    """
    text = f"cast({value} as VARCHAR)"
    if column_type.kind is Kind.BINARY:
        text = f"to_base64({value})"
    elif column_type.kind is Kind.TIMESTAMPTZ:  # as text it depends on the session's time zone
        # DuckDB's own conversion to UTC is a millisecond off after the year 285,000.
        utc = f"cast(make_timestamp(epoch_us({value})) as VARCHAR) || '+00:00'"
        text = f"(case when isfinite({value}) then {utc} else {text} end)"
    return f"cast({as_json_text(text, column_type)} as JSON)"


def as_json_text(text: str, column_type: ColumnType) -> str:
    """Do the same with the text of a value of that type; what is none stays no JSON."""
    string = f"cast(to_json({text}) as VARCHAR)"
    if column_type.kind is Kind.DOUBLE:
        return f"case when {_is_special(text)} then {string} else {text} end"
    if column_type.digits or column_type.kind in {Kind.BOOLEAN, Kind.JSON}:
        return text
    return string


def _era_before_clock(text: str) -> str:
    """PostgreSQL writes ``0044-03-15 10:00:00 BC``, DuckDB ``0044-03-15 (BC) 10:00:00``."""
    moved = rf"regexp_replace({text}, '^([0-9-]+)(.*) BC$', '\1 (BC)\2')"
    return f"(case when ends_with({text}, ' BC') then {moved} else {text} end)"


def _double(text: str) -> str:
    """A decimal text is a double exactly when the double's shortest form has the same digits."""
    value = f"try_cast({text} as DOUBLE)"
    number = rf"regexp_full_match({text}, '[+-]?[0-9]+([.][0-9]*)?([eE][+-]?[0-9]+)?')"
    same = f"{_digits(text)} = {_digits(f'cast({value} as VARCHAR)')}"
    return f"case when {_is_special(text)} or ({number} and {same}) then {value} end"


def _is_special(text: str) -> str:
    return f"regexp_full_match({text}, '(?i)nan|[+-]?inf(inity)?')"


def _digits(number: str) -> str:
    """The significant digits: no sign, point, exponent, nor zeros at either end."""
    mantissa = f"regexp_replace({number}, '[eE].*$|[+.-]', '', 'g')"
    return f"trim({mantissa}, '0')"
