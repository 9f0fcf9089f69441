"""A tap that is killed, ended or left by its target loses nothing and never says it is done."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]

ROWS = 120_000
COMMAND = str(Path(sys.executable).with_name("watershed-tap-postgres"))


@pytest.fixture
def catalog(tap: Runner, execute: Execute) -> dict[str, Any]:
    execute(f"""
        create table visits as
            select i as id, timestamptz '2026-01-01+00' + i * interval '1 s' as at
            from generate_series(1, {ROWS}) i;
        alter table visits add primary key (id);
        create index on visits (at);
    """)
    by_time = {"replication-method": "INCREMENTAL", "replication-key": "at"}
    return tap.catalog(public_visits=by_time)


def started(tap: Runner, **files: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [COMMAND, *tap.arguments(**files)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def lines_until_a_bookmark(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    for line in process.stdout or ():
        message = json.loads(line)
        yield message
        if message["type"] == "STATE" and message["value"]["bookmarks"]["public-visits"]:
            return


def test_killed_in_the_middle_it_resumes_from_its_last_state(
    tap: Runner, catalog: dict[str, Any]
) -> None:
    with started(tap, catalog=catalog) as process:
        messages = list(lines_until_a_bookmark(process))
        process.kill()
    sent = {message["record"]["id"] for message in messages if message["type"] == "RECORD"}
    assert 0 < len(sent) < ROWS
    resumed = tap.sync(catalog=catalog, state=messages[-1]["value"])
    rest = {record["id"] for record in resumed.records("public-visits")}
    assert sent | rest == set(range(1, ROWS + 1))
    assert len(rest) <= ROWS - len(sent) + 3601, "only the overlap of an hour comes again"


def test_ended_by_a_signal_it_does_not_report_success(tap: Runner, catalog: dict[str, Any]) -> None:
    with started(tap, catalog=catalog) as process:
        last = list(lines_until_a_bookmark(process))[-1]
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    states = [line for line in rest.splitlines() if line.startswith(b'{"type":"STATE"')]
    assert last["type"] == "STATE"
    for line in states:
        assert "at" in json.loads(line)["value"]["bookmarks"]["public-visits"].values()


def test_left_by_its_target_it_says_so_in_one_line(tap: Runner, catalog: dict[str, Any]) -> None:
    with started(tap, catalog=catalog) as process:
        list(lines_until_a_bookmark(process))
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        stderr = process.stderr.read().decode()  # type: ignore[union-attr]  # as above
    assert process.returncode == 1
    assert stderr.rstrip().endswith("see its own error, then run again")
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr


def test_works_where_python_does_not_buffer_output(tap: Runner, catalog: dict[str, Any]) -> None:
    output = subprocess.run(
        [COMMAND, *tap.arguments(catalog=catalog)],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        check=True,
    )
    assert output.stdout.count(b'{"type":"RECORD"') == ROWS
