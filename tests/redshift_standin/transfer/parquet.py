"""Rows of Parquet files: columns by position, types exactly those of the table."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from redshift_standin.transfer.failures import (
    UnfitValueError,
    not_in_stand_in,
    spectrum_error,
)
from redshift_standin.transfer.values import check_super, json_text, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redshift_standin.transfer.copy_statement import Copy
    from redshift_standin.transfer.statement import Location
    from redshift_standin.transfer.values import TargetColumn

BATCH_BYTES = 4 * 1024 * 1024
MOST_ROWS = 4096
"""A text that is repeated takes no room in the file, and may have 64 KB in each row."""
LARGEST_SUPER = 16 * 1024 * 1024
FIRST_MOMENT, LAST_MOMENT = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)


def read_batches(
    file: IO[bytes], place: Location, copy: Copy, columns: Sequence[TargetColumn]
) -> Iterator[bytes]:
    """Read a file as CSV for PostgreSQL, some megabytes at a time.

    Args:
        file: The file, on disk.
        place: Where it is in S3.
        copy: The statement.
        columns: The columns to load, in the order of the file's.

    Raises:
        RedshiftError: it is no Parquet file, not of the table's types, or a value does not fit.
    """
    try:
        parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=65536)
    except (pa.ArrowInvalid, OSError) as error:
        file.seek(0)
        raise spectrum_error(
            f"File '{place.web_url}' has an invalid version number: {file.read(4)!r}", 15001
        ) from error
    _check_schema(parquet, place, copy, columns)
    row_bytes = sum(
        parquet.metadata.row_group(group).total_byte_size
        for group in range(parquet.metadata.num_row_groups)
    ) // max(1, parquet.metadata.num_rows)
    rows = max(1, min(MOST_ROWS, BATCH_BYTES // max(1, row_bytes)))
    try:
        for batch in parquet.iter_batches(batch_size=rows):
            yield _as_csv(batch, place, columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise spectrum_error(f"File '{place.web_url}' is corrupt: {error}", 15001) from error


def _check_schema(
    parquet: pq.ParquetFile, place: Location, copy: Copy, columns: Sequence[TargetColumn]
) -> None:
    schema = parquet.schema_arrow
    is_enough = copy.fill_record and len(schema) < len(columns)
    if len(schema) != len(columns) and not is_enough:
        raise spectrum_error(
            "Unmatched number of columns between table and file. "
            f"Table columns: {len(columns)}, Data columns: {len(schema)}, "
            f"File name: {place.web_url}"
        )
    if any(column.kind == "jsonb" for column in columns) and not copy.serialize_to_json:
        raise spectrum_error("Unreachable - Invalid type: 4000", 1000)
    for column, field in zip(columns, schema, strict=False):
        if not _is_compatible(column, field.type):
            raise spectrum_error(
                f"File '{place.web_url}' has an incompatible Parquet schema for column "
                f"'{column.name}'. Column type: {column.type.upper()}, Parquet schema: {field}"
            )
    for column in columns[len(schema) :]:
        if not column.is_nullable:
            raise _null_error(column, place)


_EXACT_TYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "date": pa.date32(),
}


def _is_compatible(column: TargetColumn, data_type: pa.DataType) -> bool:
    if column.kind in _EXACT_TYPES:
        return data_type.equals(_EXACT_TYPES[column.kind])
    if column.is_character:
        return _is_text(data_type)
    if column.kind == "numeric":
        precision, scale = column.digits
        return bool(
            pa.types.is_decimal(data_type)
            and data_type.scale == scale
            and data_type.precision <= precision
        )
    if column.kind.startswith("timestamp"):
        return bool(pa.types.is_timestamp(data_type) and data_type.unit in {"ms", "us"})
    if column.kind == "bytea":
        return bool(pa.types.is_binary(data_type) or pa.types.is_large_binary(data_type))
    return column.kind == "jsonb" and _is_serializable(data_type)


def _is_text(data_type: pa.DataType) -> bool:
    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    return bool(pa.types.is_string(data_type) or pa.types.is_large_string(data_type))


def _is_serializable(data_type: pa.DataType) -> bool:
    """Tell whether SERIALIZETOJSON can write it: bytes, and what is stored as such, it cannot."""
    if pa.types.is_nested(data_type):
        fields = (data_type.field(number) for number in range(data_type.num_fields))
        return all(_is_serializable(field.type) for field in fields)
    if isinstance(data_type, pa.BaseExtensionType):
        return isinstance(data_type, pa.JsonType)
    return not (
        pa.types.is_binary(data_type)
        or pa.types.is_large_binary(data_type)
        or pa.types.is_fixed_size_binary(data_type)
    )


def _as_csv(batch: pa.RecordBatch, place: Location, columns: Sequence[TargetColumn]) -> bytes:
    arrays = [
        _as_text(array, place, column)
        for column, array in zip(columns, batch.columns, strict=False)
    ]
    arrays += [pa.nulls(len(batch), pa.string()) for _ in columns[len(arrays) :]]
    table = pa.table(arrays, names=[str(number) for number in range(len(arrays))])
    out = io.BytesIO()
    # NULL is nothing, text is quoted, even none: as PostgreSQL tells them apart.
    options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
    pa_csv.write_csv(table, out, options)
    return out.getvalue()


def _as_text(array: Any, place: Location, column: TargetColumn) -> Any:
    """Bring an array into the form that PostgreSQL reads from CSV."""
    if array.null_count and not column.is_nullable:
        raise _null_error(column, place)
    if column.kind == "jsonb":
        return _as_json(array, place, column)
    if column.is_character:
        return _checked_text(array, place, column)
    if column.kind == "bytea":
        values = array.to_pylist()
        return pa.array([None if value is None else f"\\x{value.hex()}" for value in values])
    if pa.types.is_timestamp(array.type):
        return _moments(array, column)
    if column.kind == "date":
        _check_years(array)
    return array


def _moments(array: Any, column: TargetColumn) -> Any:
    """Write moments; those in a zone are, in the file, in UTC, and so are those without."""
    if array.type.tz is not None:
        array = array.cast(pa.timestamp(array.type.unit, tz="UTC"))
    naive = array.cast(pa.timestamp("us"))
    _check_years(naive)
    text = naive.cast(pa.string())
    if column.kind == "timestamp with time zone":
        return pc.binary_join_element_wise(text, "+00", "")
    return text


def _check_years(array: Any) -> None:
    """Refuse years that Arrow writes otherwise than PostgreSQL, or not at all."""
    is_early = pc.less(array, pa.scalar(FIRST_MOMENT, array.type))
    is_late = pc.greater(array, pa.scalar(LAST_MOMENT, array.type))
    if pc.any(pc.or_(is_early, is_late)).as_py():
        raise not_in_stand_in("days outside the years 1 to 9999 from Parquet")


def _checked_text(array: Any, place: Location, column: TargetColumn) -> Any:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    _check_utf8(array, place, column)
    lengths = pc.binary_length(array)
    longest = pc.max(lengths).as_py() or 0
    if column.kind == "character" and longest != (pc.max(pc.utf8_length(array)).as_py() or 0):
        raise spectrum_error(
            f"Multibyte character not supported for CHAR column {column.name}, "
            f"File name: {place.web_url}"
        )
    if longest > column.length:
        raise spectrum_error(
            f"The length of the data column {column.name} is longer than the length defined in "
            f"the table. Table: {column.length}, Data: {longest}, File name: {place.web_url}"
        )
    if pc.any(pc.match_substring(array, "\0")).as_py():
        raise not_in_stand_in("the character NUL in text: PostgreSQL cannot hold it")
    return array


def _check_utf8(array: Any, place: Location, column: TargetColumn) -> None:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        raise spectrum_error(
            f"String contains invalid or unsupported UTF8 codepoints in column {column.name}, "
            f"File name: {place.web_url}"
        ) from error


def _as_json(array: Any, place: Location, column: TargetColumn) -> Any:
    """Write values as JSON for SUPER.

    Text that the file declares to be JSON is taken as such; any other text becomes a string, even
    where it looks like JSON.
    """
    is_json = isinstance(array.type, pa.JsonType)
    if is_json:
        array = array.storage
    if _is_text(array.type):
        _check_utf8(array, place, column)
    texts: list[str | None] = []
    for value in array.to_pylist():
        if value is None:
            texts.append(None)
            continue
        try:
            item = read_json(value) if is_json else _json_value(value)
            check_super(item)
        except UnfitValueError as problem:
            raise spectrum_error(
                f"{problem.reason}, column {column.name}, File name: {place.web_url}"
            ) from problem
        text = json_text(item)
        if len(text.encode()) > LARGEST_SUPER:
            raise spectrum_error(f"SUPER value exceeds 16 MB in column {column.name}")
        texts.append(text)
    return pa.array(texts, pa.string())


def _json_value(value: Any) -> Any:
    """Make a nested value one that JSON has: moments become text, maps objects."""
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):
            return {str(key): _json_value(item) for key, item in value}
        return [_json_value(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else value


def _null_error(column: TargetColumn, place: Location) -> Exception:
    return spectrum_error(
        f"NULL value in not-null column {column.name}, File name: {place.web_url}"
    )
