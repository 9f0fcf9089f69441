"""``ops.source_runs``: how each source's loads ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed.publication_plan import has_ledger

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

CREATE_SOURCE_RUNS_SQL = """
    create table if not exists ops.source_runs (
        source varchar,
        extractor varchar,
        status varchar,
        cause varchar,
        started_at timestamptz,
        finished_at timestamptz
    )
"""


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


def create_source_runs(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table when it is missing."""
    connection.execute("create schema if not exists ops")
    connection.execute(CREATE_SOURCE_RUNS_SQL)


def write_source_run(connection: duckdb.DuckDBPyConnection, run: SourceRun) -> None:
    """Add a run."""
    connection.execute(
        "insert into ops.source_runs values (?, ?, ?, ?, ?, ?)",
        [run.source, run.extractor, run.status, run.cause, run.started_at, run.finished_at],
    )


def loaded_at_of(
    connection: duckdb.DuckDBPyConnection, extractor: str, loader: str
) -> datetime | None:
    """Find when the stream that lags most was last read to its end."""
    if not has_ledger(connection, "bookmarks"):
        return None
    rows = connection.execute(
        "select min(committed_at) from ops.bookmarks "
        "where regexp_full_match(state_id, '[^:]+:' || regexp_escape(?) || '(:.*)?')",
        [f"{extractor}-to-{loader}"],
    ).fetchall()
    found: datetime | None = rows[0][0]
    return found


def failed_since(
    connection: duckdb.DuckDBPyConnection, moment: datetime | None
) -> list[tuple[str, str]]:
    """List the sources whose last load failed after a moment, with the cause."""
    if not has_ledger(connection, "source_runs"):
        return []
    return connection.execute(
        "select source, cause from ops.source_runs where status = 'failed' "
        "and finished_at > coalesce(?, timestamptz '-infinity') "
        "qualify row_number() over (partition by source order by finished_at desc) = 1 "
        "order by source",
        [moment],
    ).fetchall()
