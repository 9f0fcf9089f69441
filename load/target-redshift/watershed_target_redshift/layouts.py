"""How the rows of a stream's table lie on the cluster, as the catalog's metadata says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watershed_load_plan import LoadError
from watershed_load_plan.duckdb_types import quoted
from watershed_load_plan.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from watershed_load_plan.tables import Table

DISTRIBUTION_KEY = "redshift-distribution-key"
SORT_KEYS = "redshift-sort-keys"


@dataclass(frozen=True)
class Layout:
    """How a table's rows lie; what is not said Redshift decides (AUTO).

    Attributes:
        stream: The stream whose metadata say so.
        distribution_key: Column whose equal values lie together, or None.
        sort_keys: Columns in whose order rows lie.
    """

    stream: str = ""
    distribution_key: str | None = None
    sort_keys: tuple[str, ...] = ()

    def check(self, columns: Collection[str]) -> None:
        """See that the table has the columns.

        Raises:
            LoadError: it lacks one.
        """
        named = {DISTRIBUTION_KEY: [self.distribution_key], SORT_KEYS: self.sort_keys}
        for word, names in named.items():
            for name in names:
                if name is not None and name not in columns:
                    raise LoadError(
                        f"stream {self.stream}: {word} names column {name!r}, which the stream "
                        "does not have: correct the extractor's metadata"
                    )

    def clauses(self) -> str:
        """Write what follows the columns in CREATE TABLE."""
        spread = f"distkey({quoted(self.distribution_key)})" if self.distribution_key else ""
        listed = ", ".join(quoted(name) for name in self.sort_keys)
        order = f"compound sortkey({listed})" if listed else "sortkey auto"
        return f"{spread or 'diststyle auto'} {order}"


AUTO = Layout()


def read_layouts(metadata: Mapping[str, Any], target_schema: str | None) -> dict[Table, Layout]:
    """Read the layouts that an extractor's metadata state.

    Args:
        metadata: By stream, for example ``{"shop-orders": {"redshift-distribution-key":
            "customer_id", "redshift-sort-keys": ["ordered_at"]}}``; other words are not ours.
        target_schema: See `table_of`.

    Raises:
        LoadError: one of the two is no name of a column, or no list of such.
    """
    layouts = {}
    for stream, words in metadata.items():
        key = _names(stream, DISTRIBUTION_KEY, words.get(DISTRIBUTION_KEY) or [])
        sort_keys = _names(stream, SORT_KEYS, words.get(SORT_KEYS) or [])
        if len(key) > 1:
            raise LoadError(f"stream {stream}: {DISTRIBUTION_KEY} takes one column")
        if key or sort_keys:
            layouts[table_of(stream, target_schema)] = Layout(
                stream, key[0] if key else None, sort_keys
            )
    return layouts


def _names(stream: str, word: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise LoadError(
            f"stream {stream}: {word} is {value!r} in the extractor's metadata: name columns"
        )
    return tuple(name.lower() for name in names)
