"""What the warehouse's ledger says, asked through the Redshift Data API."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOKMARKS_SQL = """
    select state_id, cast(extract(epoch from min(committed_at)) as bigint)
    from ops.bookmarks
    group by state_id
"""
LOADS_SQL = """
    select
        target_schema,
        cast(sum(rows_inserted + rows_updated + rows_deleted) as bigint),
        cast(sum(rows_quarantined) as bigint)
    from ops.loads
    where committed_at >= cast(:since as timestamptz)
    group by target_schema
"""
BUILD_SQL = "select status from ops.builds order by started_at desc limit 1"
STATE_ID = re.compile(r"[^:]+:[a-z0-9-]+?--(.+?)-to-")
"""Meltano's state ID: ``prod:tap-postgres--shop-to-target-redshift``."""
SCHEMA_PREFIX = "raw_"
POLL_SECONDS = 0.5
LONGEST_SECONDS = 240.0


@dataclass(frozen=True)
class Facts:
    """What is true of each source and of the models.

    Attributes:
        loaded_at: When the stream that lags most was last committed, by source.
        rows: Changed since the run began, by source.
        quarantined: Values set aside since the run began, by source; only those that have some.
        build: Status of the last build, or ``missing``.
    """

    loaded_at: Mapping[str, datetime]
    rows: Mapping[str, int]
    quarantined: Mapping[str, int]
    build: str


def read(client: Any, cluster: str, database: str, since: str) -> Facts:  # noqa: ANN401  # boto3 has no types
    """Read the facts; ``since`` is when the run began, ISO 8601.

    Raises:
        RuntimeError: the warehouse refused a question, or did not answer in time.
    """

    def ask(sql: str, **parameters: str) -> list[list[Any]]:
        return _ask(client, cluster, database, sql, parameters)

    loaded_at: dict[str, datetime] = {}
    for state_id, epoch in ask(BOOKMARKS_SQL):
        source = STATE_ID.match(state_id)
        if source:
            loaded_at[source[1]] = datetime.fromtimestamp(int(epoch), UTC)
    rows, quarantined = {}, {}
    for schema, changed, set_aside in ask(LOADS_SQL, since=since):
        source = schema.removeprefix(SCHEMA_PREFIX)
        rows[source] = int(changed)
        if int(set_aside):
            quarantined[source] = int(set_aside)
    builds = ask(BUILD_SQL)
    return Facts(loaded_at, rows, quarantined, builds[0][0] if builds else "missing")


def problems(facts: Facts, sources: list[str], started_at: datetime) -> list[str]:
    """Say where the ledger contradicts a run that loaded sources and says it succeeded."""
    found = [
        f"{source}: its task ended well, and nothing was committed since {started_at.isoformat()}"
        for source in sources
        if source not in facts.loaded_at
        # The ledger is read in whole seconds.
        or facts.loaded_at[source] < started_at.replace(microsecond=0)
    ]
    if facts.build != "green":
        found.append(f"the last build is {facts.build}")
    return found


def summary(facts: Facts, now: datetime) -> list[str]:
    """Say in a line how far each source is."""
    return [
        f"{source}: {facts.rows.get(source, 0)} rows changed, "
        f"{facts.quarantined.get(source, 0)} values in quarantine, "
        f"committed {int((now - moment).total_seconds() // 60)} min ago"
        for source, moment in sorted(facts.loaded_at.items())
    ]


def _ask(
    client: Any,  # noqa: ANN401  # boto3 has no types
    cluster: str,
    database: str,
    sql: str,
    parameters: Mapping[str, str],
) -> list[list[Any]]:
    options = {}
    if parameters:
        options["Parameters"] = [{"name": n, "value": v} for n, v in parameters.items()]
    statement = client.execute_statement(
        ClusterIdentifier=cluster, Database=database, Sql=sql, **options
    )["Id"]
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        state = client.describe_statement(Id=statement)
        if state["Status"] == "FINISHED":
            break
        if state["Status"] in ("ABORTED", "FAILED"):
            raise RuntimeError(f"the ledger cannot be read: {state.get('Error', 'aborted')}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the ledger did not answer within {LONGEST_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    pages = client.get_paginator("get_statement_result").paginate(Id=statement)
    return [
        [next(iter(field.values())) for field in record]
        for page in pages
        for record in page["Records"]
    ]
