"""Writes record batches as one Parquet file, each column typed, or as text where that is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from watershed_bulk import ROW_GROUP
from watershed_bulk.columns import Action
from watershed_bulk.exceptions import BatchFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from watershed_bulk.columns import BulkColumn
    from watershed_bulk.folder import BatchFolder

MEMORY = "512MB"
_BLOCK_BYTES = 64
"""Of SHA-256, to which HMAC pads its key."""
_RECEIVED = "watershed_received"


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A finished file.

    Attributes:
        uri: as a BATCH message's manifest names it.
        rows: how many it holds.
        bytes: its size on disk.
    """

    path: Path
    rows: int
    bytes: int

    @property
    def uri(self) -> str:
        """As a manifest names it."""
        return self.path.as_uri()


class BatchWriter:
    """Writes the files of one run, all by one engine that never touches a disk but for them.

    Args:
        folder: where they go.
        salt: the secret with which columns are hashed; ``None`` if none is.
    """

    def __init__(self, folder: BatchFolder, salt: bytes | None = None) -> None:
        self._folder = folder
        self._engine = duckdb.connect(config={"memory_limit": MEMORY, "threads": 1})
        # No clear text of a column to be hashed may be spilled to a disk.
        self._engine.execute("set temp_directory = ''")
        self._engine.execute("set preserve_insertion_order = true")
        self._engine.execute("set TimeZone = 'UTC'")
        self._engine.execute("set arrow_lossless_conversion = true")  # a uuid is 16 bytes, no text
        if salt is not None:
            for name, value in zip(("inner", "outer"), _pads(salt), strict=True):
                self._engine.execute(f"set variable watershed_{name} = ?", [value])

    def write(
        self,
        stream: str,
        batches: Sequence[pa.RecordBatch],
        columns: Sequence[BulkColumn],
        metadata: Mapping[str, str],
    ) -> BatchFile:
        """Write batches of one schema as one file.

        Args:
            stream: whose they are.
            batches: their fields stand in the order of ``columns``; more may follow.
            columns: what becomes of each field.
            metadata: key-value pairs for the file's footer.

        Raises:
            BatchFolderError: the disk is full, or the target takes no files.
        """
        path = self._folder.new_file(stream)
        partial = path.with_suffix(".partial")
        received = pa.Table.from_batches(batches)
        try:
            self._engine.register(_RECEIVED, received)
            _write(self._typed(received, columns), partial, metadata)
            partial.rename(path)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            partial.unlink(missing_ok=True)
            raise BatchFolderError(
                f"stream {stream}: a batch cannot be written to {path.parent} "
                f"({_first_line(error)}): make room there, or set batch_config.storage.root"
            ) from None
        finally:
            self._engine.unregister(_RECEIVED)
        return BatchFile(path, received.num_rows, self._folder.hand_over(path))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask something of files that were written."""
        return self._engine.execute(sql, list(parameters)).fetchall()

    def _typed(self, received: pa.Table, columns: Sequence[BulkColumn]) -> pa.Table:
        """Make the columns; those that are right as they came are not copied."""
        fields = [_quoted(received.field(position).name) for position in range(len(columns))]
        inexact = self._inexact(columns, fields)
        expressions = {
            position: _expression(column, field, is_text=position in inexact)
            for position, (column, field) in enumerate(zip(columns, fields, strict=True))
        }
        made = self._evaluated(received, expressions)
        texts = {
            position: column.text.replace("{}", fields[position])
            for position, column in enumerate(columns)
            if column.is_null_if_inexact
            and column.action is None
            and made[position].null_count > received.column(position).null_count
        }
        made |= self._evaluated(received, texts)
        names = [column.name for column in columns]
        return pa.table(
            [_declared(made[position], column) for position, column in enumerate(columns)], names
        )

    def _inexact(self, columns: Sequence[BulkColumn], fields: Sequence[str]) -> set[int]:
        """Find the columns with a value that its type would change."""
        conditions = {
            position: column.inexact.replace("{}", fields[position])
            for position, column in enumerate(columns)
            if column.inexact is not None and column.action is None
        }
        if not conditions:
            return set()
        listed = ", ".join(f"bool_or({condition})" for condition in conditions.values())
        [found] = self.query(f"select {listed} from {_RECEIVED}")
        return {position for position, is_any in zip(conditions, found, strict=True) if is_any}

    def _evaluated(
        self, received: pa.Table, expressions: Mapping[int, str]
    ) -> dict[int, pa.ChunkedArray[Any]]:
        """Compute columns, by their place; a field as it came costs nothing."""
        made = {position: received.column(position) for position in expressions}
        asked = {
            position: sql
            for position, sql in expressions.items()
            if sql != _quoted(received.field(position).name)
        }
        if asked:
            listed = ", ".join(f"{sql} as c{position}" for position, sql in asked.items())
            found = self._engine.execute(f"select {listed} from {_RECEIVED}").to_arrow_table()
            made |= zip(asked, found.columns, strict=True)
        return made


def _write(table: pa.Table, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a file that is read once and deleted: to pack it would cost more than its bytes do."""
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="none",
        use_dictionary=False,
        store_decimal_as_integer=True,
        store_schema=False,
        write_statistics=False,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
        if metadata:
            writer.add_key_value_metadata(dict(metadata))


def _expression(column: BulkColumn, field: str, *, is_text: bool) -> str:
    text = column.text.replace("{}", field)
    if column.action is Action.MASK:
        return f"case when {text} is not null then '***' end"
    if column.action is Action.HASH:
        return _hmac(text)
    return text if is_text else column.typed.replace("{}", field)


def _declared(array: pa.ChunkedArray[Any], column: BulkColumn) -> pa.ChunkedArray[Any]:
    """Give DuckDB's booleans, which are bytes in Arrow, and its JSON types that Parquet knows."""
    if array.type == pa.bool8():
        return array.cast(pa.bool_())
    if column.is_json and column.action is None:
        return array.cast(pa.json_())
    return array


def _hmac(text: str) -> str:
    """HMAC-SHA-256 as RFC 2104 defines it, with the key's two pads kept in variables."""
    inner = f"unhex(sha256(getvariable('watershed_inner') || encode({text})))"
    return f"sha256(getvariable('watershed_outer') || {inner})"


def _pads(salt: bytes) -> tuple[bytes, bytes]:
    import hashlib  # noqa: PLC0415  # only where something is hashed

    key = hashlib.sha256(salt).digest() if len(salt) > _BLOCK_BYTES else salt
    key = key.ljust(_BLOCK_BYTES, b"\0")
    return bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
