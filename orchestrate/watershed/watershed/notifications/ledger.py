"""What the ledger says that a person should hear of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from watershed.engine import engine_of
from watershed.notifications.alert import Alert
from watershed.publication_plan import LAST_BUILD_SQL, choose_marts, has_ledger, one_row
from watershed.source_runs import loaded_at_of
from watershed.sources import EXTRACTORS, SEPARATOR, read_sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from watershed.engine import Connection
    from watershed.settings import Settings
    from watershed.sources import Source

LOCK_WAIT_SECONDS = 5.0
QUARANTINE_IS_NEWS = timedelta(hours=24)
LONGEST_BUILD = timedelta(hours=2)
"""One that says it runs, and began before this, was killed."""
LAST_RUNS_SQL = """
    select source, status, cause, good_at
    from (
        select
            source,
            status,
            cause,
            max(case when status = 'succeeded' then finished_at end) over (
                partition by source
            ) as good_at,
            row_number() over (partition by source order by finished_at desc) as nth
        from ops.source_runs
    ) as runs
    where nth = 1
    order by source
"""
LAST_GREEN_SQL = "select max(finished_at) from ops.builds where status = 'green' and is_full"
QUARANTINED_SQL = """
    select state_id, stream, count(*), max(reason)
    from ops.quarantine
    where quarantined_at > ? and value is not null
    group by state_id, stream
    order by state_id, stream
"""
LOADED_SQL = """
    select count(distinct run_id), coalesce(sum(rows_inserted + rows_updated + rows_deleted), 0)
    from ops.loads
    where committed_at > ?
"""


def problems(settings: Settings, at: datetime) -> list[Alert]:
    """List what is not as it should be now.

    Raises:
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
    """
    engine = engine_of(settings)
    if not engine.has_warehouse():
        return []
    previous = engine.published_now()
    sources = {}
    if (settings.project_root / EXTRACTORS).exists():
        sources = read_sources(settings.project_root)
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        found = [
            *_of_sources(connection, sources, engine.loader, at),
            *_of_quarantine(connection, at),
        ]
        red = _of_builds(connection)
        if red:
            return [*found, red]
        # Before the first build nothing could be withheld; one that runs may yet be green.
        if has_ledger(connection, "builds") and not _is_building(connection, at):
            note = choose_marts(connection, "warehouse", previous).note
            if note:
                good = previous.published_at if previous else None
                found.append(_blocked(note, good))
    return found


def completed_since(settings: Settings, moment: datetime) -> Alert | None:
    """Sum up what was done; None when nothing was."""
    engine = engine_of(settings)
    if not engine.has_warehouse():
        return None
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        counts = {}
        runs, rows = (0, 0)
        if has_ledger(connection, "loads"):
            runs, rows = one_row(connection, LOADED_SQL, (moment,))
        for table, column, condition in (
            ("builds", "finished_at", "status = 'green'"),
            ("publications", "published_at", "1 = 1"),
        ):
            if has_ledger(connection, table):
                sql = f"select count(*) from ops.{table} where {condition} and {column} > ?"
                counts[table] = one_row(connection, sql, (moment,))[0]
    if not runs and not any(counts.values()):
        return None
    return Alert(
        "completed",
        "digest",
        f"since {moment:%Y-%m-%d %H:%M} UTC {runs} loads changed {rows:,} rows, "
        f"{counts.get('builds', 0)} builds were green, "
        f"{counts.get('publications', 0)} publications were made",
    )


def _of_sources(
    connection: Connection, sources: dict[str, Source], loader: str, at: datetime
) -> Iterator[Alert]:
    """Find sources whose last load failed, and those older than promised."""
    runs = {}
    if has_ledger(connection, "source_runs"):
        runs = {row[0]: row[1:] for row in connection.execute(LAST_RUNS_SQL).fetchall()}
    for name, source in sources.items():
        loaded_at = loaded_at_of(connection, source.extractor, loader)
        promise = source.largest_age
        is_late = promise is not None and loaded_at is not None and at - loaded_at > promise
        subject, command = f"source {name}", f"watershed load {name}"
        status, cause, good_at = runs.get(name, ("succeeded", None, None))
        if status == "failed":
            is_tolerated = promise is not None and loaded_at is not None and not is_late
            kind, problem = ("failed", "failed load")
            if is_tolerated:
                kind, problem = ("degraded", "degraded source")
                cause = f"the marts go on with its older rows, as its load failed: {cause}"
            yield Alert(kind, subject, str(cause), name, good_at, command, problem)
        if is_late and promise is not None and loaded_at is not None:
            hours = (at - loaded_at).total_seconds() / 3600
            cause = (
                f"its rows are {hours:.0f} h old, promised are "
                f"{promise.total_seconds() / 3600:g} h at most"
            )
            yield Alert("late", subject, cause, name, loaded_at, command, "late source")


def _of_quarantine(connection: Connection, at: datetime) -> Iterator[Alert]:
    if not has_ledger(connection, "quarantine"):
        return
    rows = connection.execute(QUARANTINED_SQL, [at - QUARANTINE_IS_NEWS]).fetchall()
    for state_id, stream, cells, reason in rows:
        # ``dev:tap-postgres--shop-to-target-duckdb``
        extractor = state_id.partition(":")[2].partition("-to-")[0]
        source = extractor.partition(SEPARATOR)[2] or extractor
        cause = f"{cells:,} of its values went to quarantine within a day, e.g. {reason}"
        yield Alert(
            "degraded",
            f"stream {stream} of {source}",
            cause,
            source,
            None,
            f"watershed load {source}",
            "degraded source",
        )


def _is_building(connection: Connection, at: datetime) -> bool:
    sql = "select 1 from ops.builds where status = 'running' and started_at > ?"
    return connection.execute(sql, [at - LONGEST_BUILD]).fetchone() is not None


def _of_builds(connection: Connection) -> Alert | None:
    if not has_ledger(connection, "builds"):
        return None
    row = connection.execute(LAST_BUILD_SQL).fetchone()
    if row is None or row[3] != "red":
        return None
    good = connection.execute(LAST_GREEN_SQL).fetchone()
    return Alert(
        "failed",
        "build",
        f"build {row[0]} is red: readers keep the marts of the last green one",
        None,
        good[0] if good else None,
        "watershed build",
        "red build",
    )


def _blocked(note: str, good: datetime | None) -> Alert:
    return Alert(
        "failed",
        "publication",
        note,
        None,
        good,
        "watershed build --force && watershed publish",
        "publication blocked",
    )
