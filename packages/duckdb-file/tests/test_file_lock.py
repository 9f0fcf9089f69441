"""The embedded warehouse is one file that several processes want."""

import subprocess
import sys

import duckdb
import pytest

from watershed_duckdb import WarehouseError, WarehouseLockedError, WarehouseMissingError, connect

pytestmark = pytest.mark.load

HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
connection.close()
"""


@pytest.fixture
def held_file(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield path, process
        process.stdin.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_held_by_another_process_is_one_line_that_names_the_holder(held_file, read_only):
    path, process = held_file
    with pytest.raises(WarehouseLockedError) as raised:
        connect(path, read_only=read_only, wait_seconds=0.05)
    assert str(path) in str(raised.value)
    assert f"process {process.pid}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_lock_that_is_released_while_we_wait_is_taken(held_file):
    path, process = held_file
    process.stdin.write("release\n")
    process.stdin.flush()
    connection = connect(path, wait_seconds=30)
    assert connection.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)
    connection.close()


def test_reading_what_is_not_there_says_so(tmp_path):
    with pytest.raises(WarehouseMissingError, match="does not exist: run a load first"):
        connect(tmp_path / "none.duckdb", read_only=True)


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseError, match=r"warehouse\.duckdb cannot be opened"):
        connect(path)
    assert path.read_bytes() == b"no database" * 1000


def test_readers_share_the_file(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with connect(path) as writer:
        writer.execute("create table t as select 1 as x")
    first, second = connect(path, read_only=True), connect(path, read_only=True)
    assert first.execute("from t").fetchall() == second.execute("from t").fetchall() == [(1,)]
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        first.execute("drop table t")
    first.close()
    second.close()


OPENER = """
import pathlib, sys
from watershed_duckdb import connect
for number in range(40):
    connect(pathlib.Path(sys.argv[1], f"{number}.duckdb"), wait_seconds=60).close()
"""


def test_processes_that_all_want_to_create_the_file_find_it_whole(tmp_path):
    """DuckDB alone lets one of them see a file that is still empty, which is no database."""
    command = [sys.executable, "-c", OPENER, str(tmp_path)]
    openers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [opener.communicate()[1] for opener in openers] == [""] * 3
    assert {file.name for file in tmp_path.iterdir()} == {f"{n}.duckdb" for n in range(40)}


def test_a_new_file_is_there_whole_before_it_is_opened(tmp_path, monkeypatch):
    path, was_there, open_file = tmp_path / "warehouse.duckdb", [], duckdb.connect

    def watched(file, **options):
        was_there.append(path.exists())
        return open_file(file, **options)

    monkeypatch.setattr(duckdb, "connect", watched)
    connect(path).close()
    assert was_there == [False, True]
