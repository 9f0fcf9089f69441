"""A session of Redshift, in the manner of a connection of DuckDB."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from watershed_redshift import RedshiftConnection, RedshiftError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watershed.settings import Settings

TIMED_OUT = "57014"
"""SQLSTATE of a statement that `statement_timeout` ended."""


class Rows:
    """What a statement answered."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._left = iter(rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row."""
        return next(self._left, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        return list(self._left)


class Session:
    """An open Redshift. Outside of `transaction` each statement is one of its own."""

    def __init__(self, connection: RedshiftConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run a statement with ``?`` for parameters.

        Raises:
            RedshiftError: Redshift refuses it, or the connection was lost.
        """
        return Rows(self.connection.execute(sql, parameters))

    @contextmanager
    def transaction(self, *, is_kept: bool = True) -> Iterator[None]:
        """Commit what is done inside, or nothing of it."""
        self.connection.begin()
        try:
            yield
            if is_kept:
                self.connection.commit()
            else:
                self.connection.rollback()
        except BaseException:
            self.connection.rollback()
            raise

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """End each statement inside that takes longer, waiting for locks included."""
        self.execute(f"set statement_timeout to {int(seconds * 1000)}")
        try:
            yield
        finally:
            self.execute("set statement_timeout to 0")


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """Open a session; what is not committed in the end is undone.

    Raises:
        RedshiftError: Redshift lets us not in.
    """
    if settings.redshift is None:
        raise RedshiftError("WATERSHED_WAREHOUSE does not name Redshift: write redshift://")
    connection = RedshiftConnection(settings.redshift)
    try:
        connection.ensure()
        yield Session(connection)
    finally:
        connection.close()
