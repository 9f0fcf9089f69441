"""R-8: a source is read no faster than its owner allows."""

import pytest

from watershed_tap.bulk import BulkSettings, Throttle

pytestmark = pytest.mark.extract


class Clock:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("watershed_tap.bulk.time", clock)
    return clock


def throttle(rows: int | None = None, size: int | None = None) -> Throttle:
    return Throttle(BulkSettings(None, 1, 0, rows_per_second=rows, bytes_per_second=size))


def test_rows_pass_at_their_rate(clock: Clock) -> None:
    limited = throttle(rows=100)
    for _ in range(1_001):
        limited.pass_record({"id": 1, "t": "abc"})
    assert clock.now - 1_000 == pytest.approx(10, abs=0.02)


def test_bytes_pass_at_their_rate(clock: Clock) -> None:
    limited = throttle(size=2_000)
    for _ in range(11):
        limited.pass_record({"id": 1, "t": "x" * 992})
    assert clock.now - 1_000 == pytest.approx(5, abs=0.02)


def test_the_stricter_limit_holds(clock: Clock) -> None:
    limited = throttle(rows=100, size=1_000)
    limited.pass_on(100, 10_000)
    limited.pass_on(1, 1)
    assert clock.now - 1_000 == pytest.approx(10, abs=0.02)


def test_no_burst_follows_a_pause(clock: Clock) -> None:
    """While the target loads for an hour, no right to an hour's rows grows."""
    limited = throttle(rows=100)
    clock.sleep(3_600)
    before = clock.now
    for _ in range(1_001):
        limited.pass_on(1, 0)
    assert clock.now - before == pytest.approx(9, abs=0.02)


def test_without_a_limit_nothing_waits(clock: Clock) -> None:
    throttle().pass_record({"id": 1})
    throttle().pass_on(10**9, 10**12)
    assert clock.now == 1_000
