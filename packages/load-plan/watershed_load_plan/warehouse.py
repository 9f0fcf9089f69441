"""What the load plan asks of a warehouse. A target is a thin dialect that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import duckdb

    from watershed_load_plan.tables import Table
    from watershed_load_plan.types import ColumnType


@dataclass(frozen=True)
class Changes:
    """What a batch did to a table, in rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
        )


class Warehouse(Protocol):
    """A warehouse in one dialect of SQL. All calls happen within one `transaction`."""

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection that reads batches and holds the stage."""

    def transaction(self) -> AbstractContextManager[None]:
        """Open the warehouse, commit at the end, roll back on an exception, close."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run plain SQL with ``?`` for parameters; return the rows."""

    def columns(self, table: Table) -> dict[str, ColumnType] | None:
        """Columns of a table in their order, or None when there is no such table."""

    def create(self, table: Table, columns: Mapping[str, ColumnType]) -> None:
        """Create a table, and its schema when missing."""

    def add_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Add a column, NULL in the rows that are there."""

    def widen_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Change a column to a type that holds all that it holds."""

    def append(self, table: Table, columns: Sequence[str]) -> Changes:
        """Insert the stage."""

    def merge(self, table: Table, columns: Sequence[str], keys: Sequence[str]) -> Changes:
        """Delete-and-insert by key the rows of the stage that differ from the table's.

        Rows that are the same keep their metadata, but for the table version.
        """

    def drop_other_versions(self, table: Table, version: int) -> None:
        """Forget rows of a table version that was never activated."""

    def delete_older_versions(self, table: Table, version: int, at: str) -> Changes:
        """Mark as deleted the rows that a complete new version did not bring."""

    def replace(self, table: Table, columns: Sequence[str]) -> Changes:
        """Make ``table.incoming`` the table, unless both hold the same rows; drop it."""
