"""The target as Meltano runs it: a process, its exit code, one line for what a person can mend."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from watershed_duckdb import connect

pytestmark = pytest.mark.load

COMMAND = Path(sysconfig.get_path("scripts"), "watershed-target-duckdb")
LIMITED = 'ulimit -f "$0"; exec "$@"'
HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
INTEGER = {"type": ["integer", "null"]}


@pytest.fixture
def start(tmp_path):
    """Start a target; end it with the test."""
    started = []

    def start_target(largest_file="unlimited", **config):
        settings = tmp_path / f"config-{len(started)}.json"
        settings.write_text(json.dumps({"warehouse": str(tmp_path / "w.duckdb"), **config}))
        process = subprocess.Popen(
            ["bash", "-c", LIMITED, largest_file, COMMAND, "--config", settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key != "WATERSHED_TRACEBACK"},
        )
        started.append(process)
        return process

    yield start_target
    for process in started:
        process.kill()
        process.communicate()


def text(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages)


def test_a_load_prints_its_states_and_says_what_it_did(start, singer):
    process = start()
    out, err = process.communicate(
        text(
            singer.schema("shop-orders", id=INTEGER),
            singer.record("shop-orders", id=1),
            singer.state(**{"shop-orders": {"at": 1}}),
        )
    )
    assert process.returncode == 0
    assert json.loads(out) == {"bookmarks": {"shop-orders": {"at": 1}}}
    assert "stream shop-orders: 1 inserted, 0 updated, 0 unchanged, 0 deleted" in err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{broken\n", "input is not a Singer message"),
        ('{"type": "RECORD", "stream": "shop-x", "record": {}}\n', "stream 'shop-x'"),
        ('{"type": "SCHEMA", "stream": "shop-x"}\n', "missing required schema"),
        ('{"type": "STATE", "value": 5}\n', "STATE is not a JSON object but int"),
    ],
)
def test_broken_input_is_one_line_and_exit_code_1(start, line, problem):
    process = start()
    out, err = process.communicate(line)
    assert process.returncode == 1
    assert out == ""
    assert "Traceback" not in err
    assert problem in err.splitlines()[-1]


def test_a_locked_warehouse_is_one_line_that_names_who_holds_it(start, singer, tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD,
            str(tmp_path / "w.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        process = start(lock_wait_seconds=0.2)
        out, err = process.communicate(text(singer.schema("shop-orders", id=INTEGER)))
    finally:
        holder.communicate(b"\n")
    assert (process.returncode, out) == (1, "")
    assert "Traceback" not in err
    line = err.splitlines()[-1]
    assert f"is locked by {Path(sys.executable).resolve()} (process {holder.pid})" in line
    assert "gave up after 0.2 s" in line


def test_targets_of_several_sources_share_the_file(start, singer, tmp_path):
    """R-3.1.1: extractions run side by side; each commit waits for the file and is short."""
    processes = [start(default_target_schema=f"raw_{n}") for n in range(3)]
    for step in range(5):
        for process in processes:
            messages = [
                singer.schema("shop-orders", id=INTEGER),
                *(singer.record("shop-orders", id=step * 100 + n) for n in range(100)),
                singer.state(**{"shop-orders": {"at": step}}),
            ]
            process.stdin.write(text(*messages))
            process.stdin.flush()
    for process in processes:
        _, err = process.communicate()
        assert process.returncode == 0, err
    with connect(tmp_path / "w.duckdb", read_only=True) as connection:
        for n in range(3):
            count = connection.execute(f"select count(*) from raw_{n}.orders").fetchone()
            assert count == (500,)


def test_sigterm_ends_a_load_at_its_next_commit(start, singer, tmp_path):
    """What is under way gets its STATE; the messages behind it come again in the next run."""
    process = start()
    process.stdin.write(
        text(
            singer.schema("shop-orders", id=INTEGER),
            singer.record("shop-orders", id=1),
            singer.state(**{"shop-orders": {"at": 1}}),
        )
    )
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"bookmarks": {"shop-orders": {"at": 1}}}
    # More than a pipe holds: when they are written, most of them are read.
    process.stdin.write(text(*(singer.record("shop-orders", id=n) for n in range(2, 4000))))
    process.stdin.flush()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(
        text(
            singer.state(**{"shop-orders": {"at": 2}}),
            singer.record("shop-orders", id=4000),
            singer.state(**{"shop-orders": {"at": 3}}),
        )
    )
    assert (process.returncode, json.loads(out)) == (
        128 + signal.SIGTERM,
        {"bookmarks": {"shop-orders": {"at": 2}}},
    )
    assert err.splitlines()[-1].endswith("signal 15: ended after a commit")
    with connect(tmp_path / "w.duckdb", read_only=True) as connection:
        found = connection.execute("select count(*), max(id) from shop.orders").fetchone()
    assert found == (3999, 3999)


def test_sigterm_ends_at_once_what_waits_for_its_source(start, singer):
    process = start()
    process.stdin.write(
        text(singer.schema("shop-orders", id=INTEGER), singer.state(**{"shop-orders": {"at": 1}}))
    )
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


def test_spools_of_a_killed_run_are_removed_by_the_next(start, singer, tmp_path):
    process = start()
    process.stdin.write(
        text(
            singer.schema("shop-orders", id=INTEGER),
            singer.record("shop-orders", id=1),
            singer.state(**{"shop-orders": {"at": 1}}),
            *(singer.record("shop-orders", id=n) for n in range(10_001)),
        )
    )
    process.stdin.flush()
    process.stdout.readline()
    batches = tmp_path / "batches"
    while not list(batches.glob("*/*.parquet")):
        assert process.poll() is None
    process.kill()
    process.wait()
    assert list(batches.iterdir())
    start().communicate(text(singer.schema("shop-orders", id=INTEGER)))
    assert list(batches.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(start, singer):
    """R-5: five times the rows, the same memory; well under 1 GiB."""

    def peak_megabytes(rows):
        process = start()
        process.stdin.write(text(singer.schema("shop-orders", id=INTEGER, name={"type": "string"})))
        for number in range(rows):
            process.stdin.write(text(singer.record("shop-orders", id=number, name="x" * 200)))
            if number % 10_000 == 9_999:
                process.stdin.write(text(singer.state(**{"shop-orders": {"at": number}})))
        process.stdin.flush()
        for _ in range(rows // 10_000):
            process.stdout.readline()
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.communicate()
        return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024

    few, many = peak_megabytes(30_000), peak_megabytes(150_000)
    assert many < few * 1.25
    assert many < 500


def test_a_full_disk_is_one_line_and_leaves_the_warehouse_as_before(start, singer, tmp_path):
    """The system refuses to let any file grow beyond the size that the warehouse has."""
    first = [
        singer.schema("shop-orders", id=INTEGER, name={"type": "string"}),
        singer.record("shop-orders", id=0, name="before"),
        singer.state(**{"shop-orders": {"at": 0}}),
    ]
    start().communicate(text(*first))
    size = (tmp_path / "w.duckdb").stat().st_size
    process = start(largest_file=str(size // 1024 + 4))
    out, err = process.communicate(
        text(
            first[0],
            *(singer.record("shop-orders", id=n, name=os.urandom(500).hex()) for n in range(5_000)),
            singer.state(**{"shop-orders": {"at": 5_000}}),
        )
    )
    assert (process.returncode, out) == (1, "")
    assert "Traceback" not in err
    assert "nothing of this commit was kept" in err.splitlines()[-1]
    with connect(tmp_path / "w.duckdb", read_only=True) as connection:
        assert connection.execute("select id, name from shop.orders").fetchall() == [(0, "before")]
        assert connection.execute("select bookmark from ops.bookmarks").fetchone() == ('{"at": 0}',)
    assert not list((tmp_path / "batches").glob("*"))
