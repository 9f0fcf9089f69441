"""Writes record batches as one Parquet file, each column typed, or as text where that is exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

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
_INEXACT = "watershed: inexact column "


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
        table = pa.Table.from_batches(batches)
        as_text: set[int] = set()
        try:
            while (
                found := self._try_write(partial, table, columns, as_text, metadata)
            ) is not None:
                as_text.add(found)
            partial.rename(path)
        except (duckdb.Error, OSError) as error:
            partial.unlink(missing_ok=True)
            raise BatchFolderError(
                f"stream {stream}: a batch cannot be written to {path.parent} "
                f"({_first_line(error)}): make room there, or set batch_config.storage.root"
            ) from None
        return BatchFile(path, table.num_rows, self._folder.hand_over(path))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask something of files that were written."""
        return self._engine.execute(sql, list(parameters)).fetchall()

    def _try_write(
        self,
        path: Path,
        received: pa.Table,
        columns: Sequence[BulkColumn],
        as_text: set[int],
        metadata: Mapping[str, str],
    ) -> int | None:
        """Write the file; or say which column must be text in it."""
        listed = ", ".join(
            _expression(position, column, received.field(position).name, position in as_text)
            for position, column in enumerate(columns)
        )
        pairs = ", ".join(f"{key}: {_literal(value)}" for key, value in metadata.items())
        footer = f", kv_metadata {{{pairs}}}" if pairs else ""
        # No dictionaries: to look for them costs more than all else, and snappy packs what recurs.
        options = f"format parquet, compression snappy, dictionary_size_limit 1{footer}"
        try:
            self._engine.register("watershed_received", received)
            self._engine.execute(
                f"copy (select {listed} from watershed_received) "
                f"to {_literal(str(path))} ({options})"
            )
        except duckdb.InvalidInputException as error:
            found = re.search(rf"{_INEXACT}(\d+)", str(error))
            if found is None or int(found[1]) in as_text:
                raise
            return int(found[1])
        finally:
            self._engine.unregister("watershed_received")
        return None


def _expression(position: int, column: BulkColumn, field: str, is_text: bool) -> str:  # noqa: FBT001
    raw = '"' + field.replace('"', '""') + '"'
    name = '"' + column.name.replace('"', '""') + '"'
    text = column.text.replace("{}", raw)
    if column.action is Action.MASK:
        value = f"case when {text} is not null then '***' end"
    elif column.action is Action.HASH:
        value = _hmac(text)
    elif is_text:
        value = text
    else:
        value = column.typed.replace("{}", raw)
        stop = f"error('{_INEXACT}{position}')"
        if column.is_null_if_inexact:
            value = f"coalesce({value}, case when {raw} is not null then {stop} end)"
        elif column.inexact is not None:
            value = f"case when {column.inexact.replace('{}', raw)} then {stop} else {value} end"
    return f"{value} as {name}"


def _hmac(text: str) -> str:
    """HMAC-SHA-256 as RFC 2104 defines it, with the key's two pads kept in variables."""
    inner = f"unhex(sha256(getvariable('watershed_inner') || encode({text})))"
    return f"sha256(getvariable('watershed_outer') || {inner})"


def _pads(salt: bytes) -> tuple[bytes, bytes]:
    import hashlib  # noqa: PLC0415  # only where something is hashed

    key = hashlib.sha256(salt).digest() if len(salt) > _BLOCK_BYTES else salt
    key = key.ljust(_BLOCK_BYTES, b"\0")
    return bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
