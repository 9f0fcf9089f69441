"""How rows lie in a mart, and what a query reads of them (docs/physical-design.md)."""

import json
from pathlib import Path

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

pytestmark = pytest.mark.model

ROW_GROUP = 122_880
"""Rows of which DuckDB keeps the smallest and largest value of each column."""
GROUPS = 8
MONTH = "ordered_date_key between 20250601 and 20250630"


def tables(manifest: Manifest) -> dict[str, list[str]]:
    """Each mart that is built anew, and what it is sorted by."""
    return {
        f"{node.schema}.{node.alias}": node.config.get("sort")
        for node in manifest.nodes.values()
        if isinstance(node, ModelNode)
        and node.path.startswith("marts/")
        and node.config.materialized == "table"
    }


def rows_read(connection: duckdb.DuckDBPyConnection, table: str, profile: Path) -> tuple[int, int]:
    """Ask a table for a month; return the rows found, and the rows that were read for it."""
    connection.execute("set enable_profiling = 'json'")
    connection.execute(f"set profiling_output = '{profile}'")
    ((found,),) = connection.execute(
        f"select count(net_amount) from {table} where {MONTH}"
    ).fetchall()  # the profile is written when all was fetched
    connection.execute("pragma disable_profiling")
    return found, json.loads(profile.read_text())["cumulative_rows_scanned"]


def test_the_rows_of_a_mart_lie_in_the_order_of_its_sort_key(
    built_warehouse: Path, manifest: Manifest
) -> None:
    """R-3.2.3: what Redshift does by itself, the build does on DuckDB."""
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        out_of_order = {
            table: connection.execute(
                f"select count(*) from (select row({', '.join(sort)}) as place, lag(place) over "
                f"(order by rowid) as before from {table}) where place < before"
            ).fetchone()
            for table, sort in tables(manifest).items()
        }
    assert len(out_of_order) > 30
    assert {table: rows for table, rows in out_of_order.items() if rows != (0,)} == {}


def test_a_month_of_a_sorted_fact_is_found_in_few_row_groups(
    built_warehouse: Path, manifest: Manifest, tmp_path: Path
) -> None:
    """R-3.2.2, R-3.2.3: the same rows in another order are all read."""
    fact = "marts.fct_order_items"
    sort = ", ".join(tables(manifest)[fact])
    with duckdb.connect(str(tmp_path / "grown.duckdb")) as connection:
        connection.execute(f"attach '{built_warehouse}' as built (read_only)")
        grown = (
            f"from built.{fact}, range(1 + {GROUPS * ROW_GROUP} // "
            f"(select count(*) from built.{fact})) as copies (copy)"
        )
        for table, order in (("in_order", sort), ("mixed", "hash(order_id, line_number, copy)")):
            connection.execute(f"create table {table} as {grown} order by {order}")
        connection.execute("checkpoint")
        found, read = rows_read(connection, "in_order", tmp_path / "in_order.json")
        assert found > 0
        assert read <= 2 * ROW_GROUP
        found_too, read_too = rows_read(connection, "mixed", tmp_path / "mixed.json")
        assert found_too == found
        assert read_too >= GROUPS * ROW_GROUP
