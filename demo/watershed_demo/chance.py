"""Chance that repeats: every "random" number is a hash of the seed, a purpose and a row's number.

This is what ``demo/shop/chance.sql`` does in PostgreSQL, to the last bit, so that a person of the
shop can be told here without asking the shop.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Option = TypeVar("Option")


@dataclass(frozen=True)
class Dice:
    """The chances of one row.

    Attributes:
        seed: of the company, e.g. ``"20260630"``; of a day's changes, ``"20260630:3"``.
        kind: of the row, e.g. ``"contact"``.
        number: of the row.
    """

    seed: str
    kind: str
    number: int

    def hash(self, purpose: str) -> str:
        """Tell 32 hexadecimal digits."""
        text = f"{self.seed}:{self.kind}.{purpose}:{self.number}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def roll(self, purpose: str) -> float:
        """Tell a number in [0, 1)."""
        return int(self.hash(purpose)[:8], 16) / 4294967296

    def up_to(self, size: int, purpose: str) -> int:
        """Tell a number in 1..size."""
        return 1 + math.floor(self.roll(purpose) * size)

    def pick(self, options: Sequence[Option], purpose: str) -> Option:
        """Choose one; an option that stands there twice comes twice as often."""
        return options[self.up_to(len(options), purpose) - 1]

    def happens(self, share: float, purpose: str) -> bool:
        """Tell whether what happens to this share of all rows happens to this one."""
        return self.roll(purpose) < share

    def uuid(self, purpose: str) -> str:
        """Tell a UUID as text."""
        digits = self.hash(purpose)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
