"""Meltano's state store over ``ops.bookmarks`` of Redshift."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from watershed_load_plan.ledger import BOOKMARKS, OPS_TABLES
from watershed_load_plan.redshift_types import to_redshift
from watershed_redshift import ADDRESS, RedshiftConnection, RedshiftError, read_environment
from watershed_state_backend.exceptions import StateStoreError
from watershed_state_backend.store import BookmarkStateStoreManager

if TYPE_CHECKING:
    from collections.abc import Iterator


class RedshiftStateStoreManager(BookmarkStateStoreManager):
    """The bookmarks of Redshift; see `BookmarkStateStoreManager`.

    Args:
        uri: ``redshift://`` and nothing more: where it is, and as whom one comes, say the
            variables ``WATERSHED_REDSHIFT_*``, so that no address ever holds a password.
        kwargs: Meltano's other settings for state backends, which this one does not need.

    Raises:
        StateStoreError: the address says more, or a variable is missing.
    """

    def __init__(self, uri: str, **kwargs: Any) -> None:  # noqa: ANN401  # Meltano's
        super().__init__(**kwargs)
        if uri != ADDRESS:
            raise StateStoreError(
                f"the state backend's address is {ADDRESS} alone: where Redshift is, is said by "
                "the environment variables WATERSHED_REDSHIFT_*"
            )
        with _told_by_meltano():
            self._settings = read_environment(os.environ)

    def _read(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            return connection.execute(sql, parameters) if _has_bookmarks(connection) else []

    @contextlib.contextmanager
    def _edit(self) -> Iterator[RedshiftConnection]:
        with self._connected() as connection:
            if not _has_bookmarks(connection):
                columns = ", ".join(
                    f"{n} {to_redshift(t)}" for n, t in OPS_TABLES[BOOKMARKS].items()
                )
                connection.execute(f"create schema if not exists {BOOKMARKS.schema}")
                connection.execute(f"create table if not exists {BOOKMARKS} ({columns})")
            connection.begin()
            # Else an edit and a load's commit might refuse each other (error 1023).
            connection.execute(f"lock table {BOOKMARKS}")
            yield connection
            connection.commit()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[RedshiftConnection]:
        """Connect; what is not committed in the end is undone."""
        connection = RedshiftConnection(self._settings)
        with _told_by_meltano():
            try:
                connection.ensure()
                yield connection
            finally:
                connection.close()


@contextlib.contextmanager
def _told_by_meltano() -> Iterator[None]:
    """Turn our error into Meltano's, of which it shows the text alone."""
    try:
        yield
    except RedshiftError as error:
        raise StateStoreError(f"Meltano's state, {BOOKMARKS} of Redshift: {error}") from None


def _has_bookmarks(connection: RedshiftConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from svv_tables where table_schema = ? and table_name = ?",
            [BOOKMARKS.schema, BOOKMARKS.name],
        )
    )
