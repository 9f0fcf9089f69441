"""What targets for Redshift are given: the same rows as files, and as records."""

import json

import duckdb
import pytest

from watershed_bench.programs.timed_redshift import kind_of_statement
from watershed_bench.redshift import Redshift
from watershed_load_plan.duckdb_types import from_duckdb
from watershed_load_plan.tables import read_schema

pytestmark = pytest.mark.redshift

ROWS = 25


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """It need not run: messages are files."""
    return Redshift(tmp_path_factory.mktemp("bench"))


def messages(source, table, kind):
    return [json.loads(line) for line in source.messages(table, kind).read_text().splitlines()]


@pytest.fixture(params=["orders", "documents"])
def table(request, source):
    return getattr(source, request.param)(ROWS)


def test_a_file_has_the_types_that_its_schema_says_so_that_it_travels_as_it_is(source, table):
    schema, batch, _ = messages(source, table, "batch")
    stated = read_schema(schema["stream"], schema["schema"], ["id"], None).columns
    (file,) = batch["manifest"]
    with duckdb.connect() as connection:
        described = connection.execute(f"describe from '{file.removeprefix('file://')}'").fetchall()
    assert {name: from_duckdb(of) for name, of, *_ in described} == stated
    assert [name for name, *_ in described] == list(stated)


def test_records_are_the_rows_of_the_file(source, table):
    schema, *records, state = messages(source, table, "records")
    assert [schema["type"], state["type"]] == ["SCHEMA", "STATE"]
    assert len(records) == ROWS
    assert {record["record"]["id"] for record in records} == {
        9007199254740992 + number for number in range(1, ROWS + 1)
    }


def test_a_run_without_news_has_the_same_bookmark_and_no_row(source, table):
    schema, _, state = messages(source, table, "batch")
    assert messages(source, table, "unchanged") == [schema, state]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("copy watershed_stage_1 from 's3://b/manifest'", "copy"),
        ("commit", "commit"),
        ("insert into ops.loads (load_id) values (?)", "commit"),
        ("lock table raw.orders", "commit"),
        ('insert into "raw"."orders" (id) select id from watershed_stage_1', "rows"),
        ("create temp table watershed_changed as select", "rows"),
        ("create temp table watershed_stage_1 (id bigint)", "ddl"),
        ("select column_name from svv_columns", "ddl"),
    ],
)
def test_a_statement_counts_for_what_it_does(sql, kind):
    assert kind_of_statement(sql) == kind
