"""`meltano state` reads and edits the bookmarks in the warehouse."""

import json
import os
import re
import secrets
import subprocess
import sysconfig
from pathlib import Path

import pytest
from meltano.core.state_store.base import MeltanoState

from watershed_duckdb import WarehouseError, connect
from watershed_state_backend.duckdb_store import DuckDBStateStoreManager
from watershed_state_backend.exceptions import StateStoreError
from watershed_state_backend.redshift_store import RedshiftStateStoreManager

pytestmark = pytest.mark.load

MELTANO = Path(sysconfig.get_path("scripts"), "meltano")
STATE = {"bookmarks": {"shop-orders": {"replication_key_value": "2026-01-01"}, "shop-items": {}}}


ENGINES = ["duckdb", pytest.param("redshift", marks=pytest.mark.redshift)]


@pytest.fixture
def duckdb_store(tmp_path):
    return DuckDBStateStoreManager(uri=f"duckdb://{tmp_path}/warehouse.duckdb")


@pytest.fixture
def redshift_store(redshift_environment, monkeypatch):
    for name, value in redshift_environment.items():
        monkeypatch.setenv(name, value)
    return RedshiftStateStoreManager(uri="redshift://")


@pytest.fixture(params=ENGINES)
def store(request):
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def state_id():
    """A pipeline of this test, for a warehouse may be shared."""
    return f"dev:tap-postgres--{secrets.token_hex(4)}-to-target"


@pytest.fixture
def from_meltano(state_id):
    def wrap(singer_state, *, is_partial=False):
        wrapped = {"singer_state": singer_state}
        return MeltanoState(state_id, wrapped if is_partial else {}, {} if is_partial else wrapped)

    return wrap


def test_a_pipeline_that_never_ran_has_no_state(store, state_id):
    assert store.get(state_id) is None
    assert state_id not in store.get_state_ids()


def test_a_state_set_by_hand_is_read_again(store, state_id, from_meltano):
    store.update(from_meltano(STATE))
    assert store.get(state_id).completed_state == {"singer_state": STATE}


def test_a_state_set_by_hand_replaces_the_one_before(store, state_id, from_meltano):
    store.update(from_meltano(STATE))
    store.update(from_meltano({"bookmarks": {"shop-items": {"at": 1}}}))
    assert store.get(state_id).completed_state == {
        "singer_state": {"bookmarks": {"shop-items": {"at": 1}}}
    }


def test_a_partial_state_leaves_other_streams_alone(store, state_id, from_meltano):
    store.update(from_meltano(STATE))
    store.update(from_meltano({"bookmarks": {"shop-items": {"at": 1}}}, is_partial=True))
    bookmarks = store.get(state_id).completed_state["singer_state"]["bookmarks"]
    assert bookmarks == {**STATE["bookmarks"], "shop-items": {"at": 1}}


@pytest.mark.parametrize("is_partial", [False, True])
def test_what_a_target_has_committed_is_not_written_again(
    store, state_id, from_meltano, is_partial
):
    """It may be older than what the warehouse has meanwhile."""
    store.update(from_meltano(STATE))
    late = {"bookmarks": {"shop-orders": {"at": 0}}, "watershed_committed": True}
    store.update(from_meltano(late, is_partial=is_partial))
    assert store.get(state_id).completed_state == {"singer_state": STATE}


def test_a_cleared_pipeline_begins_at_the_beginning(store, state_id, from_meltano):
    store.update(from_meltano(STATE))
    store.clear(state_id)
    assert store.get(state_id) is None


def test_pipelines_are_listed_by_pattern(store, state_id):
    names = [f"{state_id}:{suffix}" for suffix in ("a", "b")]
    for name in [*names, f"other:{state_id}"]:
        store.set(MeltanoState(name, {}, {"singer_state": STATE}))
    assert store.get_state_ids(f"{state_id}:*") == names


def test_a_warehouse_without_bookmarks_has_no_state(duckdb_store, state_id, tmp_path):
    with connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute("create table other as select 1 as x")
    assert duckdb_store.get(state_id) is None


@pytest.mark.parametrize("uri", ["duckdb://relative/path", "duckdb:"])
def test_an_address_without_a_path_is_refused(uri):
    with pytest.raises(WarehouseError, match="write duckdb:///absolute/path"):
        DuckDBStateStoreManager(uri=uri)


def test_an_address_of_redshift_holds_nothing_that_is_secret():
    with pytest.raises(StateStoreError, match=r"address is redshift:// alone") as raised:
        RedshiftStateStoreManager(uri="redshift://someone:secret@host/database")
    assert "secret" not in str(raised.value)


PROJECT = """
project_id: state-test
send_anonymous_usage_stats: false
cli: {disable_version_check: true}
default_environment: dev
state_backend: {uri: 'warehouse:'}
environments:
- name: dev
  env: {WATERSHED_WAREHOUSE: '${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb'}
- name: prod
  env: {WATERSHED_WAREHOUSE: 'redshift://'}
- name: bare
"""


@pytest.fixture
def meltano(tmp_path):
    """Run `meltano state` in a project of its own."""
    (tmp_path / "meltano.yml").write_text(PROJECT)

    def run(environment, *arguments, **variables):
        return subprocess.run(
            [MELTANO, "--log-level=error", f"--environment={environment}", "state", *arguments],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def warehouse_of(tmp_path, request):
    """Ask the warehouse of an environment; and the variables that lead there."""

    def warehouse(environment):
        if environment == "dev":
            with connect(tmp_path / "output" / "warehouse.duckdb", read_only=True) as connection:
                return connection.execute("select state_id, stream from ops.bookmarks").fetchall()
        return request.getfixturevalue("redshift_query")(
            "select state_id, stream from ops.bookmarks"
        )

    return warehouse


@pytest.mark.parametrize("environment", ["dev", pytest.param("prod", marks=pytest.mark.redshift)])
def test_the_meltano_commands_work_on_the_warehouse_of_an_environment(
    meltano, warehouse_of, environment, request
):
    """R-8.2: list, get, set, clear, as any Meltano user knows them."""
    state_id = f"{environment}:tap-x--{secrets.token_hex(4)}-to-target"
    variables = {}
    if environment == "prod":
        variables = request.getfixturevalue("redshift_environment")

    def state(*arguments):
        done = meltano(environment, *arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    state("set", "--force", state_id, json.dumps({"singer_state": STATE}))
    mine = sorted(stream for name, stream in warehouse_of(environment) if name == state_id)
    assert mine == ["shop-items", "shop-orders"]
    assert state_id in state("list").split()
    assert json.loads(state("get", state_id)) == {"singer_state": STATE}
    state("clear", "--force", state_id)
    assert state_id not in state("list").split()


@pytest.mark.parametrize(
    ("environment", "variables", "line"),
    [
        ("bare", {}, "environment 'bare' names the warehouse .*: set WATERSHED_WAREHOUSE"),
        (
            "prod",
            {
                "WATERSHED_REDSHIFT_DATABASE": "x",
                "WATERSHED_REDSHIFT_HOST": "127.0.0.1",
                "WATERSHED_REDSHIFT_PORT": "1",
                "WATERSHED_REDSHIFT_USER": "u",
                "WATERSHED_REDSHIFT_PASSWORD": "hidden-word",
            },
            "Redshift 127.0.0.1 cannot be reached: ",
        ),
    ],
)
def test_a_warehouse_that_is_not_to_be_had_is_one_line(meltano, environment, variables, line):
    done = meltano(environment, "list", **variables)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert re.search(line, said)
    assert "hidden-word" not in said
