"""Rows that travel in files are those of RECORDs; a pass goes on where it was killed."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from watershed_tap.testing import Output, Runner
from watershed_tap_postgres.source import PostgresSource
from watershed_tap_postgres.testing import SETUP, VALUES

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
COMMAND = str(Path(sys.executable).with_name("watershed-tap-postgres"))


def files_of(output: Output, stream: str) -> list[str]:
    return [
        uri.removeprefix("file://") for m in output.of("BATCH", stream) for uri in m["manifest"]
    ]


def rows_of(output: Output, stream: str, columns: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {columns} from read_parquet(?) order by all", [files_of(output, stream)]
        )
        return found.fetchall()


VALUE_ROWS = st.lists(
    st.tuples(*(st.none() | values for values in VALUES.values())), min_size=1, max_size=12
)


@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(rows=VALUE_ROWS)
def test_files_and_records_become_the_same_table(
    tap: Runner,
    execute: Execute,
    make_warehouse: Callable[[str], Any],
    in_files: dict[str, Any],
    rows: list[tuple[str | None, ...]],
) -> None:
    """R-3.1.3: types, values and what is set aside; RECORDs are compared with the source itself."""
    execute("drop schema public cascade; create schema public;" + SETUP)
    columns = ", ".join(f'"{position}" {name}' for position, name in enumerate(VALUES))
    execute(f"create table value (row_number int primary key, {columns})")
    casts = ", ".join(f"%s::text::{name}" for name in VALUES)
    for number, row in enumerate(rows):
        execute(f"insert into value values ({number}, {casts})", row)
    by_records, by_files = (make_warehouse(uuid.uuid4().hex) for _ in range(2))
    in_files["batch_config"]["storage"]["root"] = by_files.batches.as_uri()
    by_records.load(tap.sync())
    output = tap.sync(settings=in_files)
    assert output.of("RECORD") == []
    by_files.load(output)
    assert by_files.types("raw.value") == by_records.types("raw.value")
    assert by_files.texts("raw.value", "row_number") == by_records.texts("raw.value", "row_number")
    assert by_files.quarantined() == by_records.quarantined()
    assert not any(Path(file).exists() for file in files_of(output, "public-value"))


def test_no_row_becomes_a_record(
    tap: Runner, execute: Execute, in_files: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(*_: object) -> None:
        pytest.fail("a row was fetched by the driver")

    execute("create table thing as select i as id, 'x' as t from generate_series(1, 5000) i")
    monkeypatch.setattr(PostgresSource, "rows", poisoned)
    output = tap.sync(settings=in_files)
    assert rows_of(output, "public-thing", "count(*), sum(id)") == [(5000, 12_502_500)]
    [metric] = [line for line in output.stderr.splitlines() if "record_count" in line]
    assert '"value":5000' in metric


@pytest.mark.parametrize("kind", ["numeric(12,2)", "date", "timestamp", "timestamptz"])
def test_what_the_binary_form_would_change_arrives_as_the_source_writes_it(
    tap: Runner, execute: Execute, in_files: dict[str, Any], kind: str
) -> None:
    """Of one file, the column that holds such a value is text; files beside it stay typed."""
    special = {"numeric(12,2)": "NaN", "date": "5874897-12-31"}.get(kind, "infinity")
    plain = {"numeric(12,2)": "1.50"}.get(kind, "2026-01-02")
    execute(f"create table odd as select 1 as id, '{plain}'::{kind} as v, '{plain}'::{kind} as w")
    execute(f"insert into odd values (2, '{special}', null), (3, null, '{plain}')")
    output = tap.sync(settings=in_files)
    assert [row[1] for row in rows_of(output, "public-odd", "id, v")][1:] == [special, None]
    types = "distinct typeof(v), typeof(w)"
    assert rows_of(output, "public-odd", types) == [("VARCHAR", "VARCHAR")]
    execute("delete from odd where id = 2")
    typed = rows_of(tap.sync(settings=in_files), "public-odd", types)
    assert typed != [("VARCHAR", "VARCHAR")]
    assert len(typed) == 1


def big_table(execute: Execute, rows: int) -> None:
    execute(f"""
        create table big as select i as id, repeat(md5(i::text), 3) as t, i * 1.5 as n, now() as at
            from generate_series(1, {rows}) i;
        alter table big add primary key (id);
        analyze big;
    """)


def killed_after(files: int, tap: Runner, **arguments: Any) -> tuple[dict[str, Any], list[str]]:
    """Kill a run when so many STATEs are out; return the last of them, and the files before it."""
    uris: list[str] = []
    state: dict[str, Any] = {}
    with subprocess.Popen(
        [COMMAND, *tap.arguments(**arguments)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        for line in process.stdout or ():
            message = json.loads(line)
            if message["type"] == "BATCH":
                uris += message["manifest"]
            elif message["type"] == "STATE" and len(uris) >= files:
                state = message["value"]
                break
        process.kill()
    assert state, "it ended before it was killed"
    return state, [uri.removeprefix("file://") for uri in uris]


def test_a_full_pass_that_was_killed_goes_on_where_it_was(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    """R-3.1.3: the result is that of a run that nothing disturbed; nothing comes twice."""
    rows = 120_000
    big_table(execute, rows)
    small_files = {**in_files, "batch_file_megabytes": 1}
    state, files = killed_after(3, tap, settings=small_files)
    bookmark = state["bookmarks"]["public-big"]
    assert "version" not in bookmark, "an unfinished pass is no version"
    rest = tap.sync(settings=small_files, state=state)
    assert [m["version"] for m in rest.of("ACTIVATE_VERSION")] == [bookmark["full_pass"]["version"]]
    with duckdb.connect() as connection:
        found = connection.execute(
            "select count(*), count(distinct id), max(id) from read_parquet(?)",
            [files + files_of(rest, "public-big")],
        ).fetchone()
    assert found == (rows, rows, rows)
    assert rest.state["bookmarks"]["public-big"] == {"version": bookmark["full_pass"]["version"]}


def test_a_table_that_changed_between_two_sittings_is_torn_until_its_next_pass(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    big_table(execute, 60_000)
    small_files = {**in_files, "batch_file_megabytes": 1}
    state, _ = killed_after(1, tap, settings=small_files)
    execute("update big set t = 'changed' where id = 1")
    torn = tap.sync(settings=small_files, state=state)
    assert torn.state["bookmarks"]["public-big"]["torn"] is True
    assert "is torn until the next full pass" in torn.stderr
    whole = tap.sync(settings=small_files, state=torn.state)
    assert "torn" not in whole.state["bookmarks"]["public-big"]
    assert rows_of(whole, "public-big", "count(*)") == [(60_000,)]


def test_a_pass_over_a_table_of_another_form_begins_anew(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    big_table(execute, 60_000)
    small_files = {**in_files, "batch_file_megabytes": 1}
    state, _ = killed_after(1, tap, settings=small_files)
    execute("alter table big add column more int default 7")
    output = tap.sync(settings=small_files, state=state)
    assert rows_of(output, "public-big", "count(*), sum(more)") == [(60_000, 420_000)]


def test_each_file_of_an_incremental_stream_is_a_point_to_resume_from(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    execute("""
        create table visit as select i as id, repeat(md5(i::text), 3) as t,
            timestamptz '2026-01-01+00' + i * interval '1 s' as at from generate_series(1, 60000) i;
        alter table visit add primary key (id);
        create index on visit (at);
        insert into visit values (0, '', null), (-1, '', '2999-01-01+00'), (-2, '', '-infinity');
    """)
    catalog = tap.catalog(
        public_visit={"replication-method": "INCREMENTAL", "replication-key": "at"}
    )
    output = tap.sync(catalog=catalog, settings={**in_files, "batch_file_megabytes": 1})
    marks = [
        m["value"]["bookmarks"]["public-visit"].get("replication_key_value")
        for m in output.of("STATE")
    ]
    assert len(marks) > 3
    assert marks == sorted(marks)
    assert marks[-1] == "2026-01-01T16:40:00.000000+00:00"
    assert "lies in the source's future" in output.stderr
    again = tap.sync(catalog=catalog, settings=in_files, state=output.state)
    assert len(rows_of(again, "public-visit", "id")) == 3 + 3601


def test_a_target_that_takes_no_files_is_one_line(
    tap: Runner, execute: Execute, in_files: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watershed_bulk.folder._SECONDS_OF_PATIENCE", 0.2)
    execute(
        "create table noise as select i, gen_random_uuid() as u from generate_series(1, 99999) i"
    )
    small = {**in_files, "batch_file_megabytes": 1, "batch_waiting_megabytes": 1}
    assert "MB of batches wait in" in tap(settings=small).error


def test_a_folder_that_cannot_be_written_is_one_line(
    tap: Runner, execute: Execute, in_files: dict[str, Any], tmp_path: Path
) -> None:
    execute("create table thing as select 1 as id")
    (tmp_path / "batches").write_text("a file stands where the folder should be")
    assert "the folder of batches" in tap(settings=in_files).error


def test_a_statement_that_the_source_cancels_is_one_line(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    execute("create view slow as select pg_sleep(30) is null as never")
    error = tap(settings={**in_files, "statement_timeout_seconds": 1}).error
    assert "stream public-slow: it cancelled a statement" in error
    assert "raise statement_timeout_seconds" in error


def test_a_connection_that_drops_in_the_middle_is_one_line(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    execute("create table thing as select i as id from generate_series(1, 3) i")
    execute("""
        create function drop_me(i int) returns int language plpgsql as $$ begin
            if i = 3 then perform pg_terminate_backend(pg_backend_pid()); end if; return i;
        end $$;
        create view dropping as select drop_me(id) as id from thing
    """)
    error = tap(settings=in_files, catalog=tap.catalog(public_dropping={})).error
    assert "stream public-dropping: it broke off" in error
    assert "run again: the last STATE is safe" in error


@pytest.mark.parametrize(
    ("at_the_last_row", "said"),
    [
        ("pg_sleep(30)", "it cancelled a statement"),
        ("pg_terminate_backend(pg_backend_pid())", "it broke off"),
    ],
)
def test_what_ends_a_table_after_many_of_its_rows_is_one_line(
    tap: Runner, execute: Execute, in_files: dict[str, Any], at_the_last_row: str, said: str
) -> None:
    """Arrow hands on what DuckDB says then, and calls it an error of its own."""
    execute(f"""
        create view late as select i, case i when 300000 then {at_the_last_row}::text end as t
        from generate_series(1, 300000) i
    """)
    settings = {**in_files, "statement_timeout_seconds": 2}
    assert f"stream public-late: {said}" in tap(settings=settings).error


def test_names_with_quotes_dots_and_63_characters_are_read(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    column, table = "a\"b.c'{}%s", "t" * 63
    quoted = '"' + column.replace('"', '""') + '"'
    execute(f'create table "{table}" ({quoted.replace("%", "%%")} numeric(3,1))', [])
    execute(f"insert into {table} values (1.5), ('NaN')")
    output = tap.sync(settings=in_files)
    assert list(output.schema(f"public-{table}")) == [column]
    assert rows_of(output, f"public-{table}") == [("1.5",), ("NaN",)]


def test_long_rows_are_read_a_few_at_a_time(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    execute("""
        create table long as select i as id, repeat(md5(i::text), 65536) as t
            from generate_series(1, 12) i;
        insert into long values (13, repeat('x', 50 * 1024 * 1024));
    """)
    output = tap.sync(settings=in_files)
    lengths = rows_of(output, "public-long", "id, length(t)")
    assert sorted(lengths, key=lambda row: int(row[0])) == [
        *((str(n), 2**21) for n in range(1, 13)),
        ("13", 50 * 2**20),
    ]


def test_a_catalog_written_before_a_column_was_dropped_is_one_line(
    tap: Runner, execute: Execute, in_files: dict[str, Any]
) -> None:
    execute("create table thing as select 1 as id, 2 as gone")
    catalog = tap.catalog(public_thing={})
    execute("alter table thing drop column gone")
    assert "selected column 'gone' does not exist" in tap(catalog=catalog, settings=in_files).error


def test_ended_by_a_signal_it_leaves_no_half_file(
    tap: Runner, execute: Execute, in_files: dict[str, Any], tmp_path: Path
) -> None:
    big_table(execute, 60_000)
    with subprocess.Popen(
        [COMMAND, *tap.arguments(settings={**in_files, "batch_file_megabytes": 1})],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    ) as process:
        next(line for line in process.stdout or () if b'"BATCH"' in line)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    for file in (tmp_path / "batches").rglob("*.parquet"):
        with duckdb.connect() as connection:
            assert connection.execute(
                "select count(*) from read_parquet(?)", [str(file)]
            ).fetchone()
