"""Runs the routes of one source, in turns."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watershed_bench.arrivals import lost_types, lost_values
from watershed_bench.measure import RunFailedError, Usage, run
from watershed_bench.results import Result, Round, compared, with_usages
from watershed_bench.routes import Route
from watershed_bench.sources import COLUMNS, Source, SqlSource

LEAST_ROWS = 400


@dataclass(frozen=True)
class Plan:
    """How much to run.

    Attributes:
        rows: of the large table.
        rounds: how often each route runs.
        is_quick: whether slow routes run less often.
        seconds_allowed: longest that one run may take.
        logs: where each run's output goes.
    """

    rows: int
    rounds: int
    is_quick: bool
    seconds_allowed: float
    logs: Path


@dataclass
class Contestant:
    """A route and what is known of it so far."""

    route: Route
    rows: int
    rounds: list[Round] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: str | None = None
    failed: str | None = None


def compare(source: Source, routes: Sequence[Route], plan: Plan) -> list[Result]:
    """Run each route ``plan.rounds`` times, and return what they cost."""
    contestants = [
        Contestant(route, max(LEAST_ROWS, int(plan.rows * route.share))) for route in routes
    ]
    for contestant in contestants:
        _guarded(contestant, "installs", lambda one: one.route.install())
        _guarded(contestant, "meets hard values", lambda one: _try_edges(source, one, plan))
    for number in range(plan.rounds):
        turn = number % len(contestants)
        for contestant in [*contestants[turn:], *contestants[:turn]]:
            if not _has_finished(contestant, number, plan):
                _guarded(contestant, f"round {number + 1}", lambda one: _round(source, one, plan))
    for contestant in contestants:
        if contestant.failed is None:
            contestant.route.clear()  # a large table's file
    rounds = {one.route.name: one.rounds for one in contestants}
    return [_result(source, one, rounds.get(one.route.baseline, [])) for one in contestants]


def _has_finished(contestant: Contestant, number: int, plan: Plan) -> bool:
    quick = contestant.route.quick_rounds
    return plan.is_quick and quick is not None and number >= quick


def _guarded(contestant: Contestant, what: str, step: Callable[[Contestant], None]) -> None:
    """Do a step; a route that fails is out, with the cause, and the others go on."""
    if contestant.failed:
        return
    sys.stderr.write(f"{contestant.route.source.name} {contestant.route.name}: {what}\n")
    try:
        step(contestant)
    except RunFailedError as error:
        contestant.failed = str(error)
    except subprocess.CalledProcessError as error:
        contestant.failed = f"cannot be installed: {(error.stderr or '').strip()[-200:]}"
    if contestant.failed:
        sys.stderr.write(f"  failed: {contestant.failed}\n")


def _load(source: Source, contestant: Contestant, table: str, plan: Plan) -> Usage:
    route = contestant.route
    route.clear()
    return run(
        route.command(table),
        server_pids=[source.server_pid],
        log_file=plan.logs / f"{source.name}-{route.name}-{table}.log",
        seconds_allowed=plan.seconds_allowed,
    )


def _try_edges(source: Source, contestant: Contestant, plan: Plan) -> None:
    """Load the hard values, compare what arrives; it warms the route up, too."""
    if not isinstance(source, SqlSource):
        _load(source, contestant, source.orders(LEAST_ROWS), plan)
        return
    destination = contestant.route.destination()
    for table in ("extremes", "specials"):
        source.edge(table)
        try:
            _load(source, contestant, table, plan)
        except RunFailedError as error:
            contestant.refused = "; ".join(
                part for part in (contestant.refused, f"{table}: {error}") if part
            )
            continue
        if destination is None:
            continue
        if table == "extremes":
            contestant.lost += lost_types(source.kinds, destination.types(table))
        arrived = destination.texts(table, COLUMNS)
        set_aside = destination.set_aside(table)
        contestant.lost += lost_values(source.kinds, source.texts(table), arrived, set_aside)


def _round(source: Source, contestant: Contestant, plan: Plan) -> None:
    """Load the quarter, then the whole, and count what arrived."""
    rows, quarter = contestant.rows, contestant.rows // 4
    fewer = _load(source, contestant, source.orders(quarter), plan)
    table = source.orders(rows)
    whole = _load(source, contestant, table, plan)
    arrived = contestant.route.arrived(table)
    if arrived is not None and arrived != rows:
        loss = f"{arrived:,} of {rows:,} rows arrived"
        if loss not in contestant.lost:
            contestant.lost.insert(0, loss)
    contestant.rounds.append(Round(rows, whole, quarter, fewer))


def _result(source: Source, contestant: Contestant, ours: Sequence[Round]) -> Result:
    route = contestant.route
    result = Result(
        source=source.name,
        route=route.name,
        version=route.version,
        rows=contestant.rows,
        types_lost=contestant.lost,
        refused=contestant.refused,
        failed=contestant.failed,
        tls=route.tls,
        command=route.shown,
        note=route.note,
    )
    if not contestant.rounds:
        return result
    usages = [part.whole for part in contestant.rounds]
    result = with_usages(result, usages, counts_server=source.counts_server)
    return compared(result, contestant.rounds, ours, counts_server=source.counts_server)
