"""Questions to the published warehouse: read-only, locked down, answered in batches."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import duckdb

import watershed_duckdb
from watershed.exceptions import MissingFileError, WatershedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watershed.settings import Settings

BATCH_ROWS = 2_000
LOCK_DOWN = """
    set enable_external_access = false;
    set autoload_known_extensions = false;
    set lock_configuration = true;
"""
"""No file but the warehouse, no network, no extension, and no way to allow them again."""

WHOLE_NUMBER = r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER"
NUMERIC_TYPES = re.compile(rf"^({WHOLE_NUMBER}|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)$")
EXACT_NUMBER_TYPES = re.compile(rf"^({WHOLE_NUMBER}|BOOLEAN)$")
NESTED_TYPES = re.compile(r"(\]$|^STRUCT|^MAP|^UNION|^JSON$|^VARIANT$)")

Cells = tuple[str | None, ...]


@dataclass(frozen=True)
class Result:
    """The answer to one question, not yet read.

    Attributes:
        columns: Names, as the question gave them; two may be the same.
        types: DuckDB's name of each column's type.
        relation: What is read; None when the statement answers nothing.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    relation: duckdb.DuckDBPyRelation | None

    def rows(self, expressions: Sequence[str]) -> Iterator[Cells]:
        """Read all rows, a batch at a time.

        Args:
            expressions: One per column; `{}` stands for the column, e.g. `{}::varchar`.

        Raises:
            WatershedError: the statement failed while it ran.
        """
        if self.relation is None:
            return
        selected = ", ".join(
            # By position: a name may occur twice.
            expression.format(f"#{position}")
            for position, expression in enumerate(expressions, start=1)
        )
        try:
            cells = self.relation.project(selected)
            while batch := cells.fetchmany(BATCH_ROWS):
                yield from batch
        except duckdb.Error as error:
            raise WatershedError(_first_lines(error)) from error


@contextmanager
def answer(settings: Settings, sql: str) -> Iterator[Result]:
    """Ask the published warehouse one thing.

    Raises:
        MissingFileError: nothing is published yet.
        WatershedError: the statement is wrong, would write, or leaves the warehouse.
    """
    if not settings.published.exists():
        raise MissingFileError(
            f"nothing is published yet ({settings.published}): run `meltano run all`"
        )
    with watershed_duckdb.connect(settings.published, read_only=True) as connection:
        connection.execute(LOCK_DOWN)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise WatershedError(f"one statement at a time: this is {len(statements)}")
            relation = connection.sql(sql)
        except duckdb.Error as error:
            raise WatershedError(_first_lines(error)) from error
        if relation is None:
            yield Result((), (), None)
        else:
            yield Result(
                tuple(relation.columns), tuple(str(kind) for kind in relation.types), relation
            )


def write_csv(result: Result, out: TextIO) -> None:
    """Write RFC 4180 CSV with a header; NULL is empty, an empty string is `""`."""
    out.write(_csv_line(result.columns))
    rows = result.rows([_text_of(kind) for kind in result.types])
    out.writelines(_csv_line(cells) for cells in rows)


def write_json(result: Result, out: TextIO) -> None:
    """Write a JSON array with one object per row, a row per line.

    Decimals are strings of all their digits, since most readers of JSON would make them floats;
    times are ISO 8601; lists, structs and JSON are nested.
    """
    names = [json.dumps(name, ensure_ascii=False) for name in _distinct(result.columns)]
    separator = "[\n"
    for cells in result.rows([_json_of(kind) for kind in result.types]):
        fields = (
            f"{name}: {'null' if cell is None else cell}"
            for name, cell in zip(names, cells, strict=True)
        )
        out.write(f"{separator}{{{', '.join(fields)}}}")
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _text_of(kind: str) -> str:
    """Write the SQL that turns a column into exact text."""
    if kind.startswith("TIMESTAMP WITH TIME ZONE"):
        # The session is in UTC, which DuckDB writes as +00.
        return "regexp_replace(replace({}::varchar, ' ', 'T'), '[+]00$', '+00:00')"
    if kind.startswith("TIMESTAMP"):
        return "replace({}::varchar, ' ', 'T')"
    return "{}::varchar"


def _json_of(kind: str) -> str:
    """Write the SQL that turns a column into JSON text."""
    if EXACT_NUMBER_TYPES.match(kind):
        return "{}::varchar"
    if kind in {"DOUBLE", "FLOAT"}:
        # DuckDB writes the digits that read back as the same float; JSON has no NaN or infinity.
        return "case when isfinite({0}) then {0}::varchar else to_json({0}::varchar)::varchar end"
    if NESTED_TYPES.search(kind):
        # Nested decimals become strings as well; `to_json` alone would make them floats.
        exact = re.sub(r"DECIMAL\(\d+,\s*\d+\)", "VARCHAR", kind)
        return f"to_json({{}}::{exact})::varchar"
    return f"to_json({_text_of(kind)})::varchar"


def _csv_line(cells: Sequence[str | None]) -> str:
    return ",".join(_csv_cell(cell) for cell in cells) + "\r\n"


def _csv_cell(cell: str | None) -> str:
    if cell is None:
        return ""
    if cell == "" or any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _distinct(names: Sequence[str]) -> list[str]:
    """Number repeated names, so that an object keeps every column: `id`, `id_2`."""
    taken: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.append(candidate)
    return taken


def _first_lines(error: duckdb.Error) -> str:
    """Keep what DuckDB says before it draws where in the statement."""
    return " ".join(str(error).split("\n\n")[0].split())
