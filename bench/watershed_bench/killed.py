"""Ours, killed in the middle of a large table, and the run that takes it up."""

import os
import signal
import subprocess
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb

from watershed_bench.comparison import Plan
from watershed_bench.measure import Command, RunFailedError, run
from watershed_bench.results import Result, with_usages
from watershed_bench.routes import Places
from watershed_bench.sources import Postgres
from watershed_bench.watershed_route import Watershed

ROWS_OF_PLAN = 2
SECONDS_BETWEEN_LOOKS = 0.2
_COLUMNS = (
    "count(*), sum(id), sum(amount), sum(qty), sum(length(note)), count(coupon), "
    "sum(length(cast(uid as varchar))), max(updated_at), min(created_at), max(order_date)"
)
_DIGEST = {
    "postgres": "sum(('x' || substr(md5(uid::text || meta::text), 1, 8))::bit(32)::bigint)",
    "duckdb": "sum(('0x' || substr(md5(uid::text || meta::text), 1, 8))::bigint)",
}


def killed(places: Places, source: Postgres, plan: Plan) -> list[Result]:
    """Kill a run by SIGKILL once a third of its rows is committed, and let another one end it.

    Returns:
        What the second run took. It has failed unless it loaded just the other rows, and the table
        then holds what the source's holds: number of rows, sums and digests.
    """
    rows = ROWS_OF_PLAN * plan.rows
    route = Watershed(places, source)
    route.install()
    table = source.orders(rows)
    route.clear()
    result = Result(
        source=source.name,
        route="watershed-killed",
        version=Watershed.versions(),
        rows=rows,
        tls=Watershed.tls,
        command=route.shown + ", taken up after SIGKILL to the whole of the run before",
    )
    first = route.command(table)
    try:
        committed = _kill_at(first, route, rows // 3)
        program, verb, *pair = first.arguments
        # Else Meltano waits minutes for the dead run's sign of life.
        second = replace(first, arguments=[program, verb, "--force", *pair])
        usage = run(
            second,
            server_pids=[source.server_pid],
            log_file=plan.logs / f"{source.name}-killed.log",
            seconds_allowed=plan.seconds_allowed,
        )
        _check(route, source, table, rows)
    except RunFailedError as error:
        return [replace(result, failed=str(error))]
    note = f"killed with {committed:,} rows committed, it loaded the other {rows - committed:,}"
    return [replace(with_usages(result, [usage]), note=note)]


def _kill_at(command: Command, route: Watershed, least: int) -> int:
    """Run until so many rows are committed, and kill all of it.

    Returns:
        Rows that were committed by then.
    """
    process = subprocess.Popen(
        [str(argument) for argument in command.arguments],
        env=dict(command.environment),
        cwd=command.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and _committed(route) < least:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.poll() is not None:
        raise RunFailedError("the run ended before it could be killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return _committed(route)


def _committed(route: Watershed) -> int:
    """Rows that the ledger counts; 0 while somebody else has the file."""
    try:
        [found] = _ask(route, "select coalesce(sum(rows_inserted), 0) from ops.loads")
    except duckdb.Error:
        return 0
    return int(found[0])


def _ask(route: Watershed, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(route.destination().file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def _check(route: Watershed, source: Postgres, table: str, rows: int) -> None:
    """Raise unless the ledger counts each row once and the table holds what the source's does."""
    if (loaded := _committed(route)) != rows:
        raise RunFailedError(f"both runs together loaded {loaded:,} of {rows:,} rows")
    query = f"select {_COLUMNS}, {{}} from {{}}.{table}"
    [ours] = _ask(route, query.format(_DIGEST["duckdb"], route.destination().schema))
    with source.database.connect() as connection:
        theirs = connection.execute(
            query.format(_DIGEST["postgres"], source.schema).encode()
        ).fetchone()
    if list(map(_comparable, ours)) != list(map(_comparable, theirs or ())):
        raise RunFailedError(f"the table holds {ours}, the source's {theirs}")


def _comparable(value: object) -> object:
    return Decimal(value) if isinstance(value, int) else value
