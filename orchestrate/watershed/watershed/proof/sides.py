"""One table in one engine: counts and digests of its rows, computed there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed.proof.canonical import row_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from watershed.proof.canonical import Dialect
    from watershed_load_plan.types import ColumnType

    Typed = tuple[str, ColumnType]
    Ask = Callable[[str], list[tuple[str | None, ...]]]

KEYS_PER_STATEMENT = 1_000

Digests = dict[str, tuple[str, ...]]
"""By the text of a key, the digests of its rows, sorted."""


@dataclass(frozen=True)
class Side:
    """A table as it is compared.

    Attributes:
        dialect: How its engine writes texts.
        ask: Answers a statement whose columns are all texts.
        table: SQL of its name.
        columns: SQL and type of each column.
        key: Those of the key; empty where nothing identifies a row.
        where: SQL that is true for the rows that are compared.
    """

    dialect: Dialect
    ask: Ask
    table: str
    columns: tuple[Typed, ...]
    key: tuple[Typed, ...]
    where: str

    @property
    def key_text(self) -> str:
        """SQL of the text that names a row."""
        return row_text(self.dialect, self.key)

    @property
    def row_digest(self) -> str:
        """SQL of a row's digest."""
        return self.dialect.digest(row_text(self.dialect, self.columns))

    def groups(self, group: str, condition: str) -> dict[str, tuple[int, int]]:
        """Count and sum up the digests of each group of rows."""
        cast = f"cast({{}} as {self.dialect.text_type})"
        found = self.ask(
            f"select {cast.format(group)}, {cast.format('count(*)')}, "
            f"{cast.format(f'sum({self.row_digest})')} from {self.table} "
            f"where {self.where} and {condition} group by 1"
        )
        return {str(name): (int(rows or 0), int(digest or 0)) for name, rows, digest in found}

    def digests(self, condition: str) -> Digests:
        """Read key and digest of rows."""
        found = defaultdict(list)
        for key, digest in self.ask(
            f"select {self.key_text}, cast({self.row_digest} as {self.dialect.text_type}) "
            f"from {self.table} where {self.where} and {condition}"
        ):
            found[str(key)].append(str(digest))
        return {key: tuple(sorted(digests)) for key, digests in found.items()}

    def digests_of(self, keys: Collection[str]) -> Digests:
        """Read those of the rows that have one of these keys."""
        found: Digests = {}
        for condition in self.having(keys):
            found |= self.digests(condition)
        return found

    def having(self, keys: Collection[str]) -> Iterator[str]:
        """Write conditions that together hold for the rows of these keys."""
        ordered = sorted(keys)
        for start in range(0, len(ordered), KEYS_PER_STATEMENT):
            chunk = ordered[start : start + KEYS_PER_STATEMENT]
            listed = ", ".join(map(self.dialect.literal, chunk))
            yield f"{self.key_text} in ({listed})"
