"""Meltano's state store over ``ops.bookmarks`` of a DuckDB warehouse."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from watershed_duckdb import WarehouseError, connect
from watershed_load_plan.duckdb_types import to_duckdb
from watershed_load_plan.ledger import BOOKMARKS, OPS_TABLES
from watershed_state_backend.store import BookmarkStateStoreManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb


class DuckDBStateStoreManager(BookmarkStateStoreManager):
    """The bookmarks of a file; see `BookmarkStateStoreManager`.

    Args:
        uri: ``duckdb:///absolute/path/of/warehouse.duckdb``.
        kwargs: Meltano's other settings for state backends, which this one does not need.

    Raises:
        WarehouseError: the address names no file.
    """

    def __init__(self, uri: str, **kwargs: Any) -> None:  # noqa: ANN401  # Meltano's
        super().__init__(**kwargs)
        parsed = urlparse(uri)
        if parsed.netloc or not parsed.path.startswith("/"):
            raise WarehouseError(
                f"state_backend.uri {uri!r} names no file: write duckdb:///absolute/path"
            )
        self._path = Path(unquote(parsed.path))

    def _read(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            return []
        with connect(self._path, read_only=True) as connection:
            if not _has_bookmarks(connection):
                return []
            return connection.execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def _edit(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with connect(self._path) as connection:
            connection.begin()
            if not _has_bookmarks(connection):
                columns = ", ".join(f"{n} {to_duckdb(t)}" for n, t in OPS_TABLES[BOOKMARKS].items())
                connection.execute(f"create schema if not exists {BOOKMARKS.schema}")
                connection.execute(f"create table {BOOKMARKS} ({columns})")
            yield connection
            connection.commit()


def _has_bookmarks(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = ? and table_name = ?",
            [BOOKMARKS.schema, BOOKMARKS.name],
        ).fetchone()
    )
