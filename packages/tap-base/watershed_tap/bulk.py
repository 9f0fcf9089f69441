"""The bulk path: a stream's rows as Parquet files, each followed by a STATE; no row in Python."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from watershed_bulk import ROW_GROUP
from watershed_tap.exceptions import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from singer_sdk.helpers._batch import BaseBatchFileEncoding

    from watershed_bulk.folder import BatchFolder
    from watershed_bulk.writer import BatchWriter

MEGABYTE = 2**20
_VALUE_BYTES = 8


class SchemaChange:
    """Stands between record batches where the stream will write a new SCHEMA before the next one.

    What came before it is sent first.
    """


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """How rows become files, and how gently they are read.

    Attributes:
        root: the folder that tap and target share; ``None`` sends RECORDs.
        file_bytes: of rows in memory that make a file; on disk it is a fraction of that.
        waiting_bytes: of files that may wait for the target; 0 means any.
        rows_per_second: read no faster, on average; ``None`` means as fast as it goes.
        bytes_per_second: the same, counted in memory.
    """

    root: Path | None
    file_bytes: int
    waiting_bytes: int
    rows_per_second: int | None
    bytes_per_second: int | None

    @property
    def is_throttled(self) -> bool:
        """Whether there is a speed that must not be passed."""
        return bool(self.rows_per_second or self.bytes_per_second)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BulkSettings:
        """Take over a config that ``check_config`` found nothing wrong with.

        Raises:
            SetupError: ``batch_config`` asks for what we do not write.
        """
        batch = config.get("batch_config")
        return cls(
            root=None if not batch else _local_root(batch),
            file_bytes=config["batch_file_megabytes"] * MEGABYTE,
            waiting_bytes=config["batch_waiting_megabytes"] * MEGABYTE,
            rows_per_second=config.get("throttle_rows_per_second"),
            bytes_per_second=config.get("throttle_bytes_per_second"),
        )


def _local_root(batch: Mapping[str, Any]) -> Path:
    encoding, root = batch.get("encoding") or {}, (batch.get("storage") or {}).get("root", "")
    address = urlparse(root)
    if encoding.get("format") != "parquet" or encoding.get("compression") not in {None, "none"}:
        raise SetupError(
            "setting batch_config.encoding: only {format: parquet} without compression is written "
            "(the files are compressed inside): correct it, or remove batch_config to send RECORDs"
        )
    if address.scheme not in {"file", ""} or not address.path.startswith("/"):
        raise SetupError(
            "setting batch_config.storage.root: it must be a file:// address of a folder on this "
            "machine that the target can read too"
        )
    return Path(unquote(address.path))


_BURST_SECONDS = 1.0
_SHORTEST_WAIT_SECONDS = 0.01
"""A shorter one is added to the next, for each costs some work."""


class Throttle:
    """Lets so many rows and bytes pass a second.

    What passes waits until what passed before has taken its time. Time that went by unused counts
    for a second at most: no burst follows a pause.
    """

    def __init__(self, settings: BulkSettings) -> None:
        self._limits = (settings.rows_per_second, settings.bytes_per_second)
        self._free_at = time.monotonic()

    def pass_on(self, rows: int, size: int) -> None:
        """Wait until these may pass."""
        if (wait := self._free_at - time.monotonic()) > _SHORTEST_WAIT_SECONDS:
            time.sleep(wait)
        takes = max(n / of if of else 0.0 for n, of in zip((rows, size), self._limits, strict=True))
        self._free_at = max(self._free_at, time.monotonic() - _BURST_SECONDS) + takes

    def pass_record(self, record: Mapping[str, Any]) -> None:
        """Wait until this one row may pass; only texts have a length worth counting."""
        rows, size = self._limits
        if size:
            values = record.values()
            self.pass_on(1, sum(len(v) if isinstance(v, str) else _VALUE_BYTES for v in values))
        elif rows:
            self.pass_on(1, 0)


@dataclass
class BulkRun:
    """What the streams of one run share; made when the first of them has a file to write.

    Args:
        settings: of the tap.
        salt: with which personal data is hashed.
    """

    settings: BulkSettings
    salt: bytes | None = None
    throttle: Throttle = field(init=False)
    _writer: BatchWriter | None = field(init=False, default=None)
    _folder: BatchFolder | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.throttle = Throttle(self.settings)

    @property
    def writer(self) -> BatchWriter:
        """Writes files into a folder of this run's own."""
        if self._writer is None:
            # Half a second of imports, which a run without news does not need.
            from watershed_bulk.folder import BatchFolder  # noqa: PLC0415
            from watershed_bulk.writer import BatchWriter  # noqa: PLC0415

            assert self.settings.root is not None  # noqa: S101  # else there is no bulk path
            self._folder = BatchFolder(self.settings.root, self.settings.waiting_bytes)
            self._writer = BatchWriter(self._folder, self.salt)
        return self._writer

    def close(self) -> None:
        """Leave the folder to the target."""
        if self._folder is not None:
            self._folder.close()


class HeldRows:
    """Rows on their way into one file.

    Args:
        file_bytes: how many make a file, in memory. It ends before that where that spares the
            warehouse a row group of which only a part has come. The first ends with the first row
            group, so that the target does not wait for long.
    """

    def __init__(self, file_bytes: int) -> None:
        self._file_bytes = file_bytes
        self.batches: list[pa.RecordBatch] = []
        self._bytes = self._rows = self._rows_of_all = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Hold one more batch."""
        self.batches.append(batch)
        self._bytes += batch.nbytes
        self._rows += batch.num_rows
        self._rows_of_all += batch.num_rows

    @property
    def are_a_file(self) -> bool:
        """Whether it is time to write them."""
        if self._bytes >= self._file_bytes:
            return True
        if self._rows_of_all == ROW_GROUP:
            return True
        if self._rows_of_all % ROW_GROUP or 2 * self._bytes < self._file_bytes:
            return False
        return self._bytes + ROW_GROUP * self._bytes // self._rows > self._file_bytes

    def let_go(self) -> list[pa.RecordBatch]:
        """Hold none any longer, and return those that were held."""
        batches, self.batches = self.batches, []
        self._bytes = self._rows = 0
        return batches


def in_row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut batches, without copying, so that each row group ends with one of them."""
    left = ROW_GROUP
    for batch in batches:
        begin = 0
        while batch.num_rows - begin > left:
            yield batch.slice(begin, left)
            begin, left = begin + left, ROW_GROUP
        yield batch.slice(begin)
        left = (left - (batch.num_rows - begin)) or ROW_GROUP


def encoding() -> BaseBatchFileEncoding:
    """What a BATCH message says of our files."""
    from singer_sdk.helpers._batch import BaseBatchFileEncoding  # noqa: PLC0415  # 0.2 s

    return BaseBatchFileEncoding("parquet")


_TEXT_BATCH_BYTES = 8 * MEGABYTE


def text_batches(
    records: Iterator[Mapping[str, Any]], names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Make record batches of records: every value as text, from which targets read it exactly."""
    import pyarrow as pa  # noqa: PLC0415  # as above

    schema = pa.schema([(name, pa.string()) for name in names])
    rows: list[list[str | None]] = []
    size = 0
    for record in records:
        row = [_text(record[name]) for name in names]
        rows.append(row)
        size += sum(len(text) + _VALUE_BYTES for text in row if text is not None)
        if size >= _TEXT_BATCH_BYTES:
            yield _batch(rows, schema)
            rows, size = [], 0
    if rows:
        yield _batch(rows, schema)


def _batch(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415  # as above

    arrays = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _text(value: Any) -> str | None:  # noqa: ANN401  # any JSON
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
