"""Whatever is wrong ends in one line that names source, stream and cure; exit code 1; no secret."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]


def test_source_is_down(idle_tap: Runner) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = idle_tap(settings={"port": port}).error
    assert f"database '{idle_tap.database.dbname}' at 127.0.0.1:{port}: it does not answer" in error
    assert "Connection refused" in error
    assert error.endswith("check that it is up, and host, port and firewall")


def test_wrong_password(idle_tap: Runner) -> None:
    output = idle_tap(settings={"password": "wrong-and-secret"})
    assert f"refuses user '{idle_tap.database.user}' with this password" in output.error
    assert output.error.endswith("correct user and password")
    assert "wrong-and-secret" not in output.stdout + output.stderr


def test_a_traceback_comes_only_when_asked_for_and_without_the_password(
    idle_tap: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATERSHED_TRACEBACK", "1")
    output = idle_tap(settings={"password": "wrong-and-secret"})
    assert output.exit_code == 1
    assert "Traceback" in output.stderr
    assert "wrong-and-secret" not in output.stderr


def test_the_line_is_the_last_one_also_when_meltano_turns_warnings_on(idle_tap: Runner) -> None:
    arguments = idle_tap.arguments("--discover", state={}, settings={"database": "nowhere"})
    command = Path(sys.executable).with_name("watershed-tap-postgres")
    output = subprocess.run(
        [command, *arguments],
        env=os.environ | {"PYTHONWARNINGS": "once"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert output.returncode == 1
    assert output.stderr.rstrip().endswith("correct database and user")


def test_no_such_database(idle_tap: Runner) -> None:
    assert "there is no such database or user" in idle_tap(settings={"database": "nowhere"}).error


def test_no_such_schema(idle_tap: Runner) -> None:
    error = idle_tap(settings={"filter_schemas": ["nowhere"]}).error
    assert "nothing in schema nowhere can be read" in error
    assert "correct filter_schemas, or grant usage" in error


def test_selected_table_is_gone(tap: Runner, execute: Execute) -> None:
    execute("create table orders (id int)")
    catalog = tap.catalog(public_orders={})
    execute("drop table orders")
    error = tap(catalog=catalog).error
    assert "selected stream public-orders does not exist" in error
    assert "grant usage on the schema and select on the table" in error


def test_selected_column_is_gone(tap: Runner, execute: Execute) -> None:
    execute("create table orders (id int, note text)")
    catalog = tap.catalog(public_orders={})
    execute("alter table orders drop note")
    error = tap(catalog=catalog).error
    assert "stream public-orders: selected column 'note' does not exist" in error


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("public-ordres.*", "select pattern 'public-ordres.*' matches no stream"),
        ("public-orders.nite", "select pattern 'public-orders.nite' matches no column of stream"),
    ],
)
def test_pattern_of_meltano_matches_nothing(
    tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch, pattern: str, problem: str
) -> None:
    execute("create table orders (id int, note text)")
    catalog = tap.catalog(public_orders={})
    monkeypatch.setenv(
        "MELTANO_EXTRACT__SELECT", f'["public-orders.id", "!public-x.*", "{pattern}"]'
    )
    assert problem in tap(catalog=catalog).error


def test_nothing_is_selected(tap: Runner, execute: Execute) -> None:
    execute("create table orders (id int)")
    assert "no stream is selected of the 1" in tap(catalog=tap.catalog()).error


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({}, "it is INCREMENTAL without a replication key"),
        ({"replication-key": "changed"}, "its replication key 'changed' does not exist"),
        ({"replication-key": "note"}, "replication key 'note' is of type text"),
        (
            {"replication-key": "at", "table-key-properties": ["nokey"]},
            "selected column 'nokey' does not exist",
        ),
        ({"replication-key": "at", "replication-method": "LOG_BASED"}, "LOG_BASED is not offered"),
        ({"replication-key": "at"}, "INCREMENTAL needs a key, for rows come again"),
    ],
)
def test_replication_cannot_work(
    tap: Runner, execute: Execute, metadata: dict[str, Any], problem: str
) -> None:
    execute("create table orders (id int, note text, at timestamptz)")
    catalog = tap.catalog(public_orders={"replication-method": "INCREMENTAL"} | metadata)
    error = tap(catalog=catalog).error
    assert f"at 127.0.0.1:{tap.database.port}, stream public-orders: {problem}" in " ".join(
        error.replace("replication method ", "").split()
    )


@pytest.mark.parametrize(
    ("catalog", "problem"),
    [
        ("{", "the catalog in"),
        ("[]", "the catalog is malformed at $ "),
        ('{"streams": [{"schema": {}}]}', "the catalog is malformed at $.streams[0]"),
        (
            '{"streams": [{"tap_stream_id": "x", "schema": {"properties": {}}, "metadata": [{}]}]}',
            "the catalog is malformed at $.streams[0].metadata[0]",
        ),
    ],
)
def test_catalog_is_malformed(idle_tap: Runner, catalog: str, problem: str) -> None:
    assert problem in idle_tap(catalog=catalog).error


@pytest.mark.parametrize("state", ["", "[]", '{"bookmarks": []}', '{"bookmarks": {"x": 1}}'])
def test_state_is_malformed(idle_tap: Runner, state: str) -> None:
    assert "the state " in idle_tap(state=state).error


def test_bookmark_is_malformed(tap: Runner, execute: Execute) -> None:
    execute("create table orders (id int primary key, at timestamptz)")
    catalog = tap.catalog(
        public_orders={"replication-method": "INCREMENTAL", "replication-key": "at"}
    )
    bookmark = {"replication_key": "at", "replication_key_value": "yesterday"}
    error = tap(catalog=catalog, state={"bookmarks": {"public-orders": bookmark}}).error
    assert "stream public-orders: its bookmark 'yesterday' is no timestamptz" in error
    assert "(meltano state get, set)" in error


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"port": "secret-in-the-wrong-place"}, "port: must be of type"),
        ({"host": None}, "host: must be of type"),
        ({"sslmode": "prefer"}, "sslmode: must be one of"),
        ({"overlap_seconds": -1}, "overlap_seconds: must be at least 0"),
        ({"iam_auth": True}, "password: give either a password or iam_auth"),
        ({"sslcert": "client.crt"}, "sslcert, sslkey: give both or neither"),
        ({"ssh_tunnel": {"enable": True}}, "ssh_tunnel.host: a tunnel needs it"),
    ],
)
def test_settings_are_wrong(idle_tap: Runner, settings: dict[str, Any], problem: str) -> None:
    output = idle_tap(settings=settings)
    assert f"settings are wrong: {problem}" in output.error
    assert "secret-in-the-wrong-place" not in output.stderr


def test_settings_are_missing(idle_tap: Runner) -> None:
    idle_tap.config = {"host": "x"}
    assert "settings are wrong: database, user: must be given" in idle_tap().error


def test_settings_are_no_json(idle_tap: Runner) -> None:
    arguments = idle_tap.arguments()
    (idle_tap.folder / "config.json").write_text("{")
    assert "settings cannot be read from" in idle_tap.run(*arguments).error


def test_statement_takes_too_long(tap: Runner, execute: Execute) -> None:
    execute("create view slow as select pg_sleep(10)::text as nap")
    started = time.monotonic()
    error = tap(settings={"statement_timeout_seconds": 1}).error
    assert time.monotonic() - started < 5
    assert "stream public-slow: it cancelled a statement" in error
    assert "raise statement_timeout_seconds" in error


def test_source_breaks_off_in_the_middle(tap: Runner, execute: Execute) -> None:
    execute("create view slow as select pg_sleep(10)::text as nap")

    def end_the_connection() -> None:
        ending = (
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'watershed' and query like '%%FETCH%%'"
            " and datname = current_database()"
        )
        while not execute(ending):
            time.sleep(0.05)

    thread = threading.Thread(target=end_the_connection)
    thread.start()
    error = tap().error
    thread.join()
    assert "stream public-slow: it broke off" in error
    assert error.endswith("run again: the last STATE is safe")


def test_a_value_cannot_be_computed(tap: Runner, execute: Execute) -> None:
    execute("create view broken as select 1 / (i - 3) as n from generate_series(1, 3) i")
    error = tap().error
    assert "stream public-broken: it reports error 22012 (division by zero)" in error


def test_row_policies_that_hide_rows_are_an_error(tap: Runner, execute: Execute) -> None:
    role = f"reader_of_{tap.database.dbname}"
    execute(f"""
        create role {role} login password '{tap.database.password}';
        create table orders as select i from generate_series(1, 3) i;
        grant select on orders to {role};
        alter table orders enable row level security;
        create policy first_ones on orders using (i < 2);
    """)
    error = tap(settings={"user": role}).error
    assert f"stream public-orders: user '{role}' may not read it all" in error
    assert "bypassrls" in error


def test_two_tables_would_be_one_stream(tap: Runner, execute: Execute) -> None:
    execute('create schema "a-b"; create schema a; create table "a-b".c (i int)')
    execute('create table a."b-c" (i int)')
    error = tap("--discover").error
    assert "a.b-c and a-b.c would both be stream a-b-c: name in filter_schemas only one" in error
