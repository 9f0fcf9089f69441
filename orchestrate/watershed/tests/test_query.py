"""Questions to the published warehouse: exact answers, no way to write, no way out."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from watershed.publish import publish

pytestmark = pytest.mark.trust

EXACT_VALUES = """
    select
        0.10::decimal(5, 2) as amount,
        12345678901234567890123456789012345678::hugeint as huge,
        9007199254740993::bigint as beyond_float,
        0.1::double as float,
        'nan'::double as no_number,
        true as flag,
        null as nothing,
        '' as empty,
        'a "quoted", line' || chr(10) || 'and ünïcode' as text,
        date '2026-01-02' as day,
        timestamp '2026-01-02 03:04:05.123456' as naive,
        timestamptz '2026-01-02 03:04:05.5+02' as zoned,
        '{"a": 1.0, "b": null}'::json as document,
        [1.50::decimal(10, 2)] as list,
        {'a': 2.50::decimal(10, 2)} as struct,
"""


@pytest.fixture(scope="module")
def published(make_project):
    """Asked by all tests here: none of them can change it."""
    project = make_project()
    project.load()
    project.build(1)
    publish(project.settings)
    return project


def failure_of(project, *arguments, code=1):
    """The one line that a query ends with."""
    done = project.run("query", *arguments)
    assert done.returncode == code
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("watershed: ")
    return line


def test_json_keeps_every_digit_and_says_times_in_iso(published):
    done = published.run("query", "--json", EXACT_VALUES)
    (row,) = json.loads(done.stdout)
    assert row == {
        "amount": "0.10",
        "huge": 12345678901234567890123456789012345678,
        "beyond_float": 9007199254740993,
        "float": 0.1,
        "no_number": "nan",
        "flag": True,
        "nothing": None,
        "empty": "",
        "text": 'a "quoted", line\nand ünïcode',
        "day": "2026-01-02",
        "naive": "2026-01-02T03:04:05.123456",
        "zoned": "2026-01-02T01:04:05.5+00:00",
        "document": {"a": 1.0, "b": None},
        "list": ["1.50"],
        "struct": {"a": "2.50"},
    }


def test_csv_keeps_every_digit_and_tells_null_from_empty(published):
    done = published.run("query", "--csv", EXACT_VALUES)
    (row,) = csv.DictReader(io.StringIO(done.stdout, newline=""))
    assert row == {
        "amount": "0.10",
        "huge": "12345678901234567890123456789012345678",
        "beyond_float": "9007199254740993",
        "float": "0.1",
        "no_number": "nan",
        "flag": "true",
        "nothing": "",
        "empty": "",
        "text": 'a "quoted", line\nand ünïcode',
        "day": "2026-01-02",
        "naive": "2026-01-02T03:04:05.123456",
        "zoned": "2026-01-02T01:04:05.5+00:00",
        "document": '{"a": 1.0, "b": null}',
        "list": "[1.50]",
        "struct": "{'a': 2.50}",
    }
    assert ',true,,"",' in done.stdout


def test_a_table_is_as_wide_as_its_values_and_shows_null(published):
    sql = f"select null as nothing, '' as empty, '{'long' * 60}' as long, 'NULL' as word, 5 as five"
    lines = published.run("query", sql).stdout.splitlines()
    assert lines[3].split() == ["NULL", "long" * 60, "NULL", "5"]
    assert lines[-1] == "1 row"


def test_a_value_cannot_move_the_cursor_or_style_the_table(published):
    done = published.run("query", "select chr(27) || '[31m' as escape, '[red]x' as markup")
    assert r"\x1b[31m" in done.stdout
    assert "[red]x" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_long_table_is_cut_and_says_so(published):
    lines = published.run("query", "--limit", "5", "from range(6)").stdout.splitlines()
    assert [line.strip() for line in lines[3:8]] == ["0", "1", "2", "3", "4"]
    assert lines[-1].startswith("the first 5 rows;")
    assert "6 rows" in published.run("query", "--limit", "6", "from range(6)").stdout


def test_two_columns_of_one_name_both_come(published):
    sql = "select 1 as id, 2 as id, 3 as id"
    assert json.loads(published.run("query", "--json", sql).stdout) == [
        {"id": 1, "id_2": 2, "id_3": 3}
    ]
    assert published.run("query", "--csv", sql).stdout.splitlines() == ["id,id,id", "1,2,3"]


def test_no_rows_are_an_answer(published):
    sql = "select 1 as one where false"
    assert json.loads(published.run("query", "--json", sql).stdout) == []
    assert published.run("query", "--csv", sql).stdout == "one\n"
    assert published.run("query", sql).stdout.splitlines()[-1] == "0 rows"


def test_sql_comes_from_a_file_or_standard_input_too(published, tmp_path):
    file = tmp_path / "question.sql"
    file.write_text("select count(*) as orders from marts.fct_orders -- how many")
    expected = "orders\n1000\n"
    assert published.run("query", "--csv", "--file", str(file)).stdout == expected
    assert published.run("query", "--csv", text=file.read_text()).stdout == expected


@pytest.mark.parametrize(
    "statement", ["describe marts.fct_orders", "summarize marts.fct_orders", "show all tables"]
)
def test_what_a_warehouse_holds_can_be_asked(published, statement):
    assert "order_id" in published.run("query", statement).stdout


@pytest.mark.parametrize(
    "statement",
    [
        "create table marts.mine as select 1",
        "insert into marts.fct_orders select * from marts.fct_orders",
        "update marts.fct_orders set amount = 0",
        "delete from ops.publications",
        "drop table marts.fct_orders",
    ],
)
def test_nothing_can_be_written(published, statement):
    before = published.settings.published.read_bytes()
    assert "read-only" in failure_of(published, statement)
    assert published.settings.published.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "select * from 'https://127.0.0.1/x.parquet'",
        "copy marts.fct_orders to '/tmp/stolen.csv'",
        "attach 'warehouse.duckdb' as raw",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set memory_limit = '100GB'",
        "set lock_configuration = false",
    ],
)
def test_nothing_but_the_published_warehouse_can_be_reached(published, statement):
    line = failure_of(published, statement)
    assert "disabled" in line or "locked" in line, line


def test_wrong_sql_is_one_line_that_names_what_is_wrong(published):
    assert "syntax error" in failure_of(published, "selec 1")
    assert "nowhere" in failure_of(published, "from nowhere")
    assert "Conversion Error" in failure_of(published, "select 'x'::integer")
    assert "one statement at a time: this is 2" in failure_of(published, "select 1; select 2")


def test_usage_errors_are_one_line_and_exit_code_2(published):
    assert "the SQL is empty" in failure_of(published, " ", code=2)
    assert "exclude each other" in failure_of(published, "--json", "--csv", "from x", code=2)
    assert "No such option" in failure_of(published, "--nonsense", code=2)
    assert "nowhere.sql" in failure_of(published, "--file", "nowhere.sql", code=2)


def test_before_the_first_publication_it_says_what_to_run(built):
    assert "nothing is published yet" in failure_of(built, "select 1")


def test_a_reader_who_stops_reading_is_no_error(published):
    query = [sys.executable, "-m", "watershed", "query", "--csv", "from range(1000000)"]
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -n 1', "bash", *query],
        cwd=published.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("range\n", "")


def peak_memory(project, rows):
    """Mebibytes that a query of so many rows takes."""
    command = ["query", "--csv", f"select range, repeat('x', 50) as text from range({rows})"]
    process = subprocess.Popen(
        [sys.executable, "-m", "watershed", *command], cwd=project.root, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024


def test_memory_does_not_grow_with_the_answer(published):
    assert peak_memory(published, 1_000_000) < peak_memory(published, 10_000) + 40


def test_a_question_may_not_take_all_memory(published):
    sql = "select current_setting('memory_limit') as memory"
    assert published.run("query", "--csv", sql).stdout == "memory\n488.2 MiB\n"
