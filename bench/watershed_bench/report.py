"""Renders results as Markdown tables, and puts them into the document."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from watershed_bench.arithmetic import Spread, deviation_from_line
from watershed_bench.results import Result

BEGIN, END = "<!-- results: begin (written by bench/run.py) -->", "<!-- results: end -->"
TITLES = {
    "postgres": "PostgreSQL",
    "mysql": "MariaDB",
    "mongodb": "MongoDB",
    "redshift": "Into Redshift's stand-in",
    "all": "All sources",
}
GROWTH = "watershed-growth-"
CASES = ("watershed-unchanged", "watershed-changed", "watershed-fixed", "watershed-killed")
COMMITS = ("watershed-commit", "watershed-commit-documents")
OURS_IN_A_COMMIT = ("planning", "upload", "ddl", "commit")
"""What takes time in a commit beside COPY and the warehouse's own work on rows."""


def _parts(result: Result) -> str:
    if result.client_cpu_s is None:
        return "-"
    if result.server_cpu_s is None:
        return f"{result.client_cpu_s:.1f}, client only"
    return f"{result.client_cpu_s:.1f} + {result.server_cpu_s:.1f}"


def _times(value: Spread | None) -> str:
    return f"{value.median:.2f} ({value.lowest:.2f}-{value.highest:.2f})" if value else "-"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _share(result: Result, parts: Sequence[str]) -> str:
    whole = sum(result.seconds.values())
    return f"{sum(result.seconds.get(part, 0) for part in parts) / whole:.0%}" if whole else "-"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


FULL_COLUMNS: dict[str, Callable[[Result], str]] = {
    "route": lambda result: f"`{result.route}`",
    "rows": lambda result: f"{result.rows:,}",
    "CPU µs per row, marginal": lambda result: _number(result.marginal_cpu_us_per_row, 2),
    "times ours (range)": lambda result: _times(result.cpu_ratio),
    "CPU s, client + server": _parts,
    "wall s": lambda result: _number(result.wall_s, 1),
    "per row, times ours": lambda result: _times(result.wall_ratio),
    "MB, tree": lambda result: _number(result.peak_mb, 0),
    "MB, one process": lambda result: _number(result.peak_process_mb, 0),
}
CASE_COLUMNS = {
    "source": lambda result: TITLES[result.source],
    **{name: FULL_COLUMNS[name] for name in ("route", "rows")},
    **{name: FULL_COLUMNS[name] for name in ("CPU s, client + server", "wall s", "MB, tree")},
    "MB, one process": FULL_COLUMNS["MB, one process"],
}
COMMIT_COLUMNS: dict[str, Callable[[Result], str]] = {
    **{name: FULL_COLUMNS[name] for name in ("route", "rows")},
    **{
        f"{part}, s": lambda result, part=part: _number(result.seconds.get(part), 2)  # type: ignore[misc]
        for part in (*OURS_IN_A_COMMIT, "copy", "rows")
    },
    "outside of COPY": lambda result: _share(result, OURS_IN_A_COMMIT),
    "with work on rows": lambda result: _share(result, (*OURS_IN_A_COMMIT, "rows")),
    "MB, one process": FULL_COLUMNS["MB, one process"],
}


def render(results: Sequence[Result]) -> str:
    """Render all tables; where there is nothing to show, no table."""
    parts = []
    for source, title in TITLES.items():
        full = [
            result
            for result in results
            if result.source == source
            and not result.route.startswith(GROWTH)
            and result.route not in {*CASES, *COMMITS}
        ]
        if full:
            parts += [f"### {title}: a table read whole", _table(FULL_COLUMNS, full)]
            parts += [_list("What arrived otherwise than it was sent", _losses(full))]
            parts += [_list("Routes", _descriptions(full))]
    small = [result for result in results if result.route in CASES]
    if small:
        parts += [
            "### Ours when little or nothing changed, and after a kill",
            _table(CASE_COLUMNS, small),
        ]
        parts += [_list("Runs", _descriptions(small))]
    commits = [result for result in results if result.route in COMMITS]
    if commits:
        parts += ["### Where the time of a commit to Redshift goes"]
        parts += [_table(COMMIT_COLUMNS, commits), _list("Runs", _descriptions(commits))]
    grown = sorted(
        (result for result in results if result.route.startswith(GROWTH)),
        key=lambda result: result.rows,
    )
    if grown:
        parts += ["### Ours as a table grows", _table(CASE_COLUMNS, grown), _linearity(grown)]
    return "\n\n".join([*_origin(results), *filter(None, parts)]) + "\n"


def render_into(document: Path, results: Sequence[Result]) -> None:
    """Replace what stands between the markers of ``document``.

    Raises:
        ValueError: a marker is missing.
    """
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document}: the lines {BEGIN} and {END} must stand in it")
    document.write_text(f"{before}{BEGIN}\n\n{render(results)}\n{END}{after}")


def _origin(results: Iterable[Result]) -> list[str]:
    """Say where and when the figures were measured: several lines if they are of several runs."""
    origins = sorted({(result.measured_on, result.machine) for result in results})
    return [f"Measured on {day}: {machine}." for day, machine in origins]


def _table(columns: dict[str, Callable[[Result], str]], results: Iterable[Result]) -> str:
    lines = [_line(columns), _line("---" for _ in columns)]
    for result in results:
        shown = [show(result) for show in columns.values()]
        if result.failed:
            shown[-1] = "failed, see below"
        lines.append(_line(shown))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"- {line}" for line in lines)]) if lines else ""


def _losses(results: Iterable[Result]) -> list[str]:
    lines = []
    for result in results:
        if result.types_lost:
            lines.append(f"`{result.route}`: {'; '.join(map(_escaped, result.types_lost))}")
        if result.refused:
            lines.append(f"`{result.route}` refuses: {_escaped(result.refused)}")
    return lines


def _descriptions(results: Iterable[Result]) -> list[str]:
    lines = []
    for result in results:
        parts = [f"`{result.route}` {result.version}: {result.command}"]
        parts += [f"TLS {result.tls}"] if result.tls else []
        parts += [result.note] if result.note else []
        parts += [f"**failed**: {_escaped(result.failed)}"] if result.failed else []
        lines.append(". ".join(parts) + ".")
    return list(dict.fromkeys(lines))


def _linearity(grown: Sequence[Result]) -> str:
    points = [(result.rows, result.cpu_s) for result in grown if result.cpu_s is not None]
    if len(points) <= 2:  # noqa: PLR2004  # two points are always on a line
        return ""
    return (
        f"Largest deviation of a step's slope from the whole's: {deviation_from_line(points):.0%}."
    )
