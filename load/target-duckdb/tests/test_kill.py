"""SIGKILL at every step of every commit; then a rerun; then source and warehouse agree by key.

R-3.1.3: a killed run loses and doubles nothing. Nothing here is at random: a first run counts the
steps that a whole load takes, and the load is then killed at each of them in turn.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from watershed_duckdb import connect

pytestmark = pytest.mark.load

SOURCE = {
    "shop-incremental": [(n, f"value {n}") for n in range(1, 5)],
    "shop-full": [(n, f"value {n}") for n in range(3, 6)],
    "shop-keyless": [(1, "equal"), (1, "equal"), (2, None)],
}
FORMER = {
    "shop-incremental": [],
    "shop-full": [(n, f"former {n}") for n in range(1, 4)],
    "shop-keyless": [(1, "equal"), (9, "gone")],
}
PARTS = 4


@pytest.fixture(scope="module")
def load():
    """Run a load in a process of its own; return the steps it took and its exit code."""
    script = Path(__file__).parent / "killable_load.py"
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:

        def ask(path, source, version, last_step=0):
            server.stdin.write(json.dumps([str(path), source, version, last_step]) + "\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        yield ask
        server.stdin.close()


def assert_agrees(path):
    with connect(path, read_only=True) as connection:
        for stream, rows in SOURCE.items():
            table = stream.replace("-", ".")
            found = connection.execute(
                f"select id, value from {table} where _sdc_deleted_at is null"
            ).fetchall()
            assert sorted(found, key=str) == sorted(rows, key=str), stream
        counted = connection.execute(
            "select sum(rows_inserted), count(distinct load_id) = count(*) from ops.loads "
            "where stream = 'shop-incremental'"
        ).fetchone()
        assert counted == (len(SOURCE["shop-incremental"]), True)
        deleted = connection.execute(
            "select list(id order by id) from shop.full where _sdc_deleted_at is not null"
        ).fetchone()
        assert deleted == ([1, 2],)
        assert connection.execute(
            "select bookmark from ops.bookmarks where stream = 'shop-incremental'"
        ).fetchone() == ('{"last_id": 4}',)


@pytest.fixture(scope="module")
def former(load, tmp_path_factory):
    """A warehouse that yesterday's load has filled."""
    path = tmp_path_factory.mktemp("former") / "warehouse.duckdb"
    assert load(path, FORMER, 10)[1] == 0
    return path.read_bytes()


@pytest.fixture(scope="module")
def steps_of_a_load(load, former, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "warehouse.duckdb"
    path.write_bytes(former)
    steps, exit_code = load(path, SOURCE, 20)
    assert exit_code == 0
    assert_agrees(path)
    return steps


@pytest.mark.parametrize("part", range(PARTS))
def test_a_load_killed_at_any_step_is_made_whole_by_the_next(
    tmp_path, load, former, steps_of_a_load, part
):
    assert steps_of_a_load > 30
    for last_step in range(1 + part, steps_of_a_load + 1, PARTS):
        path = tmp_path / f"{last_step}.duckdb"
        path.write_bytes(former)
        assert load(path, SOURCE, 20, last_step) == [last_step, -signal.SIGKILL]
        assert load(path, SOURCE, 30)[1] == 0
        assert_agrees(path)
