"""What streams and taps ask of a database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from watershed_tap.catalog import catalog_entry

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from watershed_tap.bulk import BulkSettings
    from watershed_tap.privacy import PrivacySettings
    from watershed_tap.tables import Column, Table


class SourceSettings(Protocol):
    """What a tap's settings must say, whatever the database."""

    @property
    def source(self) -> str:
        """The database as error texts and logs call it."""

    @property
    def user(self) -> str:
        """Who reads it."""

    @property
    def overlap_seconds(self) -> int:
        """INCREMENTAL by time reads again what is this much older than the bookmark."""

    @property
    def bulk(self) -> BulkSettings:
        """Whether rows travel in files, and how fast."""

    @property
    def privacy(self) -> PrivacySettings:
        """What is done to personal data before it goes anywhere."""


class Source(ABC):
    """Reads one database: everything in one read-only transaction on one connection.

    Attributes:
        grants: what a user needs to read a table, for error texts.
        settings: how to reach the database.
        snapshot_at: our clock when the snapshot was taken: what is extracted is as of then.
    """

    grants: ClassVar[str]
    settings: SourceSettings
    snapshot_at: dt.datetime | None = None

    @property
    @abstractmethod
    def tables(self) -> Mapping[str, Table]:
        """Every table that the user may read, by stream id."""

    @property
    @abstractmethod
    def now(self) -> dt.datetime:
        """The source's own clock when the snapshot was taken."""

    @abstractmethod
    def rows(self, statement: Any, stream_id: str) -> Iterator[Any]:  # noqa: ANN401  # SQL, as its driver takes it
        """Stream the rows of a statement; only some megabytes of them are ever in memory.

        Raises:
            TapError: the source stopped; the text names the stream.
        """

    def batches(
        self,
        statement: Any,  # noqa: ANN401  # as above
        columns: Sequence[Column],
        table: Table,
    ) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a statement as record batches of some megabytes each.

        Args:
            statement: SQL, as its driver takes it.
            columns: what it selects, in this order.
            table: whose rows they are.

        Raises:
            TapError: the source stopped; the text names the stream.
        """
        raise NotImplementedError

    @property
    def change_marker(self) -> str | None:
        """A text that is the same as long as nothing was committed at the source.

        ``None`` where the source cannot tell: then a table is taken to have changed.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Give the connection, and all it needed, back."""

    def discover_catalog_entries(self) -> list[dict[str, Any]]:
        """Describe every table as Singer catalogs do; the tap calls this to discover."""
        return [catalog_entry(table) for table in self.tables.values()]
