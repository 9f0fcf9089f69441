"""Whatever is wrong ends in one line that names source, stream and cure; exit code 1; no secret."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py

ORDERS = "create table orders (id int, note text, at datetime)"
INCREMENTAL = {"replication-method": "INCREMENTAL"}


def test_source_is_down(tap: Runner) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = tap(settings={"port": port}).error
    assert f"database '{tap.database.dbname}' at 127.0.0.1:{port}: it does not answer" in error
    assert "Connection refused" in error
    assert error.endswith("check that it is up, and host, port and firewall")


def test_source_has_no_address(tap: Runner) -> None:
    assert "it does not answer" in tap(settings={"host": "nowhere.invalid"}).error


def test_source_is_silent(tap: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {"port": silent.getsockname()[1], "connect_timeout_seconds": 2}
        started = time.monotonic()
        error = tap(settings=settings).error
    assert time.monotonic() - started < 10
    assert "check that it is up and serves MySQL on this port" in error


def test_source_is_something_else(tap: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        error = tap(settings={"port": other.getsockname()[1]}).error
        thread.join()
    assert "serves MySQL on this port" in error


def test_wrong_password(tap: Runner) -> None:
    output = tap(settings={"password": "wrong-and-secret"})
    assert f"refuses user '{tap.database.user}' with this password" in output.error
    assert "wrong-and-secret" not in output.stdout + output.stderr


def test_a_traceback_comes_only_when_asked_for_and_without_the_password(
    tap: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATERSHED_TRACEBACK", "1")
    output = tap(settings={"password": "wrong-and-secret"})
    assert output.exit_code == 1
    assert "Traceback" in output.stderr
    assert "wrong-and-secret" not in output.stderr


def test_no_such_database(tap: Runner) -> None:
    error = tap(settings={"database": "nowhere"}).error
    assert f"user '{tap.database.user}' may not use this database" in error


def test_nothing_in_a_database_asked_for(tap: Runner, execute: Execute) -> None:
    execute(ORDERS)
    error = tap(settings={"filter_databases": [tap.database.dbname, "nowhere"]}).error
    assert "nothing in database nowhere can be read" in error
    assert "correct filter_databases, or grant select" in error


def test_selected_table_is_gone(tap: Runner, execute: Execute) -> None:
    execute(ORDERS)
    catalog = tap.catalog(orders={})
    execute("drop table orders")
    error = tap(catalog=catalog).error
    assert f"selected stream {tap.stream('orders')} does not exist" in error
    assert "grant select on the table" in error


def test_selected_column_is_gone(tap: Runner, execute: Execute) -> None:
    execute(ORDERS)
    catalog = tap.catalog(orders={})
    execute("alter table orders drop note")
    error = tap(catalog=catalog).error
    assert f"stream {tap.stream('orders')}: selected column 'note' does not exist" in error


def test_pattern_of_meltano_matches_nothing(
    tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(ORDERS)
    catalog = tap.catalog(orders={})
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", f'["{tap.stream("ordres")}.*"]')
    error = tap(catalog=catalog).error
    assert "matches no stream: correct it, or grant select on the table" in error


def test_nothing_is_selected(tap: Runner, execute: Execute) -> None:
    execute(ORDERS)
    assert "no stream is selected of the 1" in tap(catalog=tap.catalog()).error


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({}, "it is INCREMENTAL without a replication key"),
        ({"replication-key": "changed"}, "its replication key 'changed' does not exist"),
        ({"replication-key": "note"}, "replication key 'note' is of type text"),
        ({"replication-method": "LOG_BASED"}, "replication method LOG_BASED is not offered"),
        ({"replication-key": "at"}, "INCREMENTAL needs a key, for rows come again"),
    ],
)
def test_replication_cannot_work(
    tap: Runner, execute: Execute, metadata: dict[str, Any], problem: str
) -> None:
    execute(ORDERS)
    error = tap(catalog=tap.catalog(orders=INCREMENTAL | metadata)).error
    assert f"at 127.0.0.1:{tap.database.port}, stream {tap.stream('orders')}: {problem}" in error


@pytest.mark.parametrize(
    ("catalog", "problem"),
    [
        ("{", "the catalog in"),
        ('{"streams": [{"schema": {}}]}', "the catalog is malformed at $.streams[0]"),
    ],
)
def test_catalog_is_malformed(tap: Runner, catalog: str, problem: str) -> None:
    assert problem in tap(catalog=catalog).error


@pytest.mark.parametrize("state", ["", '{"bookmarks": {"x": 1}}'])
def test_state_is_malformed(tap: Runner, state: str) -> None:
    assert "the state " in tap(state=state).error


def test_bookmark_is_malformed(tap: Runner, execute: Execute) -> None:
    execute("create table orders (id int primary key, at timestamp)")
    catalog = tap.catalog(orders=INCREMENTAL | {"replication-key": "at"})
    bookmark = {"replication_key": "at", "replication_key_value": "yesterday"}
    state = {"bookmarks": {tap.stream("orders"): bookmark}}
    error = tap(catalog=catalog, state=state).error
    assert "its bookmark 'yesterday' is no timestamptz as 'at' needs it" in error


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"port": "secret-in-the-wrong-place"}, "port: must be of type"),
        ({"ssl_mode": "PREFERRED"}, "ssl_mode: must be one of"),
        ({"zero_dates": "ignore"}, "zero_dates: must be one of"),
        ({"overlap_seconds": -1}, "overlap_seconds: must be at least 0"),
        ({"ssl_cert": "client.crt"}, "ssl_cert, ssl_key: give both or neither"),
    ],
)
def test_settings_are_wrong(tap: Runner, settings: dict[str, Any], problem: str) -> None:
    output = tap(settings=settings)
    assert f"settings are wrong: {problem}" in output.error
    assert "secret-in-the-wrong-place" not in output.stderr


def test_settings_are_missing(tap: Runner) -> None:
    tap.config = {"host": "x"}
    assert "settings are wrong: database, user, password: must be given" in tap().error


def test_statement_takes_too_long(tap: Runner, execute: Execute) -> None:
    execute("create view slow as select sleep(10) as nap")
    started = time.monotonic()
    error = tap(settings={"statement_timeout_seconds": 1}).error
    assert time.monotonic() - started < 8
    assert f"stream {tap.stream('slow')}: it ended a statement that took too long" in error
    assert error.endswith("raise statement_timeout_seconds")


def test_a_view_of_what_is_gone_is_not_found(tap: Runner, execute: Execute) -> None:
    execute(ORDERS, "create view recent as select * from orders")
    catalog = tap.catalog(recent={})
    execute("drop table orders")
    error = tap(catalog=catalog).error
    assert f"selected stream {tap.stream('recent')} does not exist" in error


def test_the_user_has_no_connection_left(tap: Runner, execute: Execute) -> None:
    user = f"r_{tap.database.dbname[-12:]}@'127.0.0.1'"
    execute(
        f"create user {user} identified by '{tap.database.password}' with max_user_connections 1",
        f"grant select on {tap.every_table} to {user}",
    )
    from watershed_tap_mysql.tap import TapMySQL  # noqa: PLC0415

    execute(ORDERS)
    settings = {"user": user.split("@", maxsplit=1)[0]}
    other = TapMySQL(config=tap.config | settings).connector
    assert set(other.tables) == {tap.stream("orders")}
    assert list(other.rows("select 1", "one")) == [(b"1",)], "one connection is enough"
    error = tap(settings=settings).error
    assert "has no connection left" in error or "has reached a limit" in error
    other.close()
    execute(f"drop user {user}")
