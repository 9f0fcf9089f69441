"""A tap that is killed, ended, left by its target or by its source loses nothing."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import MariaDBServer
from watershed_servers.pytest_plugin import temporary_mariadb_database
from watershed_tap_mysql.source import MySQLSource

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py

ROWS = 120_000
COMMAND = str(Path(sys.executable).with_name("watershed-tap-mysql"))
BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "at"}
# Much wider than what the sockets between source and tap hold.
VISITS = f"""
create table visits (id int primary key, at datetime(6), padding varchar(300), key (at))
    select seq as id, '2026-01-01' + interval seq second as at, repeat('x', 300) as padding
    from seq_1_to_{ROWS}
"""


@pytest.fixture
def catalog(tap: Runner, execute: Execute) -> dict[str, Any]:
    execute(VISITS)
    return tap.catalog(visits=BY_TIME)


def started(tap: Runner, **files: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [COMMAND, *tap.arguments(**files)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def lines_until_a_bookmark(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    for line in process.stdout or ():
        message = json.loads(line)
        yield message
        if message["type"] == "STATE" and any(message["value"]["bookmarks"].values()):
            return


def ids(messages: list[dict[str, Any]]) -> set[int]:
    return {message["record"]["id"] for message in messages if message["type"] == "RECORD"}


def assert_the_rest_comes(tap: Runner, catalog: Any, messages: list[dict[str, Any]]) -> None:
    sent = ids(messages)
    assert 0 < len(sent) < ROWS
    [last] = [message for message in messages if message["type"] == "STATE"][-1:]
    rest = ids(tap.sync(catalog=catalog, state=last["value"]).of("RECORD"))
    assert sent | rest == set(range(1, ROWS + 1))
    assert len(rest) <= ROWS - 50_000 + 3601, "only the overlap of an hour comes again"


def test_killed_in_the_middle_it_resumes_from_its_last_state(
    tap: Runner, catalog: dict[str, Any]
) -> None:
    with started(tap, catalog=catalog) as process:
        messages = list(lines_until_a_bookmark(process))
        process.kill()
    assert_the_rest_comes(tap, catalog, messages)


def test_ended_by_a_signal_it_does_not_report_success(tap: Runner, catalog: dict[str, Any]) -> None:
    with started(tap, catalog=catalog) as process:
        list(lines_until_a_bookmark(process))
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert b"Exception ignored" not in stderr


def test_left_by_its_target_it_says_so_in_one_line_and_at_once(
    tap: Runner, catalog: dict[str, Any]
) -> None:
    with started(tap, catalog=catalog) as process:
        list(lines_until_a_bookmark(process))
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        stderr = process.stderr.read().decode()  # type: ignore[union-attr]  # as above
    assert process.returncode == 1
    assert stderr.rstrip().endswith("see its own error, then run again")
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr


def test_a_statement_that_is_ended_there_ends_the_run_here(
    tap: Runner, catalog: dict[str, Any], execute: Execute
) -> None:
    for word, problem in (
        ("query", "somebody there ended the statement"),
        ("connection", "it broke off"),
    ):
        with started(tap, catalog=catalog) as process:
            list(lines_until_a_bookmark(process))
            [(number,)] = execute(
                "select id from information_schema.processlist"
                " where db = database() and id <> connection_id()"
            )
            execute(f"kill {word} {number}")
            _, stderr = process.communicate()
        assert process.returncode == 1
        [line] = [line for line in stderr.decode().splitlines() if " ERROR " in line]
        assert f"stream {tap.stream('visits')}: {problem}" in line
        assert b"Exception ignored" not in stderr


class TestServerThatRestarts:
    @pytest.fixture
    def mariadb_server(self, tmp_path: Path) -> Iterator[MariaDBServer]:
        """A server of this test's own."""
        server = MariaDBServer(tmp_path / "server", is_throwaway=True)
        server.start()
        yield server
        server.stop()

    @pytest.fixture
    def mariadb_database(self, mariadb_server: MariaDBServer) -> Iterator[Any]:
        with temporary_mariadb_database(mariadb_server) as database:
            yield database

    def test_in_mid_read_is_named_and_the_next_run_resumes(
        self, tap: Runner, mariadb_server: MariaDBServer
    ) -> None:
        with tap.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(VISITS)
        catalog = tap.catalog(visits=BY_TIME)
        with started(tap, catalog=catalog) as process:
            messages = list(lines_until_a_bookmark(process))
            mariadb_server.stop()
            mariadb_server.start()
            rest = process.stdout.read()  # type: ignore[union-attr]  # it is a pipe
            stderr = process.stderr.read()  # type: ignore[union-attr]  # as above
        assert process.returncode == 1
        lines = stderr.decode().splitlines()
        assert f"stream {tap.stream('visits')}: it broke off" in lines[-1]
        assert lines[-1].endswith("run again: the last STATE is safe")
        assert b"Exception ignored" not in stderr
        messages += [json.loads(line) for line in rest.splitlines()]
        assert_the_rest_comes(tap, catalog, messages)


def test_rows_that_nobody_wants_any_more_are_not_read(
    tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("create table t as select seq as id from seq_1_to_1000")
    from watershed_tap_mysql.tap import TapMySQL  # noqa: PLC0415

    source = TapMySQL(config=tap.config).connector
    assert isinstance(source, MySQLSource)
    statement = f"select id from `{tap.database.dbname}`.t"
    rows = source.rows(statement, "t")
    assert next(rows) == (b"1",)
    connection = source._connection
    monkeypatch.setattr(connection, "_read_packet", None)  # reading on would fail
    rows.close()
    assert len(list(source.rows(statement, "t"))) == 1000, "on another connection"
    source.close()
