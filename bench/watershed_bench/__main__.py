"""The command line; see ``bench/run.py --help``."""

import argparse
import datetime as dt
import fcntl
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from watershed_bench import cases, machine, report, results
from watershed_bench.comparison import Plan, compare
from watershed_bench.dlt_routes import DltConnectorX, DltPyArrow
from watershed_bench.killed import killed
from watershed_bench.limit_routes import Copy, Limit
from watershed_bench.redshift import (
    PipelineWiseIntoRedshift,
    Redshift,
    WatershedIntoRedshift,
    WatershedRecordsIntoRedshift,
)
from watershed_bench.redshift_cases import commits
from watershed_bench.results import Result
from watershed_bench.routes import Places, Route
from watershed_bench.singer_routes import (
    MeltanoLabsMongo,
    PipelineWiseMongo,
    Singer,
    SingerMongo,
    WatershedTap,
)
from watershed_bench.sling_route import Sling
from watershed_bench.sources import MongoDb, MySql, Postgres, ServerSource, Source
from watershed_bench.watershed_route import Watershed

REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "bench" / "results" / "latest.json"
DOCUMENT = REPOSITORY / "docs" / "benchmarks.md"
SOURCES: dict[str, type[Source]] = {
    source.name: source for source in (Postgres, MySql, MongoDb, Redshift)
}
ROWS = {"postgres": 4_000_000, "mysql": 2_000_000, "mongodb": 25_000, "redshift": 4_000_000}
ROUTES: tuple[type[Route], ...] = (
    Watershed,
    Limit,
    Copy,
    DltConnectorX,
    DltPyArrow,
    Sling,
    Singer,
    WatershedTap,
    SingerMongo,
    PipelineWiseMongo,
    MeltanoLabsMongo,
    WatershedIntoRedshift,
    WatershedRecordsIntoRedshift,
    PipelineWiseIntoRedshift,
)
CASES = ("full", "hourly", "fixed", "growth", "killed")
QUICK_PART = 10


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench/run.py",
        description="Compares ways to bring a table into DuckDB, or into a stand-in of Redshift. "
        "Data sets stay in output/bench.",
    )
    names = sorted({route.name for route in ROUTES})
    parser.add_argument(
        "--source", choices=SOURCES, action="append", help="default: all; may recur"
    )
    parser.add_argument("--routes", help=f"separated by commas, of: {', '.join(names)}")
    parser.add_argument(
        "--cases",
        help=f"separated by commas, of: {', '.join(CASES)}; default: the first three",
    )
    parser.add_argument("--rows", type=int, help="of the large table, e.g. 400000")
    parser.add_argument("--rounds", type=int, default=3, help="how often each route runs")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--growth", action="store_true", help="also 1, 2, 4, 8 million rows, ours")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for one run")
    parser.add_argument(
        "--scratch", action="store_true", help="only print: leave latest.json and docs alone"
    )
    options = parser.parse_args(arguments)
    options.routes = _chosen(parser, "--routes", options.routes, names)
    options.cases = _chosen(parser, "--cases", options.cases, CASES) if options.cases else CASES[:3]
    if options.growth:
        options.cases = [*options.cases, "growth", "killed"]
    return options


def _chosen(
    parser: argparse.ArgumentParser, option: str, text: str | None, known: Sequence[str]
) -> list[str]:
    chosen = text.split(",") if text else list(known)
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        parser.error(f"{option}: {', '.join(unknown)} unknown; there are {', '.join(known)}")
    return chosen


def main(arguments: list[str]) -> int:
    """Run what was asked for, print the table and keep it; 1 if a route failed."""
    options = parse(arguments)
    places = Places(REPOSITORY, REPOSITORY / "output" / "bench")
    places.work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = stack.enter_context((places.work / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(
                "bench: another comparison runs here; both would measure the other: wait for it"
            )
        sources = [
            stack.enter_context(SOURCES[name](places.work / "servers"))
            for name in options.source or SOURCES
        ]
        found = [result for source in sources for result in _measure(options, places, source)]
        servers = [source for source in sources if isinstance(source, ServerSource)]
        if "fixed" in options.cases and servers:
            plan = _plan(options, places, servers[0].name)
            found += cases.fixed(places, servers, replace(plan, rounds=_case_rounds(options)))
    _publish(found, is_scratch=options.scratch)
    return 1 if any(result.failed for result in found) else 0


def _measure(options: argparse.Namespace, places: Places, source: Source) -> list[Result]:
    """Run all that concerns one source alone."""
    plan = _plan(options, places, source.name)
    found: list[Result] = []
    if "full" in options.cases:
        chosen = [
            route
            for route in ROUTES
            if source.name in route.source_names and route.name in options.routes
        ]
        left_out = [route for route in chosen if options.quick and route.quick_rounds == 0]
        for route in left_out:
            sys.stderr.write(f"{source.name} {route.name}: left out of a quick comparison\n")
        routes = [route(places, source) for route in chosen if route not in left_out]
        found += compare(source, routes, plan)
    if "hourly" in options.cases and isinstance(source, Redshift):
        found += commits(places, source, replace(plan, rounds=_case_rounds(options)))
    elif (
        "hourly" in options.cases
        and isinstance(source, ServerSource)
        and (source.name == "postgres" or not options.quick)
    ):
        found += cases.hourly(places, source, replace(plan, rounds=_case_rounds(options)))
    if "growth" in options.cases and source.name == "postgres":
        found += cases.growth(places, source, plan)
    if "killed" in options.cases and isinstance(source, Postgres):
        found += killed(places, source, plan)
    return found


def _case_rounds(options: argparse.Namespace) -> int:
    """How often runs without rows are measured: their processor time varies little."""
    return 1 if options.quick else int(options.rounds)


def _plan(options: argparse.Namespace, places: Places, source: str) -> Plan:
    rows = options.rows or ROWS[source] // (QUICK_PART if options.quick else 1)
    if source == "mongodb":
        rows = min(rows, ROWS[source])  # the demo's server is slow
    return Plan(
        rows=rows,
        rounds=options.rounds,
        is_quick=options.quick,
        seconds_allowed=options.timeout,
        logs=places.work / "logs",
    )


def _publish(found: list[Result], *, is_scratch: bool) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    where = machine.describe()
    found = [replace(result, machine=where, measured_on=today) for result in found]
    if not is_scratch:
        report.render_into(DOCUMENT, results.write(RESULTS, found))
    sys.stdout.write(report.render(found))


if __name__ == "__main__":
    # Else what runs at the moment would go on without us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))
    sys.exit(main(sys.argv[1:]))
