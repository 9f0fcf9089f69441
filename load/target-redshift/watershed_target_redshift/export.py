"""The stage as files that COPY reads: Parquet, or CSV where Parquet does not do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_load_plan.conform import STAGE
from watershed_load_plan.duckdb_types import literal, quoted
from watershed_load_plan.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

ROWS_PER_ROW_GROUP = 100_000
SMALLEST_SLICE = 10_000
"""Rows below which a file more costs more than it saves."""
CSV_BYTES_PER_FILE = 64 * 2**20

NOT_IN_PARQUET = {Kind.JSON, Kind.TIME}
"""A text in Parquet becomes a string in SUPER, not what it says; TIME is not taken at all."""

NULL_IN_CSV = "@watershed:null@"
"""No text column may hold it, for COPY would read NULL."""


PARQUET = "format as parquet statupdate off"
"""The words by which COPY reads Parquet."""


def is_parquet(types: Mapping[str, ColumnType]) -> bool:
    """Whether rows of these types travel as Parquet."""
    return not {of.kind for of in types.values()} & NOT_IN_PARQUET


def is_loadable(types: Mapping[str, ColumnType]) -> bool:
    """Whether COPY reads columns of these types from Parquet in which they lie as such."""
    return is_parquet(types) and Kind.UUID not in {of.kind for of in types.values()}


@dataclass(frozen=True)
class Exported:
    """Files, and the words by which COPY reads them."""

    files: tuple[Path, ...]
    options: str


def export(  # noqa: PLR0913  # the last three by name
    engine: duckdb.DuckDBPyConnection,
    types: Mapping[str, ColumnType],
    folder: Path,
    *,
    rows: int,
    slices: int,
    empty: Sequence[str] = (),
) -> Exported:
    """Write `STAGE` to files.

    Args:
        engine: Where it lies.
        types: Its columns, in the order in which COPY shall find them.
        folder: Of the files; it is made.
        rows: How many there are.
        slices: Into how many files to write them, if they are enough: Redshift loads a file a
            slice.
        empty: Columns whose empty values CSV cannot tell from NULL: see `mark`.
    """
    folder.mkdir(parents=True)
    if not is_parquet(types):
        listed = ", ".join(
            f"{_csv_value(quoted(name), of)} as {quoted(name)}" for name, of in types.items()
        )
        listed += "".join(f", octet_length({quoted(name)}) = 0" for name in empty)
        engine.execute(
            f"copy (select {listed} from {STAGE}) to {literal(str(folder))} (format csv, "
            f"header false, nullstr {literal(NULL_IN_CSV)}, compression zstd, "
            "file_extension 'csv.zst', overwrite_or_ignore, "
            f"file_size_bytes {max(CSV_BYTES_PER_FILE // slices, 2**20)})"
        )
        options = (
            f"csv null as {literal(NULL_IN_CSV)} zstd dateformat 'auto' timeformat 'auto' "
            "compupdate off statupdate off"
        )
    else:
        listed = ", ".join(_parquet_value(name, of) for name, of in types.items())
        rows_per_file = max(math.ceil(rows / slices), SMALLEST_SLICE)
        groups = math.ceil(rows_per_file / ROWS_PER_ROW_GROUP)
        engine.execute(
            f"copy (select {listed} from {STAGE}) to {literal(str(folder))} (format parquet, "
            f"compression snappy, row_group_size {math.ceil(rows_per_file / groups)}, "
            f"row_groups_per_file {groups}, overwrite_or_ignore)"
        )
        options = PARQUET
    return Exported(tuple(sorted(folder.iterdir())), options)


def mark(name: str) -> str:
    """Name the column that says of another, of bytes, that it is empty and not NULL."""
    return f"{name}__empty"


def _parquet_value(name: str, column_type: ColumnType) -> str:
    column = quoted(name)
    if column_type.kind is Kind.UUID:
        return f"cast({column} as varchar) as {column}"
    return column


def _csv_value(column: str, column_type: ColumnType) -> str:
    if column_type.kind is Kind.BINARY:
        return f"lower(hex({column}))"
    if column_type.kind is Kind.DOUBLE:
        return f"replace(replace(cast({column} as varchar), 'inf', 'Infinity'), 'nan', 'NaN')"
    return f"cast({column} as varchar)"
