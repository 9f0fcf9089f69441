"""A batch on its way: where its files are, and what makes a temporary table of them."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from watershed_load_plan.conform import STAGE
from watershed_load_plan.duckdb_types import from_duckdb, literal, quoted
from watershed_load_plan.redshift_types import to_redshift
from watershed_load_plan.types import ColumnType, Kind
from watershed_target_redshift.export import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from watershed_load_plan.tables import Table

MEMORY_LIMIT = "400MB"
"""Of the DuckDB that reads batches; with Python and S3's buffers a process stays under 600 MB."""


@dataclass(frozen=True)
class Stage:
    """A batch in S3.

    Attributes:
        table: Where its rows are going.
        types: Its columns, those of the files first.
        sizes: Bytes that the table's text columns hold.
        rows: How many rows it has; none is in no file.
        manifest: Address of the files' list.
        options: The words by which COPY reads them.
        constants: Columns that the files lack, and the text of the value that all rows have.
        empty: Columns of bytes that have a `mark` beside; COPY reads an empty field as NULL.
    """

    table: Table
    types: Mapping[str, ColumnType]
    sizes: Mapping[str, int]
    rows: int
    manifest: str
    options: str
    constants: Mapping[str, str | None]
    empty: tuple[str, ...] = ()

    def columns(self) -> str:
        """Write the files' columns for CREATE TABLE, in their order."""
        return ", ".join(
            [
                *(
                    f"{quoted(name)} "
                    + (f"varchar({self.sizes[name]})" if name in self.sizes else to_redshift(of))
                    for name, of in self.types.items()
                    if name not in self.constants
                ),
                *(f"{quoted(mark(name))} boolean" for name in self.empty),
            ]
        )

    def completions(self, stage: str) -> Iterator[str]:
        """Write what makes a stage of the files once they are loaded."""
        for name, value in self.constants.items():
            default = "" if value is None else f" default {literal(value)}"
            added = f"{quoted(name)} {to_redshift(self.types[name])}{default}"
            yield f"alter table {stage} add column {added}"
        for name in self.empty:
            marked = quoted(mark(name))
            yield f"update {stage} set {quoted(name)} = cast('' as varbyte) where {marked}"
            yield f"alter table {stage} drop column {marked}"


@contextlib.contextmanager
def opened_engine(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB in memory, and a folder that goes with it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with duckdb.connect() as engine:
            engine.execute("set threads = 1")
            engine.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
            engine.execute(f"set temp_directory = {literal(str(folder / 'spill'))}")
            engine.execute("set TimeZone = 'UTC'")
            yield engine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stage_types(engine: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> dict[str, ColumnType]:
    """Read the types of `STAGE`'s columns, in the order that is asked for."""
    described = engine.execute(f"describe {STAGE}").fetchall()
    found = {column: from_duckdb(of) for column, of, *_ in described}
    return {column: found[column] or ColumnType(Kind.TEXT) for column in columns}


def measured(
    engine: duckdb.DuckDBPyConnection, types: Mapping[str, ColumnType]
) -> tuple[int, dict[str, int]]:
    """Count the rows of `STAGE`, and the bytes of the longest value of each text column."""
    texts = [name for name, of in types.items() if of.kind is Kind.TEXT]
    longest = "".join(f", max(strlen({quoted(name)}))" for name in texts)
    ((rows, *sizes),) = engine.execute(f"select count(*){longest} from {STAGE}").fetchall()
    found = {name: size for name, size in zip(texts, sizes, strict=True) if size is not None}
    return int(rows), found


def find_empty(
    engine: duckdb.DuckDBPyConnection, types: Mapping[str, ColumnType]
) -> tuple[str, ...]:
    """Find the columns of bytes in which `STAGE` holds an empty value."""
    return tuple(
        name
        for name, of in types.items()
        if of.kind is Kind.BINARY
        and engine.execute(
            f"select 1 from {STAGE} where octet_length({quoted(name)}) = 0 limit 1"
        ).fetchone()
    )


def constants_of(
    engine: duckdb.DuckDBPyConnection, columns: Sequence[str]
) -> dict[str, str | None]:
    """Read the values that all rows of `STAGE` have in these columns."""
    listed = ", ".join(f"cast({quoted(name)} as varchar)" for name in columns)
    (row,) = engine.execute(f"select {listed} from {STAGE} limit 1").fetchall() or [()]
    return dict(zip(columns, row, strict=bool(row)))
