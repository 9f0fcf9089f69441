"""RECORDs on their way to a commit: text in a Parquet file, so that memory stays bounded."""

from __future__ import annotations

import os
import shutil
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watershed_load_plan.values import converter, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    import pyarrow.parquet as pq

    from watershed_load_plan.tables import StreamSchema

ROWS_IN_MEMORY = 10_000
CHARACTERS_IN_MEMORY = 16 * 2**20
"""A row group is written when either is reached, whichever comes first."""

ORDINAL = "watershed_ordinal"
EXTRACTED_AT = "watershed_extracted_at"
DELETED_AT = "watershed_deleted_at"
UNREADABLE = "watershed_unreadable"
"""Columns of the spool beside the stream's own, which are named ``c0``, ``c1``, … by position."""


class RecordSpool:
    """One stream's RECORDs since its SCHEMA or the last commit, in the order they came.

    Args:
        path: The Parquet file to write; its columns are text, the exact text of each value.
        stream: The stream's schema as read.
        definitions: The SCHEMA message's ``properties``.
        version: The table version that the RECORDs carry.
    """

    def __init__(
        self,
        path: Path,
        stream: StreamSchema,
        definitions: Mapping[str, Any],
        version: int | None,
    ) -> None:
        self.path = path
        self.stream = stream
        self.version = version
        self.rows = 0
        self._names = list(stream.properties)
        self._converters = [
            converter(definitions[name], stream.columns[column].kind)
            for name, column in stream.properties.items()
        ]
        self._writer: pq.ParquetWriter | None = None
        self._start_row_group()

    def add(self, record: Mapping[str, Any], extracted_at: str | None) -> None:
        """Take one RECORD; a property it lacks is NULL, one its schema lacks is left out."""
        for name, convert, values in zip(self._names, self._converters, self._columns, strict=True):
            text = convert(record.get(name))
            values.append(text)
            if text is not None:
                self._characters += len(text)
        self._extracted.append(extracted_at)
        self._deleted.append(text_of(record.get("_sdc_deleted_at")))
        self.rows += 1
        if len(self._extracted) >= ROWS_IN_MEMORY or self._characters >= CHARACTERS_IN_MEMORY:
            self._write_row_group()

    def close(self) -> int:
        """Finish the file.

        Returns:
            Its size in bytes.
        """
        self._write_row_group()
        if self._writer is None:
            return 0
        self._writer.close()
        return self.path.stat().st_size

    def remove(self) -> None:
        """Delete the file."""
        if self._writer is not None and self._writer.is_open:
            self._writer.close()
        self.path.unlink(missing_ok=True)

    def _start_row_group(self) -> None:
        self._columns: list[list[str | None]] = [[] for _ in self._names]
        self._extracted: list[str | None] = []
        self._deleted: list[str | None] = []
        self._characters = 0

    def _write_row_group(self) -> None:
        count = len(self._extracted)
        if count == 0:
            return
        # A quarter of a second of imports, which a load of files does without.
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        unreadable: list[list[dict[str, Any]] | None] = [None] * count
        arrays: list[pa.Array[Any]] = [
            _string_array(values, position, unreadable)
            for position, values in enumerate(self._columns)
        ]
        cells = pa.list_(pa.struct([("at", pa.int64()), ("value", pa.string())]))
        tail: dict[str, pa.Array[Any]] = {
            ORDINAL: pa.array(range(self.rows - count, self.rows), pa.int64()),
            EXTRACTED_AT: pa.array(self._extracted, pa.string()),
            DELETED_AT: pa.array(self._deleted, pa.string()),
            UNREADABLE: pa.array(unreadable, cells),
        }
        names = [*(f"c{position}" for position in range(len(arrays))), *tail]
        table = pa.Table.from_arrays([*arrays, *tail.values()], names=names)
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._start_row_group()


def _string_array(
    values: list[str | None], position: int, unreadable: list[list[dict[str, Any]] | None]
) -> pa.StringArray:
    """Make a column of text, noting apart what is no Unicode text (a lone surrogate)."""
    import pyarrow as pa  # noqa: PLC0415  # as above

    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        readable = list(values)
    for row, text in enumerate(values):
        if text is not None and not _is_unicode(text):
            readable[row] = None
            cells = unreadable[row] or []
            cells.append(
                {"at": position, "value": text.encode("ascii", "backslashreplace").decode()}
            )
            unreadable[row] = cells
    return pa.array(readable, pa.string())


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class RunDirectory:
    """The folder of one run's spools; it goes with the run, or when a later run finds it dead.

    Args:
        parent: Folder of all runs.
        run_id: Names the run.
    """

    def __init__(self, parent: Path, run_id: str) -> None:
        self.path = parent / f"{os.getpid()}-{run_id}"
        for other in parent.glob("*-*") if parent.is_dir() else ():
            pid = other.name.partition("-")[0]
            if pid.isdecimal() and not Path("/proc", pid).exists():
                shutil.rmtree(other, ignore_errors=True)
        self.remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        """Deletes the folder; at the end of the process it goes in any case, but for SIGKILL."""
