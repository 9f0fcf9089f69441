"""How far each stream, the build and the publication are."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watershed.engine import engine_of
from watershed.proof.records import latest
from watershed.publication_plan import has_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from watershed.engine import Connection
    from watershed.publications import Publication
    from watershed.settings import Settings

STREAMS_SQL = """
    with loads as (
        select
            state_id,
            stream,
            cast(sum(rows_inserted + rows_updated) as bigint) as rows_loaded
        from ops.loads
        group by state_id, stream
    ),
    last_runs as (
        select
            state_id,
            stream,
            run_id,
            cast(sum(rows_inserted + rows_updated + rows_deleted) as bigint) as rows_changed
        from ops.loads
        group by state_id, stream, run_id
    ),
    quarantined as (
        select state_id, stream, count(*) as cells
        from ops.quarantine
        where value is not null
        group by state_id, stream
    )
    select
        bookmarks.state_id,
        bookmarks.stream,
        bookmarks.committed_at,
        coalesce(last_runs.rows_changed, 0),
        coalesce(loads.rows_loaded, 0),
        coalesce(quarantined.cells, 0)
    from ops.bookmarks as bookmarks
    left join loads using (state_id, stream)
    left join last_runs using (state_id, stream, run_id)
    left join quarantined using (state_id, stream)
    order by bookmarks.state_id, lower(bookmarks.stream)
"""
BUILDS_SQL = """
    select build_id, command, is_full, status, started_at, finished_at, models, tests, failures
    from ops.builds
    where {condition}
    order by started_at desc
    limit 1
"""
RUNS_SQL = """
    select
        job_name,
        case
            when state = 'RUNNING' and last_heartbeat_at < datetime('now', '-5 minutes') then 'DIED'
            else state
        end,
        started_at,
        ended_at,
        json_extract(payload, '$.error')
    from runs
    where id in (select max(id) from runs group by job_name)
    order by job_name
"""


@dataclass(frozen=True)
class Stream:
    """One stream of one state.

    Attributes:
        synced_at: The last time that the source was read to its end, also when no row came.
        rows_last_run: Rows inserted, updated and deleted by that run.
        rows_loaded: Rows inserted and updated since the warehouse exists.
        quarantined: Values and rows that their table could not hold.
        proof: `proved`, `sampled` or `unproved`; None before any reconciliation.
        reason: Why it is not proved.
    """

    state_id: str
    stream: str
    synced_at: datetime
    rows_last_run: int
    rows_loaded: int
    quarantined: int
    proof: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Run:
    """The last `meltano run` of one pair of extractor and loader, as Meltano remembers it.

    Attributes:
        error: What the plugin said, or Meltano when the plugin said nothing; one line.
    """

    state_id: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class Build:
    """A run of dbt."""

    build_id: str
    command: str
    is_full: bool
    status: str
    started_at: datetime
    finished_at: datetime | None
    models: int | None
    tests: int | None
    failures: int | None


@dataclass(frozen=True)
class Status:
    """All that is known; what never happened is empty or None.

    Attributes:
        build: The last command of dbt that changed models.
        test: The last `dbt test` since.
    """

    at: datetime
    streams: tuple[Stream, ...]
    runs: tuple[Run, ...]
    build: Build | None
    test: Build | None
    publication: Publication | None


def collect(settings: Settings, *, wait_seconds: float) -> Status:
    """Read the warehouse's ledger, Meltano's runs and what is published.

    Raises:
        watershed_duckdb.WarehouseLockedError: a run held the warehouse for all of `wait_seconds`.
    """
    streams: tuple[Stream, ...] = ()
    build = test = None
    engine = engine_of(settings)
    if engine.has_warehouse():
        with engine.warehouse(read_only=True, wait_seconds=wait_seconds) as connection:
            if all(has_ledger(connection, name) for name in ("bookmarks", "loads", "quarantine")):
                streams = _streams(connection)
            if has_ledger(connection, "builds"):
                build = _last_build(connection, "command <> 'test'")
                test = _last_build(connection, "command = 'test'")
    return Status(
        at=datetime.now(UTC),
        streams=streams,
        runs=_meltano_runs(settings.system_database),
        build=build,
        test=test if test and build and test.started_at > build.started_at else None,
        publication=engine.published_now(),
    )


def to_json(status: Status) -> str:
    """Write the status as one JSON object; times are ISO 8601."""
    return json.dumps(dataclasses.asdict(status), default=datetime.isoformat, indent=2)


def _streams(connection: Connection) -> tuple[Stream, ...]:
    proofs = {(proof.state_id, proof.stream): proof for proof in latest(connection)}
    streams = (Stream(*row) for row in connection.execute(STREAMS_SQL).fetchall())
    return tuple(
        dataclasses.replace(stream, proof=proof.state, reason=proof.reason)
        if (proof := proofs.get((stream.state_id, stream.stream)))
        else stream
        for stream in streams
    )


def _last_build(connection: Connection, condition: str) -> Build | None:
    row = connection.execute(BUILDS_SQL.format(condition=condition)).fetchone()
    return Build(*row) if row else None


def _meltano_runs(database: Path) -> tuple[Run, ...]:
    """Read the last run of each state; one that failed early leaves no trace in the warehouse."""
    if not database.exists():
        return ()
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(RUNS_SQL).fetchall()
    return tuple(
        Run(
            state_id=state_id,
            state=state,
            started_at=_utc(started_at),
            ended_at=_utc(ended_at) if ended_at else None,
            error=_cause(error) if error else None,
        )
        for state_id, state, started_at, ended_at, error in rows
    )


def _cause(error: str) -> str:
    """Find what the plugin itself said, in one line, in what Meltano says about it.

    Meltano quotes the plugin's standard error, where the SDK logs a JSON object per line.
    """
    said = [_logged_error(line) for line in error.splitlines()]
    causes = [message for message in said if message]
    return " ".join((causes[-1] if causes else error).split())


def _logged_error(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    is_error = isinstance(entry, dict) and entry.get("level") in {"error", "critical"}
    return str(entry.get("message")) if is_error else None


def _utc(text: str) -> datetime:
    """Read a time as Meltano writes it: UTC, without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
