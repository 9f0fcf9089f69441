"""Rows that travel in files are those of RECORDs; a pass goes on where it was killed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from watershed_tap_mysql.source import MySQLSource

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py
COMMAND = str(Path(sys.executable).with_name("watershed-tap-mysql"))


def rows_of(uris: list[str], columns: str = "*") -> list[tuple[Any, ...]]:
    files = [uri.removeprefix("file://") for uri in uris]
    with duckdb.connect() as connection:
        return connection.execute(f"select {columns} from read_parquet(?)", [files]).fetchall()


def uris_of(output: Any) -> list[str]:
    return [uri for message in output.of("BATCH") for uri in message["manifest"]]


def test_files_and_records_become_the_same_table(
    tap: Runner,
    execute: Execute,
    make_warehouse: Callable[[str], Any],
    in_files: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R-3.1.3: types, values and what is set aside; and no row is a Python object on the way."""
    execute(
        "set sql_mode = 'allow_invalid_dates'",
        "create table v (id int primary key, u bigint unsigned, d decimal(65,30), m decimal(12,2),"
        " f float, g double, b bit(9), y year, t time(3), dt datetime(6), day date, j json,"
        " x varbinary(9), s varchar(40) character set latin1, e enum('a','b'), n text)",
        "insert into v values (1, 18446744073709551615, 12345678901234567890.000000000000000000001,"
        " -1.50, 0.1, 1e308, b'101', 2155, '-838:59:59.5', '9999-12-31 23:59:59.999999',"
        " '0000-00-00', '{\"a\": 1.10}', x'00ff', 'é', 'b', ''),"
        " (2, 0, 0.000000000000000000000000000001, 0, -0.0, 5e-324, b'0', 1901, '00:00:00',"
        " '2024-02-31 01:02:03', '2024-02-29', '[]', '', '', 'a', 'NULL'),"
        " (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null,"
        " null)",
    )
    by_records, by_files = make_warehouse("records"), make_warehouse("files")
    in_files["batch_config"]["storage"]["root"] = by_files.batches.as_uri()
    by_records.load(tap.sync())
    monkeypatch.setattr(MySQLSource, "rows", lambda *_: pytest.fail("a row was fetched"))
    by_files.load(tap.sync(settings=in_files))
    assert by_files.types("raw.v") == by_records.types("raw.v")
    assert by_files.texts("raw.v", "id") == by_records.texts("raw.v", "id")
    assert by_files.quarantined() == by_records.quarantined()
    assert [column for _, column in by_files.quarantined()] == ["d", "day", "d", "dt"]


@pytest.mark.parametrize("key", ["id", "tens, ones"])
def test_a_full_pass_that_was_killed_goes_on_where_it_was(
    tap: Runner, execute: Execute, in_files: dict[str, Any], key: str
) -> None:
    """R-3.1.3: nothing is lost, nothing comes twice, and the table is torn until its next pass."""
    rows = 40_000
    execute(
        f"create table big (id int, tens int, ones int, t varchar(400), primary key ({key}))",
        f"insert into big select seq, seq div 10, seq mod 10, repeat('z', 400)"
        f" from seq_1_to_{rows}",
    )
    small_files = {**in_files, "batch_file_megabytes": 1}
    before: list[str] = []
    state: dict[str, Any] = {}
    with subprocess.Popen(
        [COMMAND, *tap.arguments(settings=small_files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        for line in process.stdout or ():
            message = json.loads(line)
            before += message.get("manifest", [])
            if message["type"] == "STATE" and before:
                state = message["value"]
                break
        process.kill()
    rest = tap.sync(settings=small_files, state=state)
    found = rows_of(before + uris_of(rest), "count(*), count(distinct id), max(id)")
    assert found == [(rows, rows, rows)]
    assert len(before) > 0 < len(uris_of(rest))
    [bookmark] = rest.state["bookmarks"].values()
    assert bookmark["torn"] is True, "MySQL does not tell whether anything was changed"
    [bookmark] = tap.sync(settings=small_files, state=rest.state).state["bookmarks"].values()
    assert "torn" not in bookmark


def test_a_date_that_no_calendar_has_stops_the_run_if_it_shall(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    execute("set sql_mode = ''", "create table t (d date)", "insert into t values ('0000-00-00')")
    error = tap(settings={**in_files, "zero_dates": "fail"}).error
    assert "column 'd' holds '0000-00-00', a date that no calendar has" in error
