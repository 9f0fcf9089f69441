"""Comparing a table with its source: range by range, then key by key where they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watershed.proof.ranges import Ranges
    from watershed.proof.sides import Digests, Side

KEYS_NAMED = 100


@dataclass
class Differences:
    """Keys of rows that are not the same, by how.

    Attributes:
        missing: At the source, not in the warehouse.
        extra: In the warehouse, no longer at the source.
        different: In both, with other values or another number of rows.
        keyless: Rows differ that nothing identifies.
        unsettled: Keys that a transaction which was open during the load may have changed.
        source: The digests that the source's rows had.
    """

    missing: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    different: set[str] = field(default_factory=set)
    keyless: bool = False
    unsettled: set[str] = field(default_factory=set)
    source: Digests = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """All that count."""
        return self.missing | self.extra | self.different

    def __len__(self) -> int:
        return len(self.keys) + self.keyless

    def named(self) -> list[tuple[str, str]]:
        """The first keys, each with how it differs."""
        kinds = ("missing", "extra", "different")
        return [(kind, key) for kind in kinds for key in sorted(getattr(self, kind))][:KEYS_NAMED]


def compare(source: Side, raw: Side, ranges: Ranges) -> tuple[int, Differences]:
    """Compare the ranges whose turn it is.

    Returns:
        Rows of the source that were compared, and what differs.
    """
    here = raw.groups(ranges.group(raw), ranges.condition(raw))
    there = source.groups(ranges.group(source), ranges.condition(source))
    rows = sum(count for count, _ in there.values())
    names = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    if not names:
        return rows, Differences()
    if not source.key:
        return rows, Differences(keyless=True)
    return rows, classified(
        source.digests(ranges.within(source, names)), raw.digests(ranges.within(raw, names))
    )


def compare_keys(source: Side, raw: Side, keys: set[str]) -> Differences:
    """Compare the rows of some keys."""
    return classified(source.digests_of(keys), raw.digests_of(keys))


def classified(source: Digests, raw: Digests) -> Differences:
    """Say of each key how it differs."""
    return Differences(
        missing=source.keys() - raw.keys(),
        extra=raw.keys() - source.keys(),
        different={key for key in source.keys() & raw.keys() if source[key] != raw[key]},
        source=source,
    )
