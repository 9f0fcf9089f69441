"""The figures that are computed from what was measured."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Spread:
    """A median and the range around it."""

    median: float
    lowest: float
    highest: float


def spread(values: Sequence[float]) -> Spread:
    """Return median and range of ``values``, of which there is at least one."""
    return Spread(statistics.median(values), min(values), max(values))


def marginal_us(rows: int, cpu_s: float, fewer_rows: int, fewer_cpu_s: float) -> float:
    """Return the slope between two runs, in microseconds of processor time per row.

    Start-up costs the same in both runs, so it is not in it.
    """
    return (cpu_s - fewer_cpu_s) * MICROSECONDS / (rows - fewer_rows)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """Compare two routes round by round: how many times ours the other's figure is.

    The rounds of a busy machine differ, the routes of one round less so; a round in which either
    figure is not positive (start-up outweighed the rows) compares nothing.

    Returns:
        None when no round compares.
    """
    pairs = [pair for pair in zip(ours, theirs, strict=False) if min(pair) > 0]
    return spread([other / own for own, other in pairs]) if pairs else None


def deviation_from_line(points: Sequence[tuple[int, float]]) -> float:
    """Say how far from linear growth is: the largest deviation of a step's slope from the whole's.

    Args:
        points: rows and seconds, e.g. ``[(1_000_000, 3.0), (2_000_000, 5.1), (4_000_000, 9.0)]``.

    Returns:
        0.1 when the steepest or flattest step differs from the overall slope by a tenth of it.
    """
    whole = _slope(points[0], points[-1])
    return max(
        abs(_slope(first, second) / whole - 1) for first, second in itertools.pairwise(points)
    )


def _slope(first: tuple[int, float], second: tuple[int, float]) -> float:
    return (second[1] - first[1]) / (second[0] - first[0])
