"""One table of PostgreSQL as a Singer stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from watershed_tap.stream import TableStream
from watershed_tap_postgres import queries
from watershed_tap_postgres.source import WIDE_ROW_BYTES

if TYPE_CHECKING:
    from watershed_bulk.columns import BulkColumn
    from watershed_tap.replication import BookmarkValue, ReplicationKey


class PostgresStream(TableStream):
    """Reads one table, exactly."""

    def select_all(self) -> list[Any]:
        """Every row of the table."""
        return [queries.select_all(self.table, self.columns.values())]

    def select_since(self, key: ReplicationKey, bookmark: BookmarkValue | None) -> list[Any]:
        """What is new since the bookmark."""
        every_row = queries.select_all(self.table, self.columns.values())
        return queries.select_since(every_row, key, bookmark, self._overlap)

    def bulk_statements(self) -> list[Any]:
        """The same, in the forms in which files get them; a pass goes on where it was."""
        columns = self.columns.values()
        if self.key is not None:
            every_row = queries.select_for_files(self.table, columns)
            return queries.select_since(every_row, self.key, self._resume_from, self._overlap)
        if self._full_pass is None:
            return [queries.select_for_files(self.table, columns)]
        key = [self.table.columns[name] for name in self.pass_key]
        return [queries.select_pass(self.table, columns, key, self._full_pass.after)]

    @property
    def is_read_row_by_row(self) -> bool:
        """Only where rows are so long that thousands of them at a time would fill the memory."""
        return self.table.row_bytes > WIDE_ROW_BYTES

    @property
    def bulk_columns(self) -> list[BulkColumn]:
        """What becomes of each field; special values stand in a field of their own."""
        if self.is_read_row_by_row:
            return super().bulk_columns
        columns, place = [], 0
        for column, of in zip(super().bulk_columns, self.columns.values(), strict=True):
            if of.type.bulk.is_special is None:
                columns.append(column)
                continue
            special = f"json_extract_string({queries.SPECIAL}, '$[{place}]')"
            columns.append(
                replace(
                    column,
                    inexact=f"{queries.SPECIAL} is not null",
                    text=f"coalesce({special}, {column.text})",
                )
            )
            place += 1
        return columns

    @property
    def _overlap(self) -> int:
        return self.source.settings.overlap_seconds
