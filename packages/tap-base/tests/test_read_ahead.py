"""Reading ahead changes nothing but when the source is read."""

from __future__ import annotations

import threading

import pytest

from watershed_tap.ahead import BATCHES_AHEAD, read_ahead

pytestmark = pytest.mark.extract


def test_all_batches_come_in_their_order():
    assert list(read_ahead(iter(range(1, 100)))) == list(range(1, 100))


def test_nothing_comes_of_nothing():
    assert list(read_ahead(iter([]))) == []


def test_a_failure_comes_behind_what_was_read_before_it():
    def failing():
        yield from (1, 2, 3)
        raise OSError("the source stopped")

    seen = []
    with pytest.raises(OSError, match="the source stopped"):
        seen.extend(batch for batch in map(seen.append, read_ahead(failing())) if batch)
    assert seen == [1, 2, 3]


def test_the_source_is_read_while_a_batch_is_worked_on_but_only_so_far():
    read, is_enough = [], threading.Event()

    def counted():
        for number in range(1, 1000):
            read.append(number)
            if number > BATCHES_AHEAD:
                is_enough.set()
            yield number

    ahead = read_ahead(counted())
    assert next(ahead) == 1
    assert is_enough.wait(10)
    ahead.close()
    assert len(read) == BATCHES_AHEAD + 1


def test_nobody_reads_any_more_once_it_is_closed():
    batches = iter(range(1, 1000))
    ahead = read_ahead(batches)
    next(ahead)
    ahead.close()
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
    next(batches)
