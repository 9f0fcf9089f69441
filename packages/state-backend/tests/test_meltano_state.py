"""`meltano state` reads and edits the bookmarks in the warehouse."""

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from meltano.core.state_store.base import MeltanoState

from watershed_duckdb import WarehouseError, connect
from watershed_state_backend import DuckDBStateStoreManager

pytestmark = pytest.mark.load

MELTANO = Path(sysconfig.get_path("scripts"), "meltano")
STATE_ID = "dev:tap-postgres--shop-to-target-duckdb"
STATE = {"bookmarks": {"shop-orders": {"replication_key_value": "2026-01-01"}, "shop-items": {}}}


@pytest.fixture
def store(tmp_path):
    return DuckDBStateStoreManager(uri=f"duckdb://{tmp_path}/warehouse.duckdb")


def from_meltano(singer_state, *, is_partial=False):
    wrapped = {"singer_state": singer_state}
    return MeltanoState(STATE_ID, wrapped if is_partial else {}, {} if is_partial else wrapped)


def test_a_pipeline_that_never_ran_has_no_state(store):
    assert store.get(STATE_ID) is None
    assert store.get_state_ids() == []


def test_a_state_set_by_hand_is_read_again(store):
    store.update(from_meltano(STATE))
    assert store.get(STATE_ID).completed_state == {"singer_state": STATE}


def test_a_state_set_by_hand_replaces_the_one_before(store):
    store.update(from_meltano(STATE))
    store.update(from_meltano({"bookmarks": {"shop-items": {"at": 1}}}))
    assert store.get(STATE_ID).completed_state == {
        "singer_state": {"bookmarks": {"shop-items": {"at": 1}}}
    }


def test_a_partial_state_leaves_other_streams_alone(store):
    store.update(from_meltano(STATE))
    store.update(from_meltano({"bookmarks": {"shop-items": {"at": 1}}}, is_partial=True))
    bookmarks = store.get(STATE_ID).completed_state["singer_state"]["bookmarks"]
    assert bookmarks == {**STATE["bookmarks"], "shop-items": {"at": 1}}


@pytest.mark.parametrize("is_partial", [False, True])
def test_what_a_target_has_committed_is_not_written_again(store, is_partial):
    """It may be older than what the warehouse has meanwhile."""
    store.update(from_meltano(STATE))
    late = {"bookmarks": {"shop-orders": {"at": 0}}, "watershed_committed": True}
    store.update(from_meltano(late, is_partial=is_partial))
    assert store.get(STATE_ID).completed_state == {"singer_state": STATE}


def test_a_cleared_pipeline_begins_at_the_beginning(store):
    store.update(from_meltano(STATE))
    store.clear(STATE_ID)
    assert store.get(STATE_ID) is None


def test_pipelines_are_listed_by_pattern(store):
    for name in ("dev:a-to-x", "dev:b-to-x", "prod:a-to-x"):
        store.set(MeltanoState(name, {}, {"singer_state": STATE}))
    assert store.get_state_ids("dev:*") == ["dev:a-to-x", "dev:b-to-x"]


def test_a_warehouse_without_bookmarks_has_no_state(store, tmp_path):
    with connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute("create table other as select 1 as x")
    assert store.get(STATE_ID) is None


@pytest.mark.parametrize("uri", ["duckdb://relative/path", "duckdb:"])
def test_an_address_without_a_path_is_refused(uri):
    with pytest.raises(WarehouseError, match="write duckdb:///absolute/path"):
        DuckDBStateStoreManager(uri=uri)


def test_the_meltano_commands_work_on_the_warehouse(tmp_path):
    """R-8.2: list, get, set, clear, as any Meltano user knows them."""
    (tmp_path / "meltano.yml").write_text(
        "project_id: state-test\n"
        "send_anonymous_usage_stats: false\n"
        "cli: {disable_version_check: true}\n"
        "state_backend: {uri: 'duckdb://${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb'}\n"
    )

    def state(*arguments):
        done = subprocess.run(
            [MELTANO, "--log-level=error", "state", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    state("set", "--force", STATE_ID, json.dumps({"singer_state": STATE}))
    with connect(tmp_path / "output" / "warehouse.duckdb", read_only=True) as connection:
        rows = connection.execute("select stream from ops.bookmarks order by 1").fetchall()
    assert rows == [("shop-items",), ("shop-orders",)]
    assert state("list").strip() == STATE_ID
    assert json.loads(state("get", STATE_ID)) == {"singer_state": STATE}
    state("clear", "--force", STATE_ID)
    assert state("list").strip() == ""
