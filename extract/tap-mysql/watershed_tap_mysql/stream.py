"""One table of MySQL as a Singer stream."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from watershed_bulk.columns import Action
from watershed_tap.exceptions import SetupError
from watershed_tap.stream import TableStream
from watershed_tap_mysql.column_types import ImpossibleDateError
from watershed_tap_mysql.queries import select_all, select_pass, select_since

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyarrow import RecordBatch

    from watershed_bulk.columns import BulkColumn
    from watershed_tap.bulk import SchemaChange
    from watershed_tap.replication import BookmarkValue, ReplicationKey
    from watershed_tap.stream import Record


class MySQLStream(TableStream):
    """Reads one table, exactly."""

    def select_all(self) -> list[Any]:
        """Every row of the table."""
        return [select_all(self.table, self.columns.values())]

    def select_since(self, key: ReplicationKey, bookmark: BookmarkValue | None) -> list[Any]:
        """What is new since the bookmark."""
        overlap = self.source.settings.overlap_seconds
        return select_since(self.table, self.columns.values(), key, bookmark, overlap)

    def bulk_statements(self) -> list[Any]:
        """The same statements; a pass over the whole table goes on where it was."""
        if self._full_pass is None:
            return self.statements()
        return [
            select_pass(
                self.table, self.columns.values(), self.pass_key, self._full_pass.after or []
            )
        ]

    @property
    def is_read_row_by_row(self) -> bool:
        """Never: rows come in packets, which are taken apart by columns."""
        return False

    @property
    def bulk_columns(self) -> list[BulkColumn]:
        """What becomes of each field of a record batch."""
        from watershed_tap_mysql.bulk import bulk_column  # noqa: PLC0415  # 0.3 s

        return [
            replace(
                bulk_column(column),
                action=Action(self.actions[name]) if name in self.actions else None,
            )
            for name, column in self.columns.items()
        ]

    def bulk_batches(self) -> Iterator[RecordBatch | SchemaChange]:
        """Stream this run's rows.

        Raises:
            SetupError: one has a date that no calendar has, and ``zero_dates`` is ``fail``.
        """
        with self._impossible_dates_told():
            yield from super().bulk_batches()

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[Record]:
        """Yield the rows of one run.

        Raises:
            SetupError: one has a date that no calendar has, and ``zero_dates`` is ``fail``.
        """
        with self._impossible_dates_told():
            yield from super().get_records(context)

    @contextmanager
    def _impossible_dates_told(self) -> Iterator[None]:
        try:
            yield
        except ImpossibleDateError as error:
            raise SetupError(
                f"{self._place}: {error}, a date that no calendar has: correct it at the source, "
                "or set zero_dates to quarantine or null"
            ) from error

    def _increment_stream_state(self, latest_record: Record, *, context: object = None) -> None:
        """Move the bookmark on, but not to a date that no calendar has: none follows from it."""
        value = latest_record[self.key.name] if self.key is not None else None
        if isinstance(value, str):
            try:
                dt.datetime.fromisoformat(value)
            except ValueError:
                return
        super()._increment_stream_state(latest_record, context=context)
