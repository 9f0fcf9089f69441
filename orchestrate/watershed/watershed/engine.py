"""What commands ask of a warehouse: DuckDB's file, or Redshift.

What an engine needs is imported when it is asked, so that `--help` answers at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from watershed.publications import Publication
    from watershed.publish import Outcome
    from watershed.query import Result
    from watershed.settings import Settings
    from watershed.workbench import Workbench


class Answer(Protocol):
    """What a statement answered."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""


class Connection(Protocol):
    """An open warehouse; its SQL is what both engines have."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Answer:
        """Run a statement with ``?`` for parameters."""


class Engine(Protocol):
    """A warehouse, and what its readers see of it.

    Attributes:
        loader: Meltano's name of the target that loads it.
        distributions: Python distributions whose upgrade asks for a new build.
    """

    loader: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]]

    def has_warehouse(self) -> bool:
        """Tell whether there is anything to open."""

    def warehouse(
        self, *, read_only: bool, wait_seconds: float
    ) -> AbstractContextManager[Connection]:
        """Open it, waiting for whoever has it alone."""

    def transaction(
        self, connection: Connection, *, is_kept: bool = True
    ) -> AbstractContextManager[None]:
        """Commit in the end what is done inside, or undo it: always after an error."""

    def publish(self, *, dry_run: bool = False) -> Outcome:
        """Give readers the last green build and the ledger; see `watershed.publish.publish`."""

    def roll_back(self) -> Outcome:
        """Give readers the publication before; see `watershed.publish.roll_back`."""

    def published_now(self) -> Publication | None:
        """Read which publication readers see; None before the first."""

    def answer(self, sql: str) -> AbstractContextManager[Result]:
        """Ask what is published one thing; see `watershed.query.answer`."""

    def workbench(self, prefix: str) -> Workbench:
        """Name the place for changed models, in schemas that begin with `prefix`."""


def engine_of(settings: Settings) -> Engine:
    """Choose the engine that the settings name."""
    return RedshiftEngine(settings) if settings.redshift else DuckDBEngine(settings)


class DuckDBEngine:
    """One file that is built, another that is published."""

    loader: ClassVar[str] = "target-duckdb"
    distributions: ClassVar[tuple[str, ...]] = ("dbt-duckdb", "duckdb")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def has_warehouse(self) -> bool:
        """Look for the file."""
        return self._settings.warehouse.exists()

    @contextmanager
    def warehouse(self, *, read_only: bool, wait_seconds: float) -> Iterator[Connection]:
        """Open the file."""
        import watershed_duckdb  # noqa: PLC0415

        with watershed_duckdb.connect(
            self._settings.warehouse, read_only=read_only, wait_seconds=wait_seconds
        ) as connection:
            yield connection

    @contextmanager
    def transaction(self, connection: Connection, *, is_kept: bool = True) -> Iterator[None]:
        """Tell DuckDB."""
        connection.execute("begin transaction")
        try:
            yield
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit" if is_kept else "rollback")

    def publish(self, *, dry_run: bool = False) -> Outcome:
        """Write a new file."""
        from watershed import publish  # noqa: PLC0415

        return publish.publish(self._settings, dry_run=dry_run)

    def roll_back(self) -> Outcome:
        """Point at the file before."""
        from watershed import publish  # noqa: PLC0415

        return publish.roll_back(self._settings)

    def published_now(self) -> Publication | None:
        """Read it from the published file."""
        from watershed import publications  # noqa: PLC0415

        return publications.published_now(publications.PublicationFolder(self._settings.published))

    def answer(self, sql: str) -> AbstractContextManager[Result]:
        """Ask the published file."""
        from watershed import query  # noqa: PLC0415

        return query.answer(self._settings, sql)

    def workbench(self, prefix: str) -> Workbench:
        """Make it a file beside the warehouse."""
        from watershed.workbench import DuckDBWorkbench  # noqa: PLC0415

        return DuckDBWorkbench(self._settings, prefix)


class RedshiftEngine:
    """Schemas of one database; readers have views."""

    loader: ClassVar[str] = "target-redshift"
    distributions: ClassVar[tuple[str, ...]] = ("dbt-redshift",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def has_warehouse(self) -> bool:
        """Say yes: a database that was never loaded says so itself."""
        return True

    @contextmanager
    def transaction(self, connection: Connection, *, is_kept: bool = True) -> Iterator[None]:
        """Tell the session."""
        from watershed.redshift_session import Session  # noqa: PLC0415

        assert isinstance(connection, Session)  # noqa: S101  # `warehouse` gave it
        with connection.transaction(is_kept=is_kept):
            yield

    @contextmanager
    def warehouse(self, *, read_only: bool, wait_seconds: float) -> Iterator[Connection]:
        """Open a session; nobody has the database alone."""
        del read_only, wait_seconds
        from watershed import redshift_session  # noqa: PLC0415

        with redshift_session.opened(self._settings) as session:
            yield session

    def publish(self, *, dry_run: bool = False) -> Outcome:
        """Copy to a new schema and re-point the views."""
        from watershed import redshift_publish  # noqa: PLC0415

        return redshift_publish.publish(self._settings, dry_run=dry_run)

    def roll_back(self) -> Outcome:
        """Re-point the views to the schema before."""
        from watershed import redshift_publish  # noqa: PLC0415

        return redshift_publish.roll_back(self._settings)

    def published_now(self) -> Publication | None:
        """Read it from the ledger, which changes with the views."""
        from watershed import redshift_publish  # noqa: PLC0415

        return redshift_publish.published_now(self._settings)

    def answer(self, sql: str) -> AbstractContextManager[Result]:
        """Ask the published views."""
        from watershed import redshift_query  # noqa: PLC0415

        return redshift_query.answer(self._settings, sql)

    def workbench(self, prefix: str) -> Workbench:
        """Make it schemas of the same database."""
        from watershed.workbench import RedshiftWorkbench  # noqa: PLC0415

        return RedshiftWorkbench(self._settings, prefix)
