"""What a comparison finds, and the file that keeps it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from watershed_bench import arithmetic
from watershed_bench.arithmetic import Spread
from watershed_bench.measure import Usage


@dataclass(frozen=True)
class Round:
    """One route's two runs of one round."""

    rows: int
    whole: Usage
    fewer_rows: int
    fewer: Usage

    def marginal_us(self, cpu: Callable[[Usage], float]) -> float:
        """Processor time per row, start-up not counted."""
        return arithmetic.marginal_us(self.rows, cpu(self.whole), self.fewer_rows, cpu(self.fewer))


@dataclass(frozen=True)
class Result:
    """What one route of one source cost; seconds, megabytes of 2**20 bytes, medians of the rounds.

    Attributes:
        source: e.g. ``postgres``; ``all`` where several are read.
        route: e.g. ``watershed``.
        rows: of the larger table.
        cpu_s: of client and server; of the client only where `server_cpu_s` is None.
        peak_process_mb: of the largest single process; ``peak_mb`` is that of all of them.
        types_lost: what arrived otherwise than the source has it, or did not.
        refused: what the route said to values that not every format can hold; None if it took them.
        cpu_ratio: how many times ours the marginal processor time is, per round.
        wall_ratio: the same of the time per row.
        seconds: of a commit to Redshift, by what takes them; medians.
        failed: why there are no figures.
    """

    source: str
    route: str
    version: str
    rows: int
    cpu_s: float | None = None
    wall_s: float | None = None
    peak_mb: float | None = None
    marginal_cpu_us_per_row: float | None = None
    types_lost: list[str] = field(default_factory=list)
    client_cpu_s: float | None = None
    server_cpu_s: float | None = None
    peak_process_mb: float | None = None
    rounds: int = 0
    cpu_ratio: Spread | None = None
    wall_ratio: Spread | None = None
    refused: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    failed: str | None = None
    tls: str = ""
    command: str = ""
    note: str = ""
    machine: str = ""
    measured_on: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What a later measurement of the same replaces."""
        return self.source, self.route


def with_usages(result: Result, usages: Sequence[Usage], *, counts_server: bool = True) -> Result:
    """Add the medians of ``usages`` to ``result``."""

    def median(figure: Callable[[Usage], float]) -> float:
        return round(arithmetic.spread([figure(usage) for usage in usages]).median, 3)

    return replace(
        result,
        rounds=len(usages),
        cpu_s=median(cpu_of(counts_server=counts_server)),
        wall_s=median(lambda usage: usage.wall_s),
        client_cpu_s=median(lambda usage: usage.client_cpu_s),
        server_cpu_s=median(lambda usage: usage.server_cpu_s) if counts_server else None,
        peak_mb=median(lambda usage: usage.peak_mb),
        peak_process_mb=median(lambda usage: usage.peak_process_mb),
    )


def cpu_of(*, counts_server: bool) -> Callable[[Usage], float]:
    """Tell which processor time counts: that of the client, or the server's too."""
    return (lambda usage: usage.cpu_s) if counts_server else (lambda usage: usage.client_cpu_s)


def compared(
    result: Result,
    theirs: Sequence[Round],
    ours: Sequence[Round],
    *,
    counts_server: bool,
) -> Result:
    """Add marginal cost and, round by round, the comparison with ours.

    Args:
        result: of the route.
        theirs: its rounds.
        ours: those of our own route; none if it was not run or failed.
        counts_server: whether the server's processor time counts.
    """
    cpu = cpu_of(counts_server=counts_server)
    marginal = [part.marginal_us(cpu) for part in theirs]
    own = [part.marginal_us(cpu) for part in ours]
    wall = [part.whole.wall_s / part.rows for part in theirs]
    own_wall = [part.whole.wall_s / part.rows for part in ours]
    return replace(
        result,
        marginal_cpu_us_per_row=round(arithmetic.spread(marginal).median, 3),
        cpu_ratio=_rounded(arithmetic.ratios(own, marginal)),
        wall_ratio=_rounded(arithmetic.ratios(own_wall, wall)),
    )


def _rounded(value: Spread | None) -> Spread | None:
    if value is None:
        return None
    return Spread(round(value.median, 3), round(value.lowest, 3), round(value.highest, 3))


def read(file: Path) -> list[Result]:
    """Read the results in ``file``; none if there is no such file."""
    return [_result(entry) for entry in json.loads(file.read_text())] if file.exists() else []


def _result(entry: dict[str, Any]) -> Result:
    spreads = {
        name: Spread(**entry[name]) for name in ("cpu_ratio", "wall_ratio") if entry.get(name)
    }
    return Result(**{**entry, **spreads})


def write(file: Path, results: Iterable[Result]) -> list[Result]:
    """Write results beside those that ``file`` has of other routes, and return them all."""
    kept = {result.key: result for result in read(file)}
    kept |= {result.key: result for result in results}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([asdict(result) for result in kept.values()], indent=1) + "\n")
    return list(kept.values())
