"""The tables that loads make, as the warehouse's catalog has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watershed_load_plan.duckdb_types import from_duckdb, quoted
from watershed_load_plan.redshift_types import from_redshift
from watershed_load_plan.types import ColumnType, Kind

if TYPE_CHECKING:
    from watershed.engine import Connection

Columns = dict[str, ColumnType]
"""Column name to type; one that is none of ours counts as text."""
REDSHIFT_COLUMNS_SQL = (
    "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
    "from svv_columns where table_schema = ? and table_name = ?"
)


def columns_of(connection: Connection, schema: str, table: str, *, is_redshift: bool) -> Columns:
    """Read the columns of a table that is there."""
    if is_redshift:
        rows = connection.execute(REDSHIFT_COLUMNS_SQL, [schema, table]).fetchall()
        return {name: from_redshift(*of) for name, *of in rows}
    rows = connection.execute(f"describe {quoted(schema)}.{quoted(table)}").fetchall()
    return {name: from_duckdb(of) or ColumnType(Kind.TEXT) for name, of, *_ in rows}
