"""``ops.source_runs``: how each source's loads ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watershed.publication_plan import has_ledger
from watershed.sources import is_pipeline_of

if TYPE_CHECKING:
    from watershed.engine import Connection

CREATE_SOURCE_RUNS_SQL = """
    create table if not exists ops.source_runs (
        source varchar(256),
        extractor varchar(256),
        status varchar(16),
        cause varchar(65535),
        started_at timestamptz,
        finished_at timestamptz
    )
"""


BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SourceRun:
    """How one source's load ended.

    Attributes:
        status: `succeeded` or `failed`.
        cause: Why it failed, in one line.
        loaded_at: When its rows were last complete; None: never.
        is_tolerated: Whether the marts may go on with the rows that are there.
    """

    source: str
    extractor: str
    status: str
    cause: str | None
    started_at: datetime
    finished_at: datetime
    loaded_at: datetime | None = None
    is_tolerated: bool = True


def create_source_runs(connection: Connection) -> None:
    """Create the table when it is missing."""
    connection.execute("create schema if not exists ops")
    connection.execute(CREATE_SOURCE_RUNS_SQL)


def write_source_run(connection: Connection, run: SourceRun) -> None:
    """Add a run."""
    connection.execute(
        "insert into ops.source_runs values (?, ?, ?, ?, ?, ?)",
        [run.source, run.extractor, run.status, run.cause, run.started_at, run.finished_at],
    )


def loaded_at_of(connection: Connection, extractor: str, loader: str) -> datetime | None:
    """Find when the stream that lags most was last read to its end."""
    if not has_ledger(connection, "bookmarks"):
        return None
    rows = connection.execute(
        "select state_id, min(committed_at) from ops.bookmarks group by state_id"
    ).fetchall()
    return min(
        (at for state_id, at in rows if is_pipeline_of(state_id, extractor, loader)), default=None
    )


def failed_since(connection: Connection, moment: datetime | None) -> list[tuple[str, str]]:
    """List the sources whose last load failed after a moment, with the cause."""
    if not has_ledger(connection, "source_runs"):
        return []
    rows = connection.execute(
        "select source, cause from ops.source_runs where status = 'failed' and finished_at > ? "
        "order by finished_at",
        [moment or BEFORE_ALL],
    ).fetchall()
    return sorted(dict(rows).items())
