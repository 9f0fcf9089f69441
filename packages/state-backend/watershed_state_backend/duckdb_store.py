"""Meltano's state store over ``ops.bookmarks`` of a DuckDB warehouse."""

from __future__ import annotations

import contextlib
import datetime as dt
import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from meltano.core.state_store.base import MeltanoState, StateStoreManager

from watershed_duckdb import WarehouseError, connect
from watershed_load_plan.duckdb_types import to_duckdb
from watershed_load_plan.ledger import BOOKMARKS, OPS_TABLES
from watershed_load_plan.state import COMMITTED, join, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

SINGER_STATE = "singer_state"
"""Under this name Meltano wraps a Singer state."""

EDITED_BY_HAND = "meltano state"
"""What stands as run in the bookmark of a state that a person set."""


class DuckDBStateStoreManager(StateStoreManager):
    """Reads and edits bookmarks where the target commits them.

    A run never writes here: its target has committed the bookmark with the rows before Meltano
    hears of it, and says so in the STATE it prints. What a person sets or clears is written.

    Args:
        uri: ``duckdb:///absolute/path/of/warehouse.duckdb``.
        kwargs: Meltano's other settings for state backends, which this one does not need.

    Raises:
        WarehouseError: the address names no file.
    """

    label = "the warehouse's ops.bookmarks"

    def __init__(self, uri: str, **kwargs: Any) -> None:  # noqa: ANN401  # Meltano's
        super().__init__(**kwargs)
        parsed = urlparse(uri)
        if parsed.netloc or not parsed.path.startswith("/"):
            raise WarehouseError(
                f"state_backend.uri {uri!r} names no file: write duckdb:///absolute/path"
            )
        self._path = Path(unquote(parsed.path))

    def get(self, state_id: str) -> MeltanoState | None:
        """Read the state of a pipeline; None when it never ran."""
        rows = self._read("select stream, bookmark from {} where state_id = ?", state_id)
        parts = dict(rows)
        return MeltanoState(state_id, {}, {SINGER_STATE: join(parts)}) if parts else None

    def get_state_ids(self, pattern: str | None = None) -> list[str]:
        """List the pipelines that have a state, by a shell pattern if one is given."""
        rows = self._read("select distinct state_id from {} order by state_id")
        return [name for (name,) in rows if pattern is None or fnmatch.fnmatch(name, pattern)]

    def set(self, state: MeltanoState) -> None:
        """Replace the state of a pipeline, unless it comes from a run's own target."""
        singer_state: dict[str, Any] = json.loads(state.json_merged()).get(SINGER_STATE) or {}
        if singer_state.get(COMMITTED):
            return
        now = dt.datetime.now(dt.UTC)
        with self._edit() as connection:
            connection.execute(f"delete from {BOOKMARKS} where state_id = ?", [state.state_id])
            for stream, bookmark in split(singer_state).items():
                connection.execute(
                    f"insert into {BOOKMARKS} values (?, ?, ?, ?, ?)",
                    [state.state_id, stream, bookmark, EDITED_BY_HAND, now],
                )

    def delete(self, state_id: str) -> None:
        """Forget the state of a pipeline: its next run begins at the beginning."""
        with self._edit() as connection:
            connection.execute(f"delete from {BOOKMARKS} where state_id = ?", [state_id])

    @contextlib.contextmanager
    def acquire_lock(self, state_id: str, *, retry_seconds: float) -> Iterator[None]:  # noqa: ARG002
        """Do nothing: each read and each edit takes the file's own lock, which waits."""
        yield

    def _read(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            return []
        with connect(self._path, read_only=True) as connection:
            if not _has_bookmarks(connection):
                return []
            return connection.execute(sql.format(BOOKMARKS), parameters).fetchall()

    @contextlib.contextmanager
    def _edit(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the warehouse for one transaction."""
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
