"""Compares what arrived with what the source says, and makes of that the rows of the page."""

import json
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from type_matrix.cases import TypeCase


@dataclass(frozen=True)
class Arrival:
    """One value, there and here.

    Attributes:
        said: its text as the source tells it; ``None`` is NULL.
        arrived: its text in the warehouse; of bytes their hexadecimal digits.
        aside: its text in ``ops.quarantine``, ``None`` if it is not there.
        in_file: DuckDB's name of the type that its column has in the file.
        in_warehouse: and in the raw table.
        on_redshift: what arrived there, as ``arrived`` has it.
        redshift_aside: as ``aside``.
        in_redshift: Redshift's name of the type of its raw table's column.
    """

    said: str | None
    arrived: str | None
    aside: str | None
    in_file: str
    in_warehouse: str
    on_redshift: str | None
    redshift_aside: str | None
    in_redshift: str


@dataclass(frozen=True)
class Row:
    """A line of the page."""

    names: str
    in_file: str
    in_warehouse: str
    in_redshift: str
    range: str
    outside: str
    not_on_redshift: str

    def __str__(self) -> str:
        cells = (
            self.names,
            self.in_file,
            self.in_warehouse,
            self.in_redshift,
            self.range,
            self.outside,
            self.not_on_redshift,
        )
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def is_same(column_type: str, told: str | None, said: str | None) -> bool:
    """Whether two texts of a type mean the very same value."""
    if told is None or said is None:
        return told is said
    kind = column_type.partition("(")[0]
    if kind == "DOUBLE":
        return _bits(float(told)) == _bits(float(said))
    if kind in {"DECIMAL", "SMALLINT", "INTEGER", "BIGINT"}:
        return told == said or Decimal(told) == Decimal(said)
    if kind == "BLOB":
        return told.lower() == said.lower()
    if kind == "JSON":
        return told == said or _document(told) == _document(said)
    if kind in {"DATE", "TIME"} or kind.startswith("TIMESTAMP"):
        return _plain_moment(told) == _plain_moment(said)
    return told == said


def _document(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _bits(number: float) -> str:
    return "NaN" if math.isnan(number) else number.hex()


def _plain_moment(text: str) -> str:
    """PostgreSQL, MariaDB, DuckDB and ISO 8601 differ in eras, zones and trailing zeros."""
    before_christ = " BC" if re.search(r" [(]?BC", text) else ""
    text = re.sub(r" [(]?BC[)]?", "", text).replace("T", " ")
    text = re.sub(r"[+]00(:00)?$", "+00", text)
    return re.sub(r"([.]\d*?)0+(?=[+]|$)", r"\1", text).replace(".+", "+").rstrip(".") + (
        before_christ
    )


def row_of(
    case: TypeCase,
    held: Sequence[Arrival],
    huge: Sequence[Arrival],
    outside: Sequence[Sequence[Arrival]],
) -> Row:
    """Judge all values of a type.

    Args:
        case: the type.
        held: what became of its values, NULL among them.
        huge: and of those that are huge.
        outside: of each value outside its range, what became of an ordinary one before it, of it,
            and of NULL behind it.
    """
    first = held[0]
    assert {first.in_warehouse} >= {arrival.in_warehouse for arrival in huge}
    beside = [arrival for before, _, behind in outside for arrival in (before, behind)]
    for arrival in [*held, *huge, *beside]:
        same = is_same(arrival.in_warehouse, arrival.arrived, arrival.said)
        assert same, f"{case.declared}: {_cut(arrival.said)} arrived as {_cut(arrival.arrived)}"
        assert arrival.aside is None, f"{case.declared}: {_cut(arrival.said)} was set aside"
    assert None in {arrival.said for arrival in held}, "NULL is to be tried, too"
    fates = [
        (name, _fate(case, arrival, first))
        for name, (_, arrival, _) in zip(case.outside, outside, strict=True)
    ]
    return Row(
        names=case.name or case.declared,
        in_file=first.in_file,
        in_warehouse=first.in_warehouse,
        in_redshift=first.in_redshift,
        range=case.range or f"{held[1].said} to {held[2].said}",
        outside="; ".join(
            f"{', '.join(name for name, _ in of_one_fate)}: {fate}"
            for fate, of_one_fate in groupby(fates, key=lambda of: of[1])
        )
        or "nothing",
        not_on_redshift=", ".join(
            [
                *(f"`{arrival.said}`" for arrival in held if _is_aside_on_redshift(case, arrival)),
                *(_size(of) for of in huge if _is_aside_on_redshift(case, of)),
                *(
                    name
                    for name, values in zip(case.outside, outside, strict=True)
                    if any(_is_aside_on_redshift(case, arrival) for arrival in values)
                ),
            ]
        )
        or "nothing",
    )


def _is_aside_on_redshift(case: TypeCase, arrival: Arrival) -> bool:
    """Whether Redshift sets aside what DuckDB holds; all else is to be the same in both."""
    column = arrival.in_warehouse
    if arrival.on_redshift is None and arrival.arrived is not None:
        lost = f"{case.declared}: {_cut(arrival.said)} is lost on Redshift"
        assert arrival.redshift_aside is not None, lost
        kept = arrival.redshift_aside
        if column == "VARCHAR":
            kept = kept.replace(r"\u0000", "\0")
        originals = [arrival.said or "", arrival.arrived]
        if column == "BLOB":
            originals = [b64encode(bytes.fromhex(arrival.arrived)).decode()]
        is_kept = any(
            kept == whole or (kept and whole.startswith(kept)) or is_same(column, kept, whole)
            for whole in originals
        )
        assert is_kept, f"{lost}: {_cut(kept)}"
        return True
    same = is_same(column, arrival.on_redshift, arrival.arrived)
    assert same, (
        f"{case.declared}: {_cut(arrival.arrived)} is {_cut(arrival.on_redshift)} on Redshift"
    )
    assert (arrival.redshift_aside is None) == (arrival.aside is None)
    return False


def _size(arrival: Arrival) -> str:
    size = len((arrival.arrived or "").encode())
    return f"a value of {size // 2 if arrival.in_warehouse == 'BLOB' else size:,} bytes"


def _fate(case: TypeCase, arrival: Arrival, usual: Arrival) -> str:
    """What became of a value that is outside the range; an inexact one fails the test."""
    assert arrival.said is not None, f"{case.declared}: the source does not hold such a value"
    as_text = "text in that file; " if usual.in_file != arrival.in_file == "VARCHAR" else ""
    if arrival.arrived is None:
        # MariaDB's own text has no zone; that of the question has.
        originals = {arrival.said, arrival.said.removesuffix("+00")}
        kept = any(is_same(arrival.in_warehouse, arrival.aside, said) for said in originals)
        assert kept, f"{case.declared}: {_cut(arrival.said)} is lost: {_cut(arrival.aside)}"
        return f"{as_text}NULL, and set aside"
    same = is_same(arrival.in_warehouse, arrival.arrived, arrival.said)
    assert same, f"{case.declared}: {_cut(arrival.said)} arrived as {_cut(arrival.arrived)}"
    assert arrival.aside is None
    if arrival.in_warehouse != usual.in_warehouse:
        return f"{as_text}the column becomes {arrival.in_warehouse}"
    return f"{as_text}arrives"


def _cut(text: str | None) -> str:
    return repr(text if text is None or len(text) <= 80 else f"{text[:80]}...")


def merged(rows: Iterable[Row]) -> list[Row]:
    """Make one line of neighbours that differ in nothing but their names."""
    return [
        replace(row, names=", ".join(other.names for other in (row, *others)))
        for _, (row, *others) in groupby(rows, key=lambda row: replace(row, names=""))
    ]
