"""The stage as files that COPY reads: Parquet, or lines of JSON where Parquet does not do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_load_plan.conform import STAGE
from watershed_load_plan.duckdb_types import literal, quoted
from watershed_load_plan.types import INTEGER_DIGITS, ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

ROWS_PER_ROW_GROUP = 100_000
SMALLEST_SLICE = 10_000
"""Rows below which a file more costs more than it saves."""
JSON_BYTES_PER_FILE = 64 * 2**20

NOT_IN_PARQUET = {Kind.JSON, Kind.TIME}
"""A text in Parquet becomes a string in SUPER, not what it says; TIME is not taken at all."""
AS_NUMBERS = {Kind.BOOLEAN, Kind.DECIMAL, Kind.JSON, *INTEGER_DIGITS}
"""What stands in JSON as it is written; all else is text, so that no digit is read as a double."""


@dataclass(frozen=True)
class Exported:
    """Files, and the words by which COPY reads them."""

    files: tuple[Path, ...]
    options: str


def export(
    engine: duckdb.DuckDBPyConnection,
    types: Mapping[str, ColumnType],
    folder: Path,
    *,
    rows: int,
    slices: int,
) -> Exported:
    """Write `STAGE` to files.

    Args:
        engine: Where it lies.
        types: Its columns, in the order in which COPY shall find them.
        folder: Of the files; it is made.
        rows: How many there are.
        slices: Into how many files to write them, if they are enough: Redshift loads a file a
            slice.
    """
    folder.mkdir(parents=True)
    if any(column_type.kind in NOT_IN_PARQUET for column_type in types.values()):
        engine.execute(
            f"copy (select {_json_line(types)} from {STAGE}) to {literal(str(folder))} "
            "(format csv, header false, quote '', escape '', delimiter '\x01', "
            f"compression gzip, file_extension 'json.gz', overwrite_or_ignore, "
            f"file_size_bytes {max(JSON_BYTES_PER_FILE // slices, 2**20)})"
        )
        options = "json 'auto' gzip dateformat 'auto' timeformat 'auto' compupdate off"
    else:
        listed = ", ".join(_parquet_value(name, of) for name, of in types.items())
        rows_per_file = max(math.ceil(rows / slices), SMALLEST_SLICE)
        groups = math.ceil(rows_per_file / ROWS_PER_ROW_GROUP)
        engine.execute(
            f"copy (select {listed} from {STAGE}) to {literal(str(folder))} (format parquet, "
            f"compression snappy, row_group_size {math.ceil(rows_per_file / groups)}, "
            f"row_groups_per_file {groups}, overwrite_or_ignore)"
        )
        options = "format as parquet"
    return Exported(tuple(sorted(folder.iterdir())), f"{options} statupdate off")


def _parquet_value(name: str, column_type: ColumnType) -> str:
    column = quoted(name)
    if column_type.kind is Kind.UUID:
        return f"cast({column} as varchar) as {column}"
    return column


def _json_line(types: Mapping[str, ColumnType]) -> str:
    """Write the SQL of a row as a line of JSON, each number with all of its digits."""
    members = " || ',' || ".join(
        f"to_json({literal(name)})::varchar || ':' || coalesce({_json_value(quoted(name), of)}, "
        "'null')"
        for name, of in types.items()
    )
    return f"'{{' || {members} || '}}'"


def _json_value(column: str, column_type: ColumnType) -> str:
    if column_type.kind in AS_NUMBERS:
        return f"cast({column} as varchar)"
    text = f"cast({column} as varchar)"
    if column_type.kind is Kind.BINARY:
        text = f"lower(hex({column}))"
    elif column_type.kind is Kind.DOUBLE:
        text = f"replace(replace({text}, 'inf', 'Infinity'), 'nan', 'NaN')"
    return f"cast(to_json({text}) as varchar)"
