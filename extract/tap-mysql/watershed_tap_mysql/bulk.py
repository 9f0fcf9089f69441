"""A statement's rows as Arrow record batches, and what is left to do with each column of them.

Everything arrives as exactly as in a RECORD, of which :mod:`column_types` decides; here it is only
brought there by whole columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from watershed_bulk.columns import BulkColumn
from watershed_tap_mysql.cells import Cells, Moments
from watershed_tap_mysql.column_types import read_text
from watershed_tap_mysql.settings import ZeroDates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from watershed_tap.tables import Column
    from watershed_tap_mysql.packets import Field, Packets

_SMALLINT, _INTEGER, _BIGINT = 2**15, 2**31, 2**63
_MOST_DIGITS = 38  # of a decimal in DuckDB and in Redshift
_DIGITS_OF_UNSIGNED_BIGINT = 20
_DAY = 86_400_000_000  # microseconds
_EPOCH = 1970

# A date that no calendar has travels as one that no source can hold, thousands of years after the
# year 9999: this one, and behind it the impossible one's year, month, day and so on as one number.
_NO_DAY = 10_000_000  # days since 1970
_NO_MOMENT = 10**18  # microseconds since 1970
_MONTHS, _DAYS = 13, 32

_DAYS_TYPE, _NAIVE, _UTC = pa.date32(), pa.timestamp("us"), pa.timestamp("us", tz="UTC")


def bulk_column(column: Column) -> BulkColumn:
    """Say what is left to do with a column of :func:`record_batch`."""
    schema, name = column.type.schema, column.name
    field = _field_type(schema)
    if field == _DAYS_TYPE:
        return BulkColumn(name, inexact=f"{{}} >= {_date_sql('0')}", text=_text_of_day())
    if field in {_NAIVE, _UTC}:
        return _moment_column(name, column.declared_type, is_utc=field == _UTC)
    if field == pa.binary():
        return BulkColumn(name, text="to_base64({})")
    if schema.get("format") == "uuid":
        return BulkColumn(name, typed="cast({} as UUID)")
    if schema.get("format") == "singer.decimal" and schema["precision"] <= _MOST_DIGITS:
        decimal = f"DECIMAL({schema['precision']},{schema['scale']})"
        return BulkColumn(name, typed=f"cast({{}} as {decimal})")
    if schema.get("contentMediaType") == "application/json":
        return BulkColumn(name, typed="try_cast({} as JSON)", is_null_if_inexact=True)
    return BulkColumn(name)


def record_batch(
    packets: Packets, fields: Sequence[Field], columns: Sequence[Column], zero_dates: ZeroDates
) -> pa.RecordBatch:
    """Read some rows, one field per column, each of the type that :func:`bulk_column` expects.

    Raises:
        ImpossibleDateError: a column has a date that no calendar has, and that is to fail.
        pyarrow.ArrowInvalid: a column is not any more of the type that it was discovered with.
    """
    cells = Cells(packets, list(fields))
    arrays = [_array(cells.take(), column, zero_dates) for column in columns]
    return pa.record_batch(arrays, names=[column.name for column in columns])


def _array(cells: pa.Array[Any] | Moments, column: Column, zero_dates: ZeroDates) -> pa.Array[Any]:
    field = _field_type(column.type.schema)
    if isinstance(cells, Moments):
        if not pa.types.is_temporal(field):
            raise pa.ArrowInvalid(f"column {column.name!r} is a date now")
        return _moments(cells, column, field, zero_dates)
    if field == pa.string() and pa.types.is_binary(cells.type):
        return _texts(cells, column)
    return cells if cells.type == field else cells.cast(field)


def _field_type(schema: dict[str, Any]) -> pa.DataType:
    if "integer" in schema["type"]:
        return _integer_type(schema["minimum"], schema["maximum"])
    if "number" in schema["type"]:
        return pa.float64()
    if schema.get("format") == "date":
        return _DAYS_TYPE
    if schema.get("format") == "date-time":
        return _NAIVE if schema.get("x-sql-datatype") == "timestamp" else _UTC
    return pa.binary() if schema.get("contentEncoding") == "base64" else pa.string()


def _integer_type(low: int, high: int) -> pa.DataType:
    for limit, integer in (
        (_SMALLINT, pa.int16()),
        (_INTEGER, pa.int32()),
        (_BIGINT, pa.int64()),
    ):
        if -limit <= low and high < limit:
            return integer
    return pa.decimal128(_DIGITS_OF_UNSIGNED_BIGINT, 0)


def _texts(cells: pa.Array[Any], column: Column) -> pa.Array[Any]:
    if column.type.convert is not read_text:
        assert column.type.convert is not None  # noqa: S101  # for mypy: numbers were no bytes
        values = [column.type.convert(value) if value is not None else None for value in _of(cells)]
        return pa.array(values, pa.string())
    try:
        return cells.cast(pa.string())
    except pa.ArrowInvalid:  # a byte somewhere is no UTF-8
        values = [read_text(value) if value is not None else None for value in _of(cells)]
        return pa.array(values, pa.string())


def _of(cells: pa.Array[Any]) -> Iterator[bytes | None]:
    return (cell.as_py() for cell in cells)


def _moments(
    moments: Moments, column: Column, field: pa.DataType, zero_dates: ZeroDates
) -> pa.Array[Any]:
    month = (moments.year - _EPOCH) * 12 + moments.month - 1
    days = _first_day(month) + moments.day - 1
    is_none = (moments.year == 0) | (moments.month == 0) | (moments.day == 0)
    is_none |= days >= _first_day(month + 1)
    is_null = moments.is_null
    if is_null is not None:
        is_none &= ~is_null
    values = days if field == _DAYS_TYPE else days * _DAY + moments.microseconds
    if is_none.any():
        if zero_dates is ZeroDates.FAIL:
            _fail(moments, column, int(np.flatnonzero(is_none)[0]))
        if zero_dates is ZeroDates.NULL:
            is_null = is_none if is_null is None else is_null | is_none
        else:
            packed = (moments.year * _MONTHS + moments.month) * _DAYS + moments.day
            behind = _NO_DAY + packed
            if field != _DAYS_TYPE:
                behind = _NO_MOMENT + packed * _DAY + moments.microseconds
            values = np.where(is_none, behind, values)
    kind = np.int32 if field == _DAYS_TYPE else np.int64
    numbers: pa.Array[Any] = pa.array(values.astype(kind), mask=is_null)
    return numbers.cast(field)


def _first_day(month: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Days from 1970 to the first of a month, which is itself counted from January 1970."""
    return month.astype("M8[M]").astype("M8[D]").astype(np.int64)


def _fail(moments: Moments, column: Column, row: int) -> None:
    year, month, day = (int(part[row]) for part in (moments.year, moments.month, moments.day))
    text = f"{year:04}-{month:02}-{day:02}"
    if column.type.schema["format"] == "date-time":
        seconds, fraction = divmod(int(moments.microseconds[row]), 1_000_000)
        text += f" {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        digits = _fraction_digits(column.declared_type)
        text += f".{fraction:06}"[: digits + 1] if digits else ""
    assert column.type.convert is not None  # noqa: S101  # for mypy: dates are converted
    column.type.convert(text.encode())  # which raises, as it does for a RECORD


def _fraction_digits(declared_type: str) -> int:
    found = re.search(r"\((\d)\)", declared_type)
    return int(found[1]) if found else 0


def _date_sql(days: str) -> str:
    return f"(DATE '1970-01-01' + {_NO_DAY} + {days})"


def _text_of_day() -> str:
    packed = f"(({{}} - DATE '1970-01-01') - {_NO_DAY})"
    impossible = f"{{}} >= {_date_sql('0')} then {_calendar_text(packed)}"
    return f"case when {impossible} else cast({{}} as VARCHAR) end"


def _moment_column(name: str, declared_type: str, *, is_utc: bool) -> BulkColumn:
    micros = f"(epoch_us({{}}) - {_NO_MOMENT})"
    seconds = f"({micros} // 1000000)"
    clock = (
        f"printf(' %02d:%02d:%02d', {seconds} // 3600 % 24, {seconds} // 60 % 60, {seconds} % 60)"
    )
    if digits := _fraction_digits(declared_type):
        clock += f" || printf('.%0{digits}d', {micros} % 1000000 // {10 ** (6 - digits)})"
    impossible = f"{_calendar_text(f'({micros} // {_DAY})')} || {clock}"
    naive, zone = ("timezone('UTC', {})", " || '+00:00'") if is_utc else ("{}", "")
    good = f"strftime({naive}, '%Y-%m-%dT%H:%M:%S.%f'){zone}"
    is_none = f"epoch_us({{}}) >= {_NO_MOMENT}"
    return BulkColumn(
        name, inexact=is_none, text=f"case when {is_none} then {impossible} else {good} end"
    )


def _calendar_text(packed: str) -> str:
    months = f"({packed} // {_DAYS})"
    return (
        f"printf('%04d-%02d-%02d', {months} // {_MONTHS}, {months} % {_MONTHS}, {packed} % {_DAYS})"
    )
