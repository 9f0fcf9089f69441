"""``ops.reconciliations``: how far each stream is proved, and ``ops.differences``: which rows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # dataclass
from typing import TYPE_CHECKING

from watershed.publication_plan import has_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed.engine import Connection

CREATE_SQL = (
    "create schema if not exists ops",
    """
    create table if not exists ops.reconciliations (
        reconciliation_id varchar(256),
        source varchar(256),
        state_id varchar(1024),
        stream varchar(1024),
        state varchar(16),
        reason varchar(65535),
        compared_rows bigint,
        rows_left_out bigint,
        ranges bigint,
        ranges_compared bigint,
        missing bigint,
        extra bigint,
        different bigint,
        repaired bigint,
        remaining bigint,
        seconds double precision,
        reconciled_at timestamptz
    )
    """,
    """
    create table if not exists ops.differences (
        reconciliation_id varchar(256),
        state_id varchar(1024),
        stream varchar(1024),
        kind varchar(16),
        record_key varchar(65535)
    )
    """,
)
LATEST_SQL = """
    select state_id, stream, source, state, reason, remaining
    from (
        select
            *,
            row_number() over (
                partition by state_id, stream order by reconciled_at desc
            ) as age
        from ops.reconciliations
    ) as reconciliations
    where age = 1
    order by state_id, stream
"""


@dataclass(frozen=True)
class Reconciliation:
    """What comparing one stream found.

    Attributes:
        state: `proved`, `sampled` or `unproved`.
        reason: Why it is not proved, or what else one should know.
        compared_rows: Of the source.
        rows_left_out: Those with a value in quarantine.
        missing: Rows that only the source has, before any repair.
        extra: Rows that only the warehouse has.
        different: Rows with other values.
        repaired: Rows that were brought to what the source holds.
        remaining: Differences that stay, which block the marts.
    """

    reconciliation_id: str
    source: str
    state_id: str
    stream: str
    state: str
    reason: str | None
    compared_rows: int
    rows_left_out: int
    ranges: int
    ranges_compared: int
    missing: int
    extra: int
    different: int
    repaired: int
    remaining: int
    seconds: float
    reconciled_at: datetime
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Proof:
    """What is known of a stream since it was last compared."""

    state_id: str
    stream: str
    source: str
    state: str
    reason: str | None
    remaining: int


def write(connection: Connection, found: Sequence[Reconciliation]) -> None:
    """Add to both tables, which are created where they are missing."""
    for statement in CREATE_SQL:
        connection.execute(statement)
    for reconciliation in found:
        *values, keys = dataclasses.astuple(reconciliation)
        marks = ", ".join("?" * len(values))
        connection.execute(f"insert into ops.reconciliations values ({marks})", values)
        for kind, key in keys:
            connection.execute(
                "insert into ops.differences values (?, ?, ?, ?, ?)",
                [
                    reconciliation.reconciliation_id,
                    reconciliation.state_id,
                    reconciliation.stream,
                    kind,
                    key,
                ],
            )


def latest(connection: Connection) -> list[Proof]:
    """Read the last reconciliation of each stream."""
    if not has_ledger(connection, "reconciliations"):
        return []
    return [Proof(*row) for row in connection.execute(LATEST_SQL).fetchall()]


def blocking(connection: Connection) -> str | None:
    """Say which streams keep the marts from readers; None when nothing does."""
    found = [proof for proof in latest(connection) if proof.remaining]
    if not found:
        return None
    names = ", ".join(f"{proof.stream} ({proof.remaining:,})" for proof in found)
    sources = " ".join(f"--source {name}" for name in sorted({proof.source for proof in found}))
    return f"rows differ from their source in {names}: run `watershed reconcile {sources} --repair`"


def samples_taken(connection: Connection, state_id: str, stream: str) -> int:
    """Count how often a stream was compared: whose turn it is follows from that."""
    if not has_ledger(connection, "reconciliations"):
        return 0
    row = connection.execute(
        "select count(*) from ops.reconciliations where state_id = ? and stream = ?",
        [state_id, stream],
    ).fetchone()
    return int(row[0]) if row else 0
