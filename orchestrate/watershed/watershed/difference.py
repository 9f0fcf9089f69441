"""What is different between two relations: rows by their key, and values by column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from watershed.publication_plan import one_row, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watershed.engine import Connection

DOCUMENT_TYPES = {"super"}
"""Types that have no `=` of their own; their text is compared."""


@dataclass(frozen=True)
class Pair:
    """A model as it was in the last good build, and as it is.

    Attributes:
        model: Its name.
        was: The quoted name of the relation before.
        now: The quoted name of the relation now.
        columns_before: The columns of the one, each with its type.
        columns: The columns of the other.
        key: Columns that identify a row; empty when none is known.
    """

    model: str
    was: str
    now: str
    columns_before: Mapping[str, str]
    columns: Mapping[str, str]
    key: tuple[str, ...]

    @property
    def has_key(self) -> bool:
        """Whether rows can be found again."""
        return bool(self.key) and set(self.key) <= self.columns_before.keys() & self.columns.keys()

    @property
    def joined(self) -> str:
        """Both, row by row."""
        on = " and ".join(f"was.{quoted(name)} = now.{quoted(name)}" for name in self.key)
        return f"{self.was} as was full outer join {self.now} as now on {on}"

    def differs(self) -> dict[str, str]:
        """Write for each column of both that its values differ, where NULL is a value too."""
        conditions = {}
        for name in self.columns:
            if name not in self.columns_before or name in self.key:
                continue
            was, now = f"was.{quoted(name)}", f"now.{quoted(name)}"
            if DOCUMENT_TYPES & {self.columns_before[name], self.columns[name]}:
                was, now = f"json_serialize({was})", f"json_serialize({now})"
            # Redshift has no `is distinct from`.
            conditions[name] = f"not coalesce({was} = {now}, {was} is null and {now} is null)"
        return conditions


@dataclass(frozen=True)
class Difference:
    """How a model differs from what it was in the last good build.

    Attributes:
        model: Its name.
        rows: How many it has now.
        rows_before: How many it had; None for a model that is new.
        added: Rows whose key was not there before.
        removed: Rows whose key is gone.
        changed: Rows of the same key with another value in a column that both have.
        columns: Such rows per column, e.g. ``{"currency_code": 120}``, where there are any.
        new_columns: Columns that were not there before.
        gone_columns: Columns that are gone.
        key: The columns that tell one row from another, as its tests say; empty: none is tested,
            and only rows are counted.
        samples: Some keys for each of `added`, `removed`, `changed`.
    """

    model: str
    rows: int
    rows_before: int | None
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    new_columns: tuple[str, ...] = ()
    gone_columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    samples: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @property
    def is_none(self) -> bool:
        """Whether rows, values and columns are what they were."""
        counts = (self.added, self.removed, self.changed, self.new_columns, self.gone_columns)
        return self.rows == self.rows_before and not any(counts)


def row_count(connection: Connection, relation: str) -> int:
    """Count the rows of a relation, given by its quoted name."""
    return int(one_row(connection, f"select count(*) from {relation}")[0])


def compare(connection: Connection, pair: Pair, *, sample: int) -> Difference:
    """Compare a model with what it was.

    Args:
        connection: Where both are.
        pair: The two relations.
        sample: How many keys to show of each kind of difference.
    """
    before, now = pair.columns_before, pair.columns
    found = Difference(
        model=pair.model,
        rows=row_count(connection, pair.now),
        rows_before=row_count(connection, pair.was),
        new_columns=tuple(name for name in now if name not in before),
        gone_columns=tuple(name for name in before if name not in now),
    )
    if not pair.has_key:
        return found
    differs = pair.differs()
    first = quoted(pair.key[0])
    both = f"was.{first} is not null and now.{first} is not null"
    conditions = {
        "added": f"was.{first} is null",
        "removed": f"now.{first} is null",
        "changed": f"{both} and ({' or '.join(differs.values()) or 'false'})",
    }
    counted = [*conditions.values(), *(f"{both} and {condition}" for condition in differs.values())]
    sums = ", ".join(f"coalesce(sum(case when {c} then 1 else 0 end), 0)" for c in counted)
    counts = [int(count) for count in one_row(connection, f"select {sums} from {pair.joined}")]
    kinds = dict(zip(conditions, counts, strict=False))
    per_column = dict(zip(differs, counts[len(conditions) :], strict=True))
    return replace(
        found,
        added=kinds["added"],
        removed=kinds["removed"],
        changed=kinds["changed"],
        key=pair.key,
        columns={name: count for name, count in per_column.items() if count},
        samples={
            kind: _keys(connection, pair, condition, sample)
            for kind, condition in conditions.items()
            if kinds[kind] and sample
        },
    )


def _keys(
    connection: Connection, pair: Pair, condition: str, sample: int
) -> tuple[tuple[str, ...], ...]:
    values = [f"coalesce(now.{quoted(name)}, was.{quoted(name)})" for name in pair.key]
    listed = ", ".join(f"cast({value} as varchar(200))" for value in values)
    order = ", ".join(values)
    rows = connection.execute(
        f"select {listed} from {pair.joined} where {condition} order by {order} limit {sample}"
    ).fetchall()
    return tuple(tuple(str(cell) for cell in row) for row in rows)
