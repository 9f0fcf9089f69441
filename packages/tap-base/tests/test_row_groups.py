"""Files end where row groups end, as far as their size allows; no row is lost or moved by it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watershed_tap.bulk import ROW_GROUP, HeldRows, in_row_groups

pytestmark = pytest.mark.extract

ROW_BYTES = 8


def batch(first, rows):
    return pa.record_batch([pa.array(range(first, first + rows), pa.int64())], names=["n"])


def batches(sizes):
    first = 0
    for size in sizes:
        yield batch(first, size)
        first += size


def files(cut, file_rows):
    held, found = HeldRows(file_rows * ROW_BYTES), []
    for one in cut:
        held.add(one)
        if held.are_a_file:
            found.append(sum(b.num_rows for b in held.let_go()))
    return [*found, sum(b.num_rows for b in held.let_go())]


@settings(deadline=None)
@given(st.lists(st.integers(1, 3 * ROW_GROUP), max_size=6))
def test_each_row_group_ends_with_a_batch_and_all_rows_come_in_their_order(sizes):
    cut = list(in_row_groups(batches(sizes)))
    ends = {0}
    for one in cut:
        ends.add(max(ends) + one.num_rows)
    assert set(range(0, sum(sizes), ROW_GROUP)) <= ends
    rows = pa.chunked_array([one.column(0) for one in cut], pa.int64())
    assert rows.equals(pa.chunked_array([batch(0, sum(sizes)).column(0)]))


@pytest.mark.parametrize(
    ("file_rows", "expected"),
    [
        (int(2.5 * ROW_GROUP), [ROW_GROUP, 2 * ROW_GROUP, 2 * ROW_GROUP]),
        (int(1.1 * ROW_GROUP), [ROW_GROUP] * 5),
        (ROW_GROUP // 2, [61_440] * 10),
        (9 * ROW_GROUP, [ROW_GROUP, 4 * ROW_GROUP]),
    ],
    ids=["two and a half groups", "little more than one", "half a group", "all"],
)
def test_a_file_is_never_much_larger_than_it_may_be_and_of_whole_groups_if_it_can(
    file_rows, expected
):
    found = files(in_row_groups(batches([20_480] * 30)), file_rows)
    assert [rows for rows in found if rows] == expected


def test_the_first_file_ends_early_so_that_the_target_has_something_to_do():
    assert files(in_row_groups(batches([20_480] * 12)), 9 * ROW_GROUP) == [ROW_GROUP] * 2


def test_rows_of_more_bytes_than_a_group_may_have_make_files_by_their_bytes():
    found = files(in_row_groups(batches([2_048] * 60)), 5_000)
    assert set(found[:-1]) == {6_144}
    assert sum(found) == ROW_GROUP
