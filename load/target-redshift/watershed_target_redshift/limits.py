"""What Redshift, or COPY on the way to it, can hold of types that DuckDB holds more of."""

from __future__ import annotations

from watershed_load_plan.duckdb_types import literal
from watershed_load_plan.redshift_types import LARGEST_VARBYTE, LARGEST_VARCHAR
from watershed_load_plan.types import ColumnType, Kind
from watershed_target_redshift.export import NULL_IN_CSV

LARGEST_JSON = 4_000_000
"""Bytes in CSV, where a quote is doubled: COPY reads no row above 4 MB."""


_HELD = {
    Kind.TEXT: f"strlen({{0}}) <= {LARGEST_VARCHAR} and not contains({{0}}, chr(0)) "
    f"and {{0}} <> {literal(NULL_IN_CSV)}",
    Kind.JSON: f"strlen(replace(cast({{0}} as varchar), '\"', '\"\"')) <= {LARGEST_JSON} "
    r"and not contains(cast({0} as varchar), '\u0000')",
    Kind.BINARY: f"octet_length({{0}}) <= {LARGEST_VARBYTE}",
    Kind.DATE: "{0} between date '0001-01-01' and date '9999-12-31'",
    Kind.TIMESTAMP: "{0} >= timestamp '0001-01-01' and {0} < timestamp '10000-01-01'",
    Kind.TIMESTAMPTZ: "{0} >= timestamptz '0001-01-01 00:00:00+00' "
    "and {0} < timestamptz '10000-01-01 00:00:00+00'",
}


def held(value: str, column_type: ColumnType) -> str | None:
    """Write the condition that Redshift can hold a value; see `Warehouse.fits`."""
    condition = _HELD.get(column_type.kind)
    return condition.format(value) if condition else None
