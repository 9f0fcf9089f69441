"""What the load plan asks of a warehouse. A target is a thin dialect that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

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
    """A warehouse in one dialect of SQL. All calls but `close` happen within a `session`.

    A commit is a session: tables are made or widened and batches staged, then `transact` applies
    them. Where `stages_ahead` is false, tables and stages may be made within `transact` too.
    """

    @property
    def stages_ahead(self) -> bool:
        """Whether tables and stages are made before the transaction begins.

        So it is where a table cannot be changed within one, or where taking a stage takes long.
        """

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection that reads batches and holds the stage."""

    @property
    def longest_text(self) -> int | None:
        """The most bytes of a text, which then holds no NUL; None where any text can be held."""

    def session(self) -> AbstractContextManager[None]:
        """Open the warehouse; on an exception undo what is not committed; close."""

    def transact(self, work: Callable[[], None]) -> None:
        """Do work that is committed with the session at the latest, all of it or nothing.

        Where the warehouse refuses it for a reason that passes, it is done again from its
        beginning; so it must ask the ledger what is there already.
        """

    def close(self) -> None:
        """Tidy up after the last commit of a run."""

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

    def fits(self, value: str, column_type: ColumnType) -> str | None:
        """Write the condition, in DuckDB's SQL, that a value is one the warehouse can hold.

        Args:
            value: An SQL expression of that type, not NULL.
            column_type: The column's type.

        Returns:
            The condition; None where every value of the type can be held.
        """

    def stage(self, table: Table, columns: Sequence[str]) -> str:
        """Take the rows that lie in `STAGE`, which the next batch will replace.

        Returns:
            A name of theirs for `append` and `merge`.
        """

    def append(self, table: Table, columns: Sequence[str], stage: str) -> Changes:
        """Insert a stage."""

    def merge(
        self, table: Table, columns: Sequence[str], stage: str, keys: Sequence[str]
    ) -> Changes:
        """Delete-and-insert by key the rows of a stage that differ from the table's.

        Rows that are the same keep their metadata, but for the table version.
        """

    def drop_other_versions(self, table: Table, version: int) -> None:
        """Forget rows of a table version that was never activated."""

    def delete_older_versions(self, table: Table, version: int, at: str) -> Changes:
        """Mark as deleted the rows that a complete new version did not bring."""

    def replace(self, table: Table, columns: Sequence[str]) -> Changes:
        """Make ``table.incoming`` the table, unless both hold the same rows; drop it."""


@runtime_checkable
class TakesFiles(Protocol):
    """What a warehouse has beside `Warehouse` if it can load the files of a batch as they lie."""

    def fetch(self, files: Sequence[str]) -> tuple[str, ...]:
        """Make the files of a BATCH local, so that they can be judged.

        Raises:
            LoadError: one is where the warehouse does not reach.
        """

    def expect_files(self, files: Sequence[Path], types: Mapping[str, ColumnType]) -> None:
        """Hear of files that will be staged as they are, unless a value does not fit after all.

        Args:
            files: Local.
            types: Of their columns, which are just those of the table.
        """

    def stage_files(
        self,
        table: Table,
        columns: Sequence[str],
        in_files: Sequence[str],
        files: Sequence[Path],
    ) -> str:
        """Do as `stage` does; the rows of `STAGE` are those of the files, as they lie there.

        Args:
            table: As for `stage`.
            columns: Likewise.
            in_files: Which of them the files have, in their order.
            files: Local; `fetch` may have made them so.
        """
