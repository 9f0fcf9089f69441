"""What no peer is compared with: ours when little or nothing changed, and ours as a table grows."""

from collections.abc import Sequence
from dataclasses import replace

from watershed_bench.comparison import Plan
from watershed_bench.measure import RunFailedError, Usage, run
from watershed_bench.results import Result, with_usages
from watershed_bench.routes import Places
from watershed_bench.sources import ServerSource, Source
from watershed_bench.watershed_route import TAPS, Project, Watershed

CHANGED_ONE_IN = 1000
GROWTH = (0.25, 0.5, 1, 2)
FIXED_ROWS = 5000
INCREMENTAL = {"replication-method": "INCREMENTAL", "replication-key": "updated_at"}


class IncrementalRuns:
    """A project whose tables were loaded once, and the runs that follow."""

    def __init__(
        self, places: Places, sources: Sequence[ServerSource], rows: int, plan: Plan
    ) -> None:
        self.sources = sources
        self._plan = plan
        self.name = sources[0].name if len(sources) == 1 else "all"
        self.project = Project(places.repository, places.work / "routes" / f"{self.name}-hourly")
        self.project.create()
        self.project.clear()
        tables = [source.hourly(rows) for source in sources]
        self._extractors = [
            self.project.extractor(source, table, INCREMENTAL)
            for source, table in zip(sources, tables, strict=True)
        ]

    def run(self, what: str) -> Usage:
        """Run once.

        Raises:
            RunFailedError: it ended with an error.
        """
        return run(
            self.project.run(list(self.sources), self._extractors),
            server_pids=[source.server_pid for source in self.sources],
            log_file=self._plan.logs / f"{self.name}-hourly-{what}.log",
            seconds_allowed=self._plan.seconds_allowed,
        )


def hourly(places: Places, source: ServerSource, plan: Plan) -> list[Result]:
    """Measure a run after which nothing is new, and one after which one row in a thousand is."""
    rows = plan.rows
    shown = f"`meltano run {TAPS[source.name]}--hourly target-duckdb`, INCREMENTAL, "
    results = [
        _result(source.name, "watershed-unchanged", rows, shown + "no row changed"),
        _result(source.name, "watershed-changed", rows, shown + "0.1 % of the rows changed"),
    ]
    unchanged: list[Usage] = []
    changed: list[Usage] = []
    table = source.hourly(rows)
    try:
        runs = IncrementalRuns(places, [source], rows, plan)
        runs.run("first")
        for _ in range(plan.rounds):
            unchanged.append(runs.run("unchanged"))
            source.change(table, CHANGED_ONE_IN)
            changed.append(runs.run("changed"))
    except RunFailedError as error:
        return [_failed(result, error) for result in results]
    counts_server = source.counts_server
    return [
        with_usages(result, usages, counts_server=counts_server)
        for result, usages in zip(results, (unchanged, changed), strict=True)
    ]


def fixed(places: Places, sources: Sequence[ServerSource], plan: Plan) -> list[Result]:
    """Measure one ``meltano run`` over all sources in which nothing changed."""
    pairs = " ".join(f"{TAPS[source.name]}--hourly target-duckdb" for source in sources)
    name = "all" if len(sources) > 1 else sources[0].name
    shown = f"`meltano run {pairs}`, INCREMENTAL, no row changed"
    result = _result(name, "watershed-fixed", FIXED_ROWS, shown)
    try:
        runs = IncrementalRuns(places, sources, FIXED_ROWS, plan)
        runs.run("first")
        usages = [runs.run("fixed") for _ in range(plan.rounds)]
    except RunFailedError as error:
        return [_failed(result, error)]
    return [with_usages(result, usages, counts_server=False)]


def growth(places: Places, source: Source, plan: Plan) -> list[Result]:
    """Measure ours at a quarter, half, once and twice the rows, interleaved."""
    route = Watershed(places, source)
    route.install()
    sizes = [int(plan.rows * part) for part in GROWTH]
    usages: dict[int, list[Usage]] = {size: [] for size in sizes}
    failed: dict[int, RunFailedError] = {}
    for _ in range(plan.rounds):
        for size in (size for size in sizes if size not in failed):
            table = source.orders(size)
            route.clear()
            try:
                usage = run(
                    route.command(table),
                    server_pids=[source.server_pid],
                    log_file=plan.logs / f"{source.name}-growth-{size}.log",
                    seconds_allowed=plan.seconds_allowed,
                )
            except RunFailedError as error:
                failed[size] = error
            else:
                usages[size].append(usage)
    results = []
    for size in sizes:
        result = _result(source.name, f"watershed-growth-{size}", size, route.shown)
        done = usages[size]
        results.append(
            _failed(result, failed[size]) if size in failed else with_usages(result, done)
        )
    return results


def _result(source: str, route: str, rows: int, shown: str) -> Result:
    return Result(
        source=source,
        route=route,
        version=Watershed.versions(),
        rows=rows,
        tls=Watershed.tls,
        command=shown,
    )


def _failed(result: Result, error: RunFailedError) -> Result:
    return replace(result, failed=str(error))
