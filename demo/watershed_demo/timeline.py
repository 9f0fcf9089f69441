"""When things happen at the company: a history of two years, then one day after another."""

import dataclasses
import datetime as dt
import math
from dataclasses import dataclass

from watershed_demo.chance import Dice

DEFAULT_SEED = 20260630
HISTORY_START = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)
# Nothing in the history carries this moment or a later one; day 1 begins with it.
HISTORY_END = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
NEW_ROWS_PER_DAY = 0.004
LATE_ROWS = 0.1


@dataclass(frozen=True)
class Changes:
    """How many rows of a table, or documents of a collection, a day changed."""

    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class Timing:
    """When rows came to be.

    Attributes:
        start: of the window in which they did.
        end: of that window.
        horizon: nothing is stamped at or after this moment.
        late_rows: how many of the first rows were committed late: after ``late_before`` had been
            seen as the highest ``updated_at``, and stamped up to thirty minutes below it.
        late_before: see ``late_rows``.
    """

    start: dt.datetime
    end: dt.datetime
    horizon: dt.datetime
    late_rows: int = 0
    late_before: dt.datetime | None = None

    @classmethod
    def of_history(cls) -> "Timing":
        """The two years."""
        return cls(HISTORY_START, HISTORY_END, HISTORY_END)

    @classmethod
    def of_day(cls, number: int) -> "Timing":
        """The ``number``-th day after the history."""
        start = HISTORY_END + dt.timedelta(days=number - 1)
        end = start + dt.timedelta(days=1)
        return cls(start, end, horizon=end)

    def with_late(self, numbers: range, late_before: dt.datetime) -> "Timing":
        """Let a tenth of these rows, at least one, come late."""
        late_rows = max(1, round(len(numbers) * LATE_ROWS))
        return dataclasses.replace(self, late_rows=late_rows, late_before=late_before)

    def stamp(self, dice: Dice, numbers: range) -> tuple[dt.datetime, dt.datetime]:
        """Tell when the row of ``dice``, one of ``numbers``, was made and when it last changed."""
        index = dice.number - numbers.start
        if self.late_before is not None and index < self.late_rows:
            late = self.late_before - dt.timedelta(minutes=1 + dice.number % 29)
            return late, late
        created = self.start + (self.end - self.start) * (
            (index + dice.roll("created")) / len(numbers)
        )
        return created, created + (self.horizon - created) * dice.roll("updated")

    def moment(self, dice: Dice, purpose: str) -> dt.datetime:
        """Tell a moment of the window."""
        return self.start + (self.end - self.start) * dice.roll(purpose)


def new_numbers(history: int, day: int) -> range:
    """Tell the numbers of a day's new rows, which follow those of the day before.

    Args:
        history: how many rows the history has.
        day: 1 is the first after it.
    """
    per_day = max(5, round(history * NEW_ROWS_PER_DAY))
    first = history + (day - 1) * per_day + 1
    return range(first, first + per_day)


def sample(dice: Dice, size: int, share: float) -> list[int]:
    """Choose about this share of the numbers 1..``size``, at least one."""
    count = max(1, math.ceil(size * share))
    chosen = (dataclasses.replace(dice, number=i).up_to(size, "chosen") for i in range(count))
    return sorted(set(chosen))
