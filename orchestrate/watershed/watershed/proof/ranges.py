"""Which ranges of keys a comparison takes: all of them, or those whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_load_plan.types import Kind

if TYPE_CHECKING:
    from watershed.proof.sides import Side

ROWS_PER_RANGE = 10_000
RUNS_FOR_ALL = 16
"""Runs in which a sample has been through the whole table."""
ROWS_ALWAYS = 20_000
"""A table of no more is compared whole by every run."""

INTEGERS = {Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT}


@dataclass(frozen=True)
class Ranges:
    """How a table is divided, alike on both sides.

    Where the key's first column is an integer, ranges are of its values, which an index finds.
    Other keys are ordered differently by every engine; there a range is a share of the keys'
    digests.

    Attributes:
        width: Of a range of integers; None where ranges are of digests.
        count: Of all ranges.
        least: The smallest integer in the warehouse.
        greatest: The largest.
        turn: Which share of the ranges is compared; None means all.
    """

    width: int | None
    count: int
    least: int
    greatest: int
    turn: int | None

    def group(self, side: Side) -> str:
        """SQL of the range that a row is in."""
        if not side.key:
            return "0"
        if self.width is None:
            return f"{side.dialect.digest(side.key_text)} % {self.count}"
        return f"{side.key[0][0]} {side.dialect.division} {self.width}"

    def condition(self, side: Side) -> str:
        """SQL that is true for rows that are compared by this run."""
        if self.turn is None:
            return "1 = 1"
        if self.width is None:
            return f"{self.group(side)} % {RUNS_FOR_ALL} = {self.turn}"
        key = side.key[0][0]
        spans = [
            f"{key} between {low} and {high}"
            for low, high in map(self._bounds, self._in_turn(self.width))
        ]
        outside = f"{key} < {self.least} or {key} > {self.greatest}"
        return f"({' or '.join([outside, *spans])})"

    def within(self, side: Side, names: list[str]) -> str:
        """SQL that is true for the rows of some ranges."""
        if not side.key or self.width is None:
            return f"{self.group(side)} in ({', '.join(names)})"
        key = side.key[0][0]
        spans = [
            f"{key} between {low} and {high}" for low, high in map(self._bounds, map(int, names))
        ]
        return f"({' or '.join(spans)})"

    @property
    def compared(self) -> int:
        """How many ranges this run takes."""
        if self.turn is None:
            return self.count
        if self.width is None:
            return len(range(self.turn, self.count, RUNS_FOR_ALL))
        return len(self._in_turn(self.width))

    def _in_turn(self, width: int) -> list[int]:
        first, last = _quotient(self.least, width), _quotient(self.greatest, width)
        return [number for number in range(first, last + 1) if number % RUNS_FOR_ALL == self.turn]

    def _bounds(self, number: int) -> tuple[int, int]:
        """Range 0 is twice as wide: engines cut a quotient towards zero."""
        width = self.width or 1
        low = number * width if number > 0 else (number - 1) * width + 1
        return low, (number + 1) * width - 1 if number >= 0 else number * width


def divide(raw: Side, turn: int | None) -> Ranges:
    """Divide a table as the warehouse has it.

    Args:
        raw: The warehouse's side.
        turn: How many samples were taken before; None compares everything.
    """
    is_integer = bool(raw.key) and raw.key[0][1].kind in INTEGERS
    ends = ", ".join(
        f"cast({bound}({raw.key[0][0]}) as varchar)" if is_integer else "'0'"
        for bound in ("min", "max")
    )
    [(rows, low, high)] = raw.ask(
        f"select cast(count(*) as varchar), {ends} from {raw.table} where {raw.where}"
    )
    total, least, greatest = int(rows or 0), int(low or 0), int(high or 0)
    is_whole = turn is None or total <= ROWS_ALWAYS or not raw.key
    count = 1 if not raw.key else max(1, -(-total // ROWS_PER_RANGE))
    width = None
    if is_integer:
        width = max(1, (greatest - least + 1) // count)
        count = _quotient(greatest, width) - _quotient(least, width) + 1
    return Ranges(width, count, least, greatest, None if is_whole else (turn or 0) % RUNS_FOR_ALL)


def _quotient(value: int, width: int) -> int:
    """Divide as SQL does, cutting towards zero."""
    return value // width if value >= 0 else -(-value // width)
