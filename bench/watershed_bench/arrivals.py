"""Compares what a route delivered with what the source holds: types, values, number of rows."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def _holds_amount(kind: str) -> bool:
    """Whether a type holds numeric(12,2): as many digits on both sides of the point."""
    found = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    if not found:
        return False
    precision, scale = int(found[1]), int(found[2])
    return scale >= 2 and precision - scale >= 10  # noqa: PLR2004  # of numeric(12,2)


LOSSLESS: dict[str, Callable[[str], bool]] = {
    "bigint": lambda kind: kind in {"BIGINT", "HUGEINT"},
    "uuid": lambda kind: kind == "UUID",
    "decimal": _holds_amount,
    "instant": lambda kind: kind == "TIMESTAMP WITH TIME ZONE",
    "timestamp": lambda kind: kind in {"TIMESTAMP", "DATETIME"},
    "date": lambda kind: kind == "DATE",
    "boolean": lambda kind: kind == "BOOLEAN" or kind in INTEGERS,
    "double": lambda kind: kind == "DOUBLE",
    "text": lambda kind: kind == "VARCHAR",
    "json": lambda kind: kind == "JSON",
    "integer": lambda kind: kind in INTEGERS[2:],
}
"""Which types of DuckDB hold every value of a kind, and still say what it is."""


@dataclass(frozen=True)
class Destination:
    """Where a route leaves its rows.

    Attributes:
        file: DuckDB's.
        schema: where the tables stand.
        quarantine: a query for the names of the columns whose values of a table were visibly set
            aside; it takes the table's name.
    """

    file: Path
    schema: str
    quarantine: str | None = None

    def count(self, table: str) -> int:
        """How many rows of ``table`` arrived."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            found = connection.execute(f'select count(*) from {self.schema}."{table}"').fetchone()
        return int(found[0]) if found else 0

    def types(self, table: str) -> dict[str, str]:
        """The columns of ``table`` and their types."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            described = connection.execute(f'describe {self.schema}."{table}"').fetchall()
        return {row[0].lower(): row[1] for row in described}

    def texts(self, table: str, columns: Iterable[str]) -> list[tuple[str | None, ...]]:
        """All rows of ``table`` by key, each value as DuckDB writes it."""
        shown = ", ".join(f'"{column}"::varchar' for column in columns)
        with duckdb.connect(str(self.file), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(
                f'select {shown} from {self.schema}."{table}" order by id'
            ).fetchall()

    def set_aside(self, table: str) -> set[str]:
        """The columns of ``table`` of which values are in quarantine."""
        if self.quarantine is None:
            return set()
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return {row[0] for row in connection.execute(self.quarantine, [table]).fetchall()}


def lost_types(kinds: Mapping[str, str], arrived: Mapping[str, str]) -> list[str]:
    """Say which columns arrived as a type that does not hold what the source's type holds.

    Args:
        kinds: the source's columns, e.g. ``{"amount": "decimal"}``; see `LOSSLESS`.
        arrived: DuckDB's types, e.g. ``{"amount": "DOUBLE"}``.

    Returns:
        E.g. ``["amount: decimal arrived as DOUBLE"]``.
    """
    return [
        f"{column}: {kind} arrived as {arrived.get(column, 'nothing')}"
        for column, kind in kinds.items()
        if not LOSSLESS[kind](arrived.get(column, ""))
    ]


def lost_values(
    kinds: Mapping[str, str],
    sent: Sequence[Sequence[str | None]],
    arrived: Sequence[Sequence[str | None]],
    set_aside: Iterable[str] = (),
) -> list[str]:
    """Say which columns hold other values than the source, with the first such value of each.

    Args:
        kinds: the columns of both, in order.
        sent: the source's rows by key.
        arrived: the destination's rows by key.
        set_aside: columns of which NULL is no loss, as their originals are in quarantine.
    """
    if len(sent) != len(arrived):
        return [f"{len(arrived)} of {len(sent)} rows arrived"]
    lost = []
    for position, (column, kind) in enumerate(kinds.items()):
        for before, after in zip(sent, arrived, strict=True):
            original, copy = before[position], after[position]
            if copy is None and column in set_aside:
                continue
            if canonical(kind, original) != canonical(kind, copy):
                lost.append(f"{column}: {_shown(original)} arrived as {_shown(copy)}")
                break
    return lost


def canonical(kind: str, text: str | None) -> object:
    """Return a value that is equal for texts that mean the same.

    A source writes ``true`` and DuckDB ``1``, or one of them writes more zeros.
    """
    if text is None:
        return None
    if kind in {"integer", "bigint", "decimal"}:
        return "NaN" if text.lower() == "nan" else Decimal(text)
    if kind == "double":
        return repr(float(text))
    if kind == "boolean":
        return (
            {"true": 1, "t": 1, "false": 0, "f": 0}.get(text.lower())
            if text.isalpha()
            else (Decimal(text))
        )
    if kind in {"instant", "timestamp"}:
        return _moment(text)
    if kind == "date":
        return re.sub(r" 00:00:00(?= BC|$)", "", _moment(text))
    if kind == "uuid":
        return text.lower()
    return _json(text) if kind == "json" else text


def _moment(text: str) -> str:
    """A moment in UTC without what says nothing: zeros of a fraction, the zone, where BC stands."""
    era = " BC" if "BC" in text else ""
    text = re.sub(r" \(?BC\)?", "", text.replace("T", " "))
    text = re.sub(r"(\+00(:00)?|Z)$", "", text)
    return re.sub(r"(\.\d*?)0+$", r"\1", text).removesuffix(".") + era


def _json(text: str) -> object:
    """The value, whose numbers are exact; what is no JSON stays a text."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError:
        return ("no JSON", text)
    return ("JSON", value)


def _shown(text: str | None) -> str:
    return "NULL" if text is None else repr(text[:40])
