"""Meltano's state store over ``ops.bookmarks``, whatever the warehouse."""

from __future__ import annotations

import contextlib
import datetime as dt
import fnmatch
import json
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from meltano.core.state_store.base import MeltanoState, StateStoreManager

from watershed_load_plan.ledger import BOOKMARKS
from watershed_load_plan.state import COMMITTED, join, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

SINGER_STATE = "singer_state"
"""Under this name Meltano wraps a Singer state."""

EDITED_BY_HAND = "meltano state"
"""What stands as run in the bookmark of a state that a person set."""


class Transaction(Protocol):
    """An open warehouse in which bookmarks are edited."""

    def execute(self, sql: str, parameters: Sequence[Any], /) -> object:
        """Run a statement with ``?`` for parameters."""


class BookmarkStateStoreManager(StateStoreManager):
    """Reads and edits bookmarks where the target commits them.

    A run never writes here: its target has committed the bookmark with the rows before Meltano
    hears of it, and says so in the STATE it prints. What a person sets or clears is written.
    """

    label = "the warehouse's ops.bookmarks"

    def get(self, state_id: str) -> MeltanoState | None:
        """Read the state of a pipeline; None when it never ran."""
        rows = self._read(f"select stream, bookmark from {BOOKMARKS} where state_id = ?", state_id)
        parts = dict(rows)
        return MeltanoState(state_id, {}, {SINGER_STATE: join(parts)}) if parts else None

    def get_state_ids(self, pattern: str | None = None) -> list[str]:
        """List the pipelines that have a state, by a shell pattern if one is given."""
        rows = self._read(f"select distinct state_id from {BOOKMARKS} order by state_id")
        return [name for (name,) in rows if pattern is None or fnmatch.fnmatch(name, pattern)]

    def set(self, state: MeltanoState) -> None:
        """Replace the state of a pipeline, unless it comes from a run's own target."""
        singer_state: dict[str, Any] = json.loads(state.json_merged()).get(SINGER_STATE) or {}
        if singer_state.get(COMMITTED):
            return
        now = dt.datetime.now(dt.UTC)
        with self._edit() as transaction:
            transaction.execute(f"delete from {BOOKMARKS} where state_id = ?", [state.state_id])
            for stream, bookmark in split(singer_state).items():
                transaction.execute(
                    f"insert into {BOOKMARKS} values (?, ?, ?, ?, ?)",
                    [state.state_id, stream, bookmark, EDITED_BY_HAND, now],
                )

    def delete(self, state_id: str) -> None:
        """Forget the state of a pipeline: its next run begins at the beginning."""
        with self._edit() as transaction:
            transaction.execute(f"delete from {BOOKMARKS} where state_id = ?", [state_id])

    @contextlib.contextmanager
    def acquire_lock(self, state_id: str, *, retry_seconds: float) -> Iterator[None]:  # noqa: ARG002
        """Do nothing: each read is one statement, and each edit takes a lock, which waits."""
        yield

    @abstractmethod
    def _read(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        """Ask the bookmarks; no rows where there are none yet."""

    @abstractmethod
    def _edit(self) -> AbstractContextManager[Transaction]:
        """Open the warehouse for one transaction, in which the bookmarks' table exists."""
