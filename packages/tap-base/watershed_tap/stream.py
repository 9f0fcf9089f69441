"""One table as a Singer stream: in files, each followed by a STATE, or as RECORDs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._batch import SDKBatchMessage
from singer_sdk.mapper import SameRecordTransform

from watershed_bulk.columns import Action, BulkColumn
from watershed_bulk.exceptions import BatchFolderError
from watershed_tap.bulk import (
    HeldRows,
    SchemaChange,
    encoding,
    in_row_groups,
    text_batches,
)
from watershed_tap.exceptions import TapError
from watershed_tap.full_pass import STATE_KEY, TORN, FullPass
from watershed_tap.record_stream import Record, RecordStream
from watershed_tap.replication import latest_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from singer_sdk.helpers._batch import BatchConfig

    from watershed_bulk.writer import BatchFile

__all__ = ["Record", "TableStream"]


class TableStream(RecordStream):
    """Reads one table, exactly, as whole columns where the settings say so."""

    _full_pass: FullPass | None = None

    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """Files, if the settings say so and no stream map has to look into each record."""
        if any(not isinstance(stream_map, SameRecordTransform) for stream_map in self.stream_maps):
            return None
        return super().get_batch_config(config)

    def _sync_batches(self, batch_config: BatchConfig, context: object = None) -> None:  # noqa: ARG002  # the SDK's
        """Send this run's rows as files, each with a STATE behind it."""
        self.begin()
        self._begin_full_pass()
        run = self._tap.bulk_run
        held = HeldRows(run.settings.file_bytes)
        with self.get_record_counter() as counter:
            for batch in self.bulk_batches():
                if isinstance(batch, SchemaChange):
                    counter.increment(self._send_file(held.let_go()))
                    continue
                run.throttle.pass_on(batch.num_rows, batch.nbytes)
                if held.batches and batch.schema != held.batches[0].schema:
                    # The stream's state may speak of this batch already, which is in no file yet.
                    counter.increment(self._send_file(held.let_go(), is_resumable=False))
                held.add(batch)
                if held.are_a_file:
                    counter.increment(self._send_file(held.let_go()))
            counter.increment(self._send_file(held.let_go()))
        self.finish()
        self.state_manager.is_flushed = False
        self._write_state_message()

    def bulk_batches(self) -> Iterator[pa.RecordBatch | SchemaChange]:
        """Stream this run's rows; their fields stand in the order of :attr:`bulk_columns`."""
        if self.is_read_row_by_row:
            yield from text_batches(self.read(), list(self.columns))
            return
        columns = list(self.columns.values())
        yield from in_row_groups(
            batch
            for statement in self.bulk_statements()
            for batch in self.source.batches(statement, columns, self.table)
        )

    @property
    def is_read_row_by_row(self) -> bool:
        """Whether files are made of records, all values as text: slow, in little memory."""
        return True

    @property
    def bulk_columns(self) -> list[BulkColumn]:
        """What becomes of each field of a record batch."""
        if self.is_read_row_by_row:
            return [BulkColumn(name, text="{}") for name in self.columns]
        return [
            BulkColumn(
                name,
                typed=column.type.bulk.typed,
                inexact=column.type.bulk.inexact,
                is_null_if_inexact=column.type.bulk.is_null_if_inexact,
                text=column.type.bulk.text,
                is_json=column.type.bulk.is_json,
                action=Action(self.actions[name]) if name in self.actions else None,
            )
            for name, column in self.columns.items()
        ]

    def bulk_statements(self) -> list[Any]:
        """What :meth:`statements` gives, for the bulk path; call :meth:`begin` before."""
        return self.statements()

    @cached_property
    def pass_key(self) -> tuple[str, ...]:
        """The columns in whose order a pass over the whole table goes; empty if it has none."""
        if self.key is not None or self.is_read_row_by_row or not self.table.is_key_ordered:
            return ()
        return self.table.key if set(self.primary_keys) == set(self.table.key) else ()

    def _begin_full_pass(self) -> None:
        if self.pass_key:
            self._full_pass = FullPass.begin(
                self.stream_state,
                self._stream_version or 0,
                self.source.change_marker,
                self.schema,
                self.pass_key,
            )
            self._stream_version = self._full_pass.version

    def _send_file(self, batches: list[pa.RecordBatch], *, is_resumable: bool = True) -> int:
        """Write a file, the BATCH that hands it over, and the STATE that makes it last.

        Args:
            batches: of one schema; of none nothing is sent.
            is_resumable: the stream's state says just what was sent.

        Returns:
            Rows in it.
        """
        if not batches:
            return 0
        at = self.source.snapshot_at
        metadata = {} if at is None else {"watershed_extracted_at": at.isoformat()}
        writer = self._tap.bulk_run.writer
        try:
            file = writer.write(self.name, batches, self.bulk_columns, metadata)
        except BatchFolderError as error:
            raise TapError(f"{self.source.settings.source}: {error}") from error
        self._note_file(file, batches[-1])
        self._tap.write_message(
            SDKBatchMessage(
                stream=self.name,
                encoding=encoding(),
                manifest=[file.uri],
                version=self._stream_version,
            )
        )
        self.state_manager.is_flushed = False
        if is_resumable:
            self._write_state_message()
        return file.rows

    def _note_file(self, file: BatchFile, last: pa.RecordBatch) -> None:
        """Note how far a file brings the stream."""
        if self._full_pass is not None:
            names = list(self.columns)
            self._full_pass.move_to(last, [names.index(name) for name in self.pass_key])
            self.stream_state[STATE_KEY] = self._full_pass.bookmark()
        if self._bookmark is not None and self.key is not None:
            values = latest_values(
                self._tap.bulk_run.writer, file.path, self.key, self._bookmark.now
            )
            for value in values:
                self._bookmark.see(value)
            if self.is_sorted:
                self._note_bookmark()

    def finish(self) -> None:
        """Settle how far the stream has got, after its last row and before its last STATE."""
        if self._bookmark is None:
            self.stream_state.pop(STATE_KEY, None)
            self._note_tear()
        super().finish()

    def _note_tear(self) -> None:
        self.stream_state.pop(TORN, None)
        if self._full_pass is not None and self._full_pass.is_torn(self.source.change_marker):
            self.stream_state[TORN] = True
            self.logger.warning(
                "stream %s was read in two sittings, and the source may have changed in between: "
                "its table is torn until the next full pass",
                self.name,
            )
