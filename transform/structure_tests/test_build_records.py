"""dbt writes what it built into ops.builds: by that, and that alone, marts are published."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

pytestmark = pytest.mark.model


def builds(warehouse: Path) -> list[dict[str, Any]]:
    """Return the recorded builds, oldest first."""
    with duckdb.connect(str(warehouse)) as connection:
        cursor = connection.execute("from ops.builds order by started_at")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def change(warehouse: Path, statement: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(statement)


def test_a_build_of_everything_is_full_and_green(built_warehouse: Path, manifest: Manifest) -> None:
    (build,) = builds(built_warehouse)
    kinds = [node.resource_type for node in manifest.nodes.values()]
    assert (build["command"], build["is_full"], build["status"]) == ("build", True, "green")
    built = (NodeType.Model, NodeType.Seed, NodeType.Snapshot)
    assert build["models"] == sum(map(kinds.count, built))
    assert build["tests"] == kinds.count(NodeType.Test) + len(manifest.unit_tests)
    assert build["failures"] == 0
    assert build["target"] == "dev"
    assert build["started_at"] < build["finished_at"]


def test_a_failing_test_makes_the_build_red_and_keeps_the_marts_behind_it(
    warehouse: Path, invoke: Any, manifest: Manifest
) -> None:
    change(warehouse, "update raw_shop.orders set status = 'lost' where order_id = 1")
    assert not invoke(warehouse, "build", manifest=manifest).success
    build = builds(warehouse)[-1]
    assert (build["command"], build["is_full"], build["status"]) == ("build", True, "red")
    assert build["failures"] > 1, "what was skipped behind the failure counts too"
    with duckdb.connect(str(warehouse)) as connection:
        stored = connection.sql("""
            select table_name from duckdb_tables() where schema_name = 'test_failures'
        """).fetchall()
        failing = [connection.table(f"test_failures.{name}").fetchall() for (name,) in stored]
        statuses = connection.sql("select distinct order_status from marts.fct_orders").fetchall()
    assert ("shipped",) in statuses
    assert ("lost",) not in statuses
    assert [("lost", 1)] in failing, "what made a test fail is kept, outside of what is published"


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "--select", "stg_shop__orders"),
        ("build", "--exclude", "staging", "intermediate", "marts.core"),
        ("build", "--resource-type", "model"),
        ("run", "--select", "stg_shop__orders"),
        ("test", "--select", "stg_shop__orders"),
    ],
)
def test_a_command_that_leaves_something_out_is_not_full(
    warehouse: Path, invoke: Any, manifest: Manifest, arguments: tuple[str, ...]
) -> None:
    assert invoke(warehouse, *arguments, manifest=manifest).success
    build = builds(warehouse)[-1]
    assert (build["command"], build["is_full"], build["status"]) == (arguments[0], False, "green")


def test_commands_that_build_nothing_are_not_recorded(
    warehouse: Path, invoke: Any, manifest: Manifest
) -> None:
    assert invoke(warehouse, "compile", "--select", "fct_loads", manifest=manifest).success
    assert invoke(warehouse, "source", "freshness", manifest=manifest).success
    assert len(builds(warehouse)) == 1


def test_the_first_command_ever_makes_its_own_record(
    loaded_warehouse: Path, tmp_path: Path, invoke: Any, manifest: Manifest
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    warehouse.write_bytes(loaded_warehouse.read_bytes())
    change(warehouse, "drop schema ops cascade")
    assert invoke(warehouse, "run", "--select", "stg_shop__orders", manifest=manifest).success
    assert [build["status"] for build in builds(warehouse)] == ["green"]


def test_a_dbt_that_is_killed_stays_running_in_the_record(
    warehouse: Path, project: Path, tmp_path: Path
) -> None:
    dbt = subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("dbt")), "build", "--select", "marts"),
            *("--project-dir", str(project), "--profiles-dir", str(project / "profiles")),
            *("--target-path", str(tmp_path), "--log-path", str(tmp_path), "--no-use-colors"),
        ],
        env={**os.environ, "WATERSHED_WAREHOUSE": str(warehouse)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with dbt:
        assert dbt.stdout
        assert any("START sql table model" in line for line in dbt.stdout), "no model was begun"
        dbt.kill()
    build = builds(warehouse)[-1]
    assert (build["status"], build["finished_at"]) == ("running", None)


def test_a_source_is_fresh_while_its_stream_is_in_step_though_no_row_came(
    warehouse: Path, invoke: Any, manifest: Manifest
) -> None:
    change(
        warehouse,
        "update raw_shop.storevisits set _sdc_received_at = now() - interval 1 year;"
        "update ops.bookmarks set committed_at = now() - interval 90 hour"
        " where stream = 'shop-customers'",
    )
    result = invoke(warehouse, "source", "freshness", manifest=manifest)
    tables = {source.name for source in manifest.sources.values()}
    status = {
        item.node.name: str(item.status) for item in result.result if item.node.name in tables
    }
    assert status.pop("customers") == "error"
    assert set(status.values()) == {"pass"}
