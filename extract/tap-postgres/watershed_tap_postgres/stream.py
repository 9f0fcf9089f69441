"""One table of PostgreSQL as a Singer stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_postgres.client import (  # type: ignore[import-untyped]  # it ships no types
    PostgresStream as MeltanoPostgresStream,
)

from watershed_tap.stream import TableStream
from watershed_tap_postgres.queries import select_all, select_since

if TYPE_CHECKING:
    from watershed_tap.replication import BookmarkValue, ReplicationKey


class PostgresStream(TableStream, MeltanoPostgresStream):  # type: ignore[misc]  # of no known type
    """Reads one table, exactly.

    A path that hands over files of whole batches instead of RECORDs (BATCH) overrides
    ``get_batches``. It runs :meth:`statements` by other means, in place of ``get_records``, and
    takes ``begin`` and ``finish`` as they are.
    """

    def select_all(self) -> list[Any]:
        """Every row of the table."""
        return [select_all(self.table, self.columns.values())]

    def select_since(self, key: ReplicationKey, bookmark: BookmarkValue | None) -> list[Any]:
        """What is new since the bookmark."""
        overlap = self.source.settings.overlap_seconds
        return select_since(self.table, self.columns.values(), key, bookmark, overlap)
