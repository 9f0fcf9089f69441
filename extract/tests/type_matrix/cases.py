"""A type of a source, and values of it: ordinary, extreme, and beyond what its column holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

MEGABYTE_OF_TEXT = "größer" * 131_072  # of 8 bytes each
WIDEST_CHARACTERS = "😀𝄞 nul\u0001 ' \" \\ NULL"  # four bytes in UTF-8, and what needs quoting


@dataclass(frozen=True)
class TypeCase:
    """One column of the tables that a source is given.

    Attributes:
        declared: the type in the source's own words.
        ordinary: a value like most.
        extremes: values that the column's type holds; the least and the greatest come first.
        name: what the page calls it; without one, as it is declared.
        range: words for what it holds; without them the page names the first two extremes.
        huge: values so long that PostgreSQL's rows are then read one by one.
        outside: by what the page calls them, values that are not in the range of the column.
        asked: SQL over ``{}``, the column, by which the source tells a value as text.
    """

    declared: str
    ordinary: Any
    extremes: tuple[Any, ...] = ()
    name: str = ""
    range: str = ""
    huge: tuple[Any, ...] = ()
    outside: Mapping[str, Any] = field(default_factory=dict)
    asked: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table to be: a column for each value that is tried, or for the values of each type.

    Attributes:
        name: of the table.
        cases: the types of its columns, which are called ``c0``, ``c1``, …
        rows: their values; the last row is NULL throughout.
    """

    name: str
    cases: Sequence[TypeCase]
    rows: Sequence[tuple[Any, ...]]

    @property
    def columns(self) -> list[str]:
        return [f"c{position}" for position in range(len(self.cases))]


def laid_out(cases: Sequence[TypeCase]) -> list[Sheet]:
    """Lay values out so that none changes how another one's column is judged.

    Returns:
        All that the types' ranges hold, a column for each type; the huge ones of them; and what is
        outside, a column for each value, with an ordinary one before it.
    """
    columns = {
        "held": [(case, case.extremes) for case in cases],
        "huge": [(case, case.huge) for case in cases if case.huge],
        "beyond": [(case, (value,)) for case in cases for value in case.outside.values()],
    }
    return [_sheet(name, of_sheet) for name, of_sheet in columns.items()]


def _sheet(name: str, columns: Sequence[tuple[TypeCase, tuple[Any, ...]]]) -> Sheet:
    rows = list(zip_longest(*((case.ordinary, *values) for case, values in columns)))
    return Sheet(name, [case for case, _ in columns], [*rows, (None,) * len(columns)])
