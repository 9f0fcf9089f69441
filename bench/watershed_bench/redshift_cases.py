"""What no peer is compared with: where the time of our commits to Redshift goes."""

import json
from collections.abc import Sequence
from dataclasses import replace

from watershed_bench.arithmetic import spread
from watershed_bench.comparison import Plan
from watershed_bench.measure import RunFailedError, Usage, run
from watershed_bench.redshift import Redshift, WatershedIntoRedshift
from watershed_bench.results import Result, with_usages
from watershed_bench.routes import Places

PART_OF_A_COMMIT = 4


def commits(places: Places, source: Redshift, plan: Plan) -> list[Result]:
    """Measure the commit of one large batch, of one with documents, and a run without news."""
    route = WatershedIntoRedshift(places, source)
    rows = plan.rows // PART_OF_A_COMMIT
    orders, documents = source.orders(rows), source.documents(rows)
    result = Result(
        source=source.name,
        route="watershed-commit",
        version=route.version,
        rows=rows,
        tls=route.tls,
        command=f"{route.shown}, a new table",
    )
    with_documents = replace(
        result,
        route="watershed-commit-documents",
        command=f"{result.command} with a UUID and a document beside: CSV",
    )
    unchanged = replace(
        result, route="watershed-unchanged", command=f"{route.shown}, no row changed"
    )
    return [
        _measured(result, route, plan, orders, "batch"),
        _measured(with_documents, route, plan, documents, "batch"),
        _measured(unchanged, route, plan, orders, "unchanged"),
    ]


def _measured(
    result: Result, route: WatershedIntoRedshift, plan: Plan, table: str, kind: str
) -> Result:
    usages: list[Usage] = []
    seconds: list[dict[str, float]] = []
    try:
        if kind == "unchanged":
            route.clear()
            _run(route, plan, table, "batch")
        for _ in range(plan.rounds):
            if kind != "unchanged":
                route.clear()
            usage, noted = _run(route, plan, table, kind)
            if kind == "unchanged" and noted["copies"]:
                raise RunFailedError(f"{noted['copies']} COPY in a run without news")  # noqa: TRY301
            usages.append(usage)
            seconds.append(noted["seconds"])
    except RunFailedError as error:
        return replace(result, failed=str(error))
    counted = with_usages(result, usages, counts_server=False)
    return replace(counted, seconds=_medians(seconds) if kind != "unchanged" else {})


def _run(
    route: WatershedIntoRedshift, plan: Plan, table: str, kind: str
) -> tuple[Usage, dict[str, dict[str, float]]]:
    noted = route.folder / "seconds.json"
    usage = run(
        route.timed(table, kind, noted),
        server_pids=[],
        log_file=plan.logs / f"redshift-commit-{table}-{kind}.log",
        seconds_allowed=plan.seconds_allowed,
    )
    return usage, json.loads(noted.read_text())


def _medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    parts = {part for seconds in rounds for part in seconds}
    return {
        part: round(spread([seconds.get(part, 0.0) for seconds in rounds]).median, 3)
        for part in sorted(parts)
    }
