"""The figures of the comparison follow from what was measured."""

import pytest

from watershed_bench import arithmetic
from watershed_bench.arithmetic import Spread

pytestmark = pytest.mark.extract


def test_start_up_does_not_count_in_the_marginal_cost():
    for start_up in (0, 5, 60):
        cost = arithmetic.marginal_us(4_000_000, start_up + 12, 1_000_000, start_up + 3)
        assert cost == pytest.approx(3)


def test_a_ratio_is_taken_within_each_round_because_rounds_differ():
    quiet, busy = 2.0, 20.0
    assert arithmetic.ratios([quiet, busy, quiet], [2 * quiet, 3 * busy, 4 * quiet]) == Spread(
        median=3, lowest=2, highest=4
    )


@pytest.mark.parametrize("ours", [[], [0.0], [-1.0]])
def test_what_was_not_measured_is_compared_with_nothing(ours):
    assert arithmetic.ratios(ours, [1.0]) is None


def test_a_round_in_which_start_up_outweighed_the_rows_is_left_out():
    assert arithmetic.ratios([1.0, -0.5, 2.0], [2.0, 2.0, 8.0]) == Spread(3, 2, 4)


def test_growth_along_a_line_deviates_from_none():
    line = [(rows, 3 + rows * 2e-6) for rows in (1_000_000, 2_000_000, 4_000_000, 8_000_000)]
    assert arithmetic.deviation_from_line(line) == pytest.approx(0)


def test_growth_that_steepens_is_told_by_its_steepest_or_flattest_step():
    points = [(1_000_000, 1.0), (2_000_000, 2.0), (4_000_000, 6.0)]
    assert arithmetic.deviation_from_line(points) == pytest.approx(0.4)
