"""The files that one slice of an UNLOAD writes, each no larger than the statement allows."""

from __future__ import annotations

import io
import re
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.failures import not_in_stand_in
from redshift_standin.transfer.statement import Compression, Format
from redshift_standin.transfer.unload_statement import MEGABYTE
from redshift_standin.transfer.values import json_text, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redshift_standin.transfer.unload_statement import Unload
    from redshift_standin.transfer.values import TargetColumn

ROWS_AT_ONCE = 4096
"""After so many rows a file's size is looked at."""
ROW_GROUP_BYTES = 32 * MEGABYTE
EXTENSIONS = {
    None: "",
    Compression.GZIP: ".gz",
    Compression.BZIP2: ".bz2",
    Compression.ZSTD: ".zst",
}


@dataclass(frozen=True)
class WrittenFile:
    """A file in S3; ``size`` in bytes, ``records`` with the header if there is one."""

    url: str
    size: int
    records: int


class _KeptOpen(io.RawIOBase):
    """A file that stays open when who compresses into it is done."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)


class SliceFiles(ABC):
    """Writes rows to a local file, and that to S3 when it is full."""

    def __init__(
        self, unload: Unload, columns: Sequence[TargetColumn], number: int, s3: Any
    ) -> None:
        self._unload = unload
        self._columns = columns
        self._slice = number
        self._s3 = s3
        self._local: IO[bytes] | None = None
        self._records = 0
        self._written: list[WrittenFile] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Write rows, all columns text; begin another file where one is full."""
        for start in range(0, len(batch), ROWS_AT_ONCE):
            rows = batch.slice(start, ROWS_AT_ONCE)
            if self._local is None:
                self._local = tempfile.TemporaryFile()  # noqa: SIM115  # `_upload` closes it
                self._records = 0
                self._begin(self._local)
            self._add(rows)
            self._records += len(rows)
            if self._local.tell() >= self._largest_size():
                self._upload()

    def close(self) -> list[WrittenFile]:
        """Write what is left; list all files."""
        if self._local is not None:
            self._upload()
        return self._written

    def discard(self) -> None:
        """Forget what is not yet in S3, if anything is."""
        if self._local is not None:
            self._local.close()

    def _upload(self) -> None:
        assert self._local is not None  # narrows for mypy
        self._end()
        size = self._local.seek(0, 2)
        self._local.seek(0)
        target = self._unload.target
        key = target.key + self._name(len(self._written))
        with self._local:
            self._s3.upload_fileobj(self._local, target.bucket, key)
        self._local = None
        self._written.append(WrittenFile(f"s3://{target.bucket}/{key}", size, self._records))

    def _name(self, part: int) -> str:
        if not self._unload.is_parallel:
            return f"{part:03}{self._extension()}"
        return f"{self._slice:04}_part_{part:02}{self._extension()}"

    def _largest_size(self) -> int:
        return self._unload.max_file_size

    @abstractmethod
    def _extension(self) -> str: ...

    @abstractmethod
    def _begin(self, local: IO[bytes]) -> None: ...

    @abstractmethod
    def _add(self, rows: pa.RecordBatch) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...


class TextFiles(SliceFiles):
    """Writes CSV or delimited text."""

    _out: Any

    def _extension(self) -> str:
        return EXTENSIONS[self._unload.compression]

    def _begin(self, local: IO[bytes]) -> None:
        self._out = local
        if self._unload.compression:
            sink = pa.PythonFile(_KeptOpen(local), mode="w")
            self._out = pa.CompressedOutputStream(sink, self._unload.compression.value)
        if self._unload.has_header:
            header = [self._field(column.name) for column in self._columns]
            self._out.write((self._unload.delimiter.join(header) + "\n").encode())
            self._records += 1

    def _add(self, rows: pa.RecordBatch) -> None:
        fields = [
            [self._value(column, value) for value in array.to_pylist()]
            for column, array in zip(self._columns, rows.columns, strict=True)
        ]
        lines = (self._unload.delimiter.join(row) + "\n" for row in zip(*fields, strict=True))
        self._out.write("".join(lines).encode())

    def _end(self) -> None:
        if self._unload.compression:
            self._out.close()

    def _value(self, column: TargetColumn, value: str | None) -> str:
        if column.kind == "jsonb":
            # SUPER has a null of its own, whatever NULL AS says.
            return self._field("null" if value is None else json_text(read_json(value)))
        if value is None:
            return self._unload.null_as
        return self._field(value.removeprefix("\\x") if column.kind == "bytea" else value)

    def _field(self, text: str) -> str:
        unload = self._unload
        if unload.format is Format.CSV:
            if text and not re.search(rf'["\r\n{re.escape(unload.delimiter)}]', text):
                return text
            return '"' + text.replace('"', '""') + '"'
        if unload.is_escaped:
            quotes = "\"'" if unload.add_quotes else ""
            special = re.escape(f"\n\r\\{unload.delimiter}{quotes}")
            text = re.sub(rf"([{special}])", r"\\\1", text)
        return f'"{text}"' if unload.add_quotes else text


class ParquetFiles(SliceFiles):
    """Writes Parquet, typed, compressed by Snappy."""

    _writer: pq.ParquetWriter

    def __init__(
        self, unload: Unload, columns: Sequence[TargetColumn], number: int, s3: Any
    ) -> None:
        super().__init__(unload, columns, number, s3)
        self._schema = pa.schema([(column.name, _parquet_type(column)) for column in columns])

    def _extension(self) -> str:
        return ".parquet"

    def _largest_size(self) -> int:
        """Files hold whole row groups."""
        groups = self._unload.max_file_size // ROW_GROUP_BYTES
        return groups * ROW_GROUP_BYTES or self._unload.max_file_size

    def _begin(self, local: IO[bytes]) -> None:
        self._writer = pq.ParquetWriter(local, self._schema, compression="snappy", version="1.0")

    def _add(self, rows: pa.RecordBatch) -> None:
        arrays = [
            _typed(array, column) for array, column in zip(rows.columns, self._columns, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def _end(self) -> None:
        self._writer.close()


def _parquet_type(column: TargetColumn) -> pa.DataType:
    types: dict[str, pa.DataType] = {
        "boolean": pa.bool_(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "timestamp without time zone": pa.timestamp("us"),
        # Redshift leaves the zone out: what is written is the moment in UTC.
        "timestamp with time zone": pa.timestamp("us"),
        "jsonb": pa.json_(pa.string()),
    }
    if column.is_character:
        return pa.string()
    if column.kind == "numeric":
        return pa.decimal128(*column.digits)
    if column.kind == "bytea":
        raise RedshiftError("VARBYTE columns can only be unloaded to text or CSV")
    if column.kind not in types:
        raise not_in_stand_in(f"UNLOAD of {column.type} to Parquet")
    return types[column.kind]


def _typed(array: Any, column: TargetColumn) -> Any:
    """Make values of the text that PostgreSQL writes."""
    data_type = _parquet_type(column)
    if isinstance(data_type, pa.JsonType):
        texts = [None if text is None else json_text(read_json(text)) for text in array.to_pylist()]
        return pa.ExtensionArray.from_storage(data_type, pa.array(texts, pa.string()))
    if pa.types.is_boolean(data_type):
        return pc.equal(array, pa.scalar("t"))
    if column.kind == "timestamp with time zone":
        array = array.cast(pa.timestamp("us", tz="UTC"))
    return array.cast(data_type)
