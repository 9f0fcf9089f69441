"""What a run came to, from the ledger; and ``ops.runs``, how runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from watershed.proof import records
from watershed.publication_plan import has_ledger
from watershed.runs.system_database import RUNS

if TYPE_CHECKING:
    from datetime import datetime

    from watershed.engine import Connection

STREAMS_SQL = """
    select
        bookmarks.state_id,
        bookmarks.stream,
        coalesce(sum(loads.rows_inserted + loads.rows_updated + loads.rows_deleted), 0),
        coalesce(sum(loads.seconds), 0)
    from ops.bookmarks as bookmarks
    left join ops.loads as loads
        on bookmarks.state_id = loads.state_id
        and bookmarks.stream = loads.stream
        and loads.committed_at >= ?
    group by bookmarks.state_id, bookmarks.stream
    order by bookmarks.state_id, bookmarks.stream
"""
WHOLE_SQL = """
    with whole as (
        select stream, max(run_id) as run_id
        from ops.loads
        where table_version is not null
        group by stream
    )
    select loads.stream, sum(loads.rows_inserted + loads.rows_updated + loads.rows_unchanged)
    from ops.loads as loads
    inner join whole on loads.stream = whole.stream and loads.run_id = whole.run_id
    group by loads.stream
"""
CREATE_RUNS_SQL = """
    create table if not exists ops.runs (
        run_id varchar(64),
        pipeline varchar(256),
        job varchar(256),
        machine varchar(256),
        started_at timestamptz,
        finished_at timestamptz,
        exit_code integer,
        cause varchar(65535)
    )
"""


@dataclass(frozen=True)
class StreamReport:
    """What a run did to a stream.

    Attributes:
        rows: Inserted, updated and deleted in the warehouse.
        seconds: That its commits took.
        proof: `proved`, `sampled` or `unproved`; None: it was never compared.
        reason: Why it is not proved.
    """

    stream: str
    rows: int
    seconds: float
    proof: str | None
    reason: str | None


def streams_since(connection: Connection, moment: datetime) -> list[StreamReport]:
    """Read what became of each stream since a moment."""
    if not (has_ledger(connection, "bookmarks") and has_ledger(connection, "loads")):
        return []
    proofs = {(proof.state_id, proof.stream): proof for proof in records.latest(connection)}
    found = []
    for state_id, stream, rows, seconds in connection.execute(STREAMS_SQL, [moment]).fetchall():
        proof = proofs.get((state_id, stream))
        found.append(
            StreamReport(
                stream,
                int(rows),
                float(seconds),
                proof.state if proof else None,
                proof.reason if proof else None,
            )
        )
    return found


def expected_rows(connection: Connection) -> dict[str, int]:
    """Read how many rows each stream had when it was last read whole."""
    if not has_ledger(connection, "loads"):
        return {}
    return {stream: int(rows) for stream, rows in connection.execute(WHOLE_SQL).fetchall()}


def copy_runs(engine: sa.Engine, connection: Connection) -> None:
    """Copy the runs that have ended to ``ops.runs``, but for those that are there."""
    connection.execute("create schema if not exists ops")
    connection.execute(CREATE_RUNS_SQL)
    known = {run_id for (run_id,) in connection.execute("select run_id from ops.runs").fetchall()}
    with engine.connect() as system:
        ended = system.execute(sa.select(RUNS).where(RUNS.c.finished_at.is_not(None))).all()
    for run in ended:
        if run.run_id not in known:
            connection.execute(
                "insert into ops.runs values (?, ?, ?, ?, cast(? as timestamptz), "
                "cast(? as timestamptz), ?, ?)",
                [
                    run.run_id, run.pipeline, run.job, run.machine.partition("/")[0],
                    run.started_at, run.finished_at, run.exit_code, run.cause,
                ],
            )  # fmt: skip
