"""What a source's own catalog says about its tables, and how each column travels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from watershed_tap.exceptions import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Convert = Callable[[Any], Any]


class KeyKind(StrEnum):
    """What a replication key counts or tells; the names are those of SQL."""

    INTEGER = "integer"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"


@dataclass(frozen=True, slots=True)
class BulkType:
    """One column's way through the tap on the bulk path.

    Attributes:
        expression: SQL of the source with ``{}`` for the quoted column.
        typed: DuckDB's SQL, as all that follow, with ``{}`` for what came of it: the value in the
            type that the schema promises.
        inexact: true for a value that ``typed`` would change; ``None`` if there are none.
        is_null_if_inexact: ``typed`` itself gives NULL for such a value.
        text: the value as text, in the form that a RECORD has it or one that reads the same.
        is_json: that text is known to be JSON.
        is_special: SQL of the source, true for a value that must come as ``special`` besides.
        special: SQL of the source: that value as text.
    """

    expression: str = "{}"
    typed: str = "{}"
    inexact: str | None = None
    is_null_if_inexact: bool = False
    text: str = "cast({} as VARCHAR)"
    is_json: bool = False
    is_special: str | None = None
    special: str = "{}::text"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """One column's way through the tap.

    Attributes:
        schema: JSON schema of the value in a RECORD.
        expression: SQL with ``{}`` for the quoted column.
        convert: what is left to do with a value that is not NULL.
        bulk: how it travels in files.
    """

    schema: dict[str, Any]
    expression: str = "{}"
    convert: Convert | None = None
    bulk: BulkType = BulkType()


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the user may read.

    Attributes:
        declared_type: as ``create table`` would spell it, e.g. ``shop.sku``.
        key_kind: what it is as a replication key; ``None`` if its values do not grow with time.
        leads_an_index: rows can be had in this column's order without sorting.
    """

    name: str
    declared_type: str
    type: ColumnType
    key_kind: KeyKind | None
    leads_an_index: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view; ``key`` is empty if nothing identifies its rows.

    Attributes:
        is_key_ordered: reading all rows in the order of the key costs the source little more.
        row_bytes: of an average row, as stored; 0 if unknown.
    """

    schema: str
    name: str
    is_view: bool
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    is_key_ordered: bool = False
    row_bytes: int = 0

    @property
    def stream_id(self) -> str:
        """The Singer stream's name, ``<schema>-<table>``."""
        return f"{self.schema}-{self.name}"


def by_stream_id(tables: Iterable[Table], source: str, filter_setting: str) -> dict[str, Table]:
    """Index tables by their stream's name.

    Raises:
        SetupError: two tables share one; the text names the setting that tells them apart.
    """
    by_id: dict[str, Table] = {}
    for table in tables:
        other = by_id.setdefault(table.stream_id, table)
        if other is not table:
            raise SetupError(
                f"{source}: {other.schema}.{other.name} and {table.schema}.{table.name} would both "
                f"be stream {table.stream_id}: name in {filter_setting} only one of the two"
            )
    return by_id


def text_schema(**hints: str) -> dict[str, Any]:
    """JSON schema of a text, e.g. ``text_schema(format="date")``."""
    return {"type": ["string", "null"], **hints}


def integer_schema(minimum: int, maximum: int) -> dict[str, Any]:
    """JSON schema of an integer in a range, from which targets choose a type."""
    return {"type": ["integer", "null"], "minimum": minimum, "maximum": maximum}
