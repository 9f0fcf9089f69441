"""R-8: how the tap spares its source: few connections, a throttle, a replica instead of it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import PostgresServer
from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
COMMAND = str(Path(sys.executable).with_name("watershed-tap-postgres"))
NOWHERE = {"host": "primary.invalid", "port": 1}


def many_rows(execute: Execute, name: str, rows: int) -> None:
    execute(
        f"create table {name} as select i as id, md5(i::text) from generate_series(1, {rows}) i"
    )


@pytest.mark.parametrize(("in_which", "connections"), [("RECORD", 1), ("BATCH", 2)])
def test_a_run_takes_one_connection_and_in_files_one_more(
    tap: Runner, execute: Execute, in_files: dict[str, Any], in_which: str, connections: int
) -> None:
    """Counted while the run waits for us: for its pipe, or for the files to be taken."""
    many_rows(execute, "one", 40_000)
    many_rows(execute, "two", 1)
    small = {**in_files, "batch_file_megabytes": 1, "batch_waiting_megabytes": 1}
    settings = small if in_which == "BATCH" else {}
    with subprocess.Popen(
        [COMMAND, *tap.arguments(settings=settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if json.loads(line)["type"] == in_which)
        found = execute("select state from pg_stat_activity where application_name = 'watershed'")
        process.kill()
    assert len(found) == connections


@pytest.mark.parametrize("is_in_files", [False, True])
def test_rows_are_read_no_faster_than_allowed(
    tap: Runner,
    execute: Execute,
    in_files: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    is_in_files: bool,  # noqa: FBT001  # a parameter
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("watershed_tap.bulk.time.sleep", slept.append)
    monkeypatch.setattr("watershed_tap.bulk.time.monotonic", lambda: sum(slept))
    many_rows(execute, "one", 3_000)
    many_rows(execute, "two", 1)
    settings = in_files if is_in_files else {}
    output = tap.sync(settings={**settings, "throttle_rows_per_second": 1_000})
    assert sum(slept) == pytest.approx(3, abs=0.02)
    assert len(output.of("BATCH")) == 2 * is_in_files


@pytest.fixture(scope="session")
def standby(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresServer]:
    """A streaming standby of the tests' server."""
    server = postgres_server.make_standby(tmp_path_factory.mktemp("standby"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def at_standby(
    standby: PostgresServer, postgres_server: PostgresServer, execute: Execute
) -> Iterator[Callable[[str], None]]:
    """Act at the standby once it has received, or replayed, all that the primary has written."""
    with standby.database().connect(autocommit=True) as connection:

        def act(statement: str, after: str = "replay") -> None:
            with postgres_server.database().connect(autocommit=True) as primary:
                primary.execute("select pg_switch_wal()")
            reached = f"pg_last_wal_{after}_lsn() >= %s::pg_lsn"
            [(here,)] = execute("select pg_current_wal_lsn()")
            while not connection.execute(f"select {reached}, pg_sleep(0.01)", [here]).fetchone()[0]:
                pass
            connection.execute(statement)

        yield act
        connection.execute("select pg_wal_replay_resume()")


def replica(server: PostgresServer, **settings: Any) -> dict[str, Any]:
    at = {"replica_host": server.database().host, "replica_port": server.port}
    return {**NOWHERE, **at, "sslrootcert": str(server.ca_file), **settings}


def test_the_replica_is_read_and_the_primary_not_even_asked(
    tap: Runner,
    execute: Execute,
    in_files: dict[str, Any],
    standby: PostgresServer,
    at_standby: Callable[..., None],
) -> None:
    many_rows(execute, "thing", 3)
    at_standby("select pg_wal_replay_pause()")
    execute("insert into thing values (4, 'written since')")
    settings = replica(standby, replica_largest_lag_seconds=3600)
    records = tap.sync(settings=settings).records("public-thing")
    assert [row["id"] for row in records] == [1, 2, 3]
    assert '"value":3' in tap.sync(settings=settings | in_files).stderr


def test_a_replica_that_is_further_behind_is_one_line(
    tap: Runner, execute: Execute, standby: PostgresServer, at_standby: Callable[..., None]
) -> None:
    many_rows(execute, "thing", 3)
    at_standby("select pg_wal_replay_pause()")
    execute("insert into thing values (4, 'written since')")
    at_standby("select", after="receive")
    error = tap(settings=replica(standby, replica_largest_lag_seconds=0)).error
    assert f":{standby.port}: it is " in error
    assert "s behind its primary, more than the 0 s allowed: run again later" in error


def test_what_is_no_standby_is_one_line(tap: Runner, postgres_server: PostgresServer) -> None:
    settings = replica(postgres_server, replica_largest_lag_seconds=60)
    assert "for it is no standby: correct replica_host" in tap(settings=settings).error


def test_the_replicas_certificate_is_verified(tap: Runner, standby: PostgresServer) -> None:
    wrong_name = replica(standby, replica_host="0.0.0.0")  # noqa: S104  # reaches this machine too
    assert "set replica_host to the name in the certificate" in tap(settings=wrong_name).error
    wrong_ca = replica(standby, sslrootcert=tap.config["sslrootcert"])
    assert "is not signed by a CA in sslrootcert" in tap(settings=wrong_ca).error


def test_a_replica_that_does_not_answer_is_one_line(tap: Runner) -> None:
    settings = {"replica_host": tap.config["host"], "replica_port": 1}
    assert "check that it is up, and replica_host, port" in tap(settings=settings).error


def test_a_lag_without_a_replica_is_one_line(tap: Runner) -> None:
    error = tap(settings={"replica_largest_lag_seconds": 60}).error
    assert "replica_largest_lag_seconds: give replica_host too" in error
