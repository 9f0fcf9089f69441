"""R-8: how the tap spares its source: one connection, a replica instead of it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import MariaDBServer

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py
COMMAND = str(Path(sys.executable).with_name("watershed-tap-mysql"))
NOWHERE = {"host": "primary.invalid", "port": 1}


@pytest.mark.parametrize("in_which", ["RECORD", "BATCH"])
def test_a_run_takes_one_connection(
    tap: Runner, execute: Execute, in_files: dict[str, Any], in_which: str
) -> None:
    """Counted while the run waits for us: for its pipe, or for the files to be taken."""
    execute("create table one as select seq, md5(seq) from seq_1_to_40000")
    execute("create table two as select 1 as id")
    small = {**in_files, "batch_file_megabytes": 1, "batch_waiting_megabytes": 1}
    settings = small if in_which == "BATCH" else {}
    with subprocess.Popen(
        [COMMAND, *tap.arguments(settings=settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if json.loads(line)["type"] == in_which)
        found = execute(
            "select 1 from information_schema.processlist "
            "where user = %s and id <> connection_id()",
            parameters=[tap.database.user],
        )
        process.kill()
    assert len(found) == 1


def replica(tap: Runner, **settings: Any) -> dict[str, Any]:
    at = {"replica_host": tap.database.host, "replica_port": tap.database.port}
    return {**NOWHERE, **at, **settings}


def test_the_replica_is_read_and_the_primary_not_even_asked(tap: Runner, execute: Execute) -> None:
    execute("create table thing as select 1 as id")
    output = tap.sync(settings=replica(tap))
    assert [row["id"] for row in output.records(tap.stream("thing"))] == [1]


def test_the_replicas_certificate_is_verified(tap: Runner) -> None:
    settings = replica(tap, replica_host="0.0.0.0")  # noqa: S104  # reaches this machine too
    assert "set replica_host to the name in the certificate" in tap(settings=settings).error


def test_a_replica_that_does_not_answer_is_one_line(tap: Runner) -> None:
    error = tap(settings=replica(tap, replica_port=1)).error
    assert "check that it is up, and replica_host, port" in error


def test_a_lag_without_a_replica_is_one_line(tap: Runner) -> None:
    error = tap(settings={"replica_largest_lag_seconds": 60}).error
    assert "replica_largest_lag_seconds: give replica_host too" in error


def test_a_user_who_may_not_see_the_lag_is_told_the_grant(tap: Runner) -> None:
    error = tap(settings=replica(tap, replica_largest_lag_seconds=60)).error
    assert "may not see how far the replica is behind" in error
    assert "grant replica monitor (MariaDB) or replication client (MySQL) on *.*" in error


@pytest.fixture
def monitor(tap: Runner, mariadb_server: MariaDBServer) -> Iterator[Execute]:
    """Let the tap's user see the server's replication, and act there as the superuser."""
    with mariadb_server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"grant replica monitor on *.* to {tap.database.user}@'127.0.0.1'")
        yield cursor.execute
        cursor.execute("reset replica all")


@pytest.mark.usefixtures("monitor")
def test_what_is_no_replica_is_one_line(tap: Runner) -> None:
    error = tap(settings=replica(tap, replica_largest_lag_seconds=60)).error
    assert "its lag cannot be told, for it is no replica" in error


def test_a_replica_whose_replication_stands_still_is_one_line(
    tap: Runner, monitor: Execute
) -> None:
    monitor("change master to master_host = '127.0.0.1', master_port = 1, master_user = 'x'")
    error = tap(settings=replica(tap, replica_largest_lag_seconds=60)).error
    assert "it does not follow its primary now: see to its replication" in error
