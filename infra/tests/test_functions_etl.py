"""The functions around the workflow, against moto's server and, for the ledger's SQL, DuckDB."""

import ast
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import duckdb
import pytest

from watershed_load_plan.ledger import OPS_TABLES

LAMBDAS = Path(__file__).parents[1] / "lambdas"


def test_functions_use_the_standard_library_and_boto3_only():
    """I-2: nothing is bundled."""
    allowed = set(sys.stdlib_module_names) | {"boto3"}
    for folder in LAMBDAS.iterdir():
        own = {file.stem for file in folder.glob("*.py")}
        for file in folder.glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                named += [node.module] if isinstance(node, ast.ImportFrom) else []
                assert {name.partition(".")[0] for name in named} <= allowed | own


@pytest.fixture
def machine(aws, monkeypatch):
    role = "arn:aws:iam::123456789012:role/x"
    definition = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Succeed"}}})
    arn = aws("stepfunctions").create_state_machine(
        name="data-warehouse-etl", definition=definition, roleArn=role
    )["stateMachineArn"]
    monkeypatch.setenv("STATE_MACHINE_ARN", arn)
    monkeypatch.setenv("JOBS", json.dumps(["el", "build", "all"]))
    return arn


def test_a_job_is_started_by_hand(aws, machine, load):
    """I-2."""
    started = load("trigger_etl_jobs").handle({"job": "all"}, None)
    found = aws("stepfunctions").describe_execution(executionArn=started["execution"])
    assert json.loads(found["input"]) == {"job": "all"}
    assert found["stateMachineArn"] == machine


def test_an_event_that_comes_twice_starts_one_run(aws, machine, load):
    """I-2."""
    request = {"id": "0d079340", "source": "watershed", "detail": {"job": "el"}}
    handle = load("trigger_etl_jobs").handle
    assert handle(request, None) == handle(request, None)
    found = aws("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert [execution["name"] for execution in found] == ["el-0d079340"]


def test_a_job_that_is_none_is_refused_with_those_that_are(machine, load):
    """I-2."""
    assert machine
    with pytest.raises(ValueError, match="known are el, build, all"):
        load("trigger_etl_jobs").handle({"job": "everything"}, None)


class Warehouse:
    """The Data API's answers in its own shape; the SQL is run, on the ledger's real tables."""

    def __init__(self, connection):
        self._connection = connection
        self._results = []

    def execute_statement(self, *, ClusterIdentifier, Database, Sql, Parameters=()):  # noqa: N803
        assert (ClusterIdentifier, Database) == ("company-data-warehouse", "datawarehouse")
        sql, values = Sql, {p["name"]: p["value"] for p in Parameters}
        for name in values:
            sql = sql.replace(f":{name}", f"${name}")
        self._results.append(self._connection.execute(sql, values or None).fetchall())
        return {"Id": str(len(self._results) - 1)}

    def describe_statement(self, *, Id):  # noqa: N803
        return {"Id": Id, "Status": "FINISHED"}

    def get_paginator(self, operation):
        assert operation == "get_statement_result"
        return self

    def paginate(self, *, Id):  # noqa: N803
        def field(value):
            return {"longValue": value} if isinstance(value, int) else {"stringValue": value}

        for row in self._results[int(Id)]:  # a page for each row: that pages are read is tested too
            yield {"Records": [[field(value) for value in row]]}


BEGAN = datetime(2026, 11, 25, 4, tzinfo=UTC)


@pytest.fixture
def connection(repository_file):
    """The ledger's tables as the pipeline makes them."""
    found = duckdb.connect()
    found.execute("set timezone = 'UTC'")
    found.execute("create schema ops")
    for table in OPS_TABLES:
        columns = {name: kind.kind.name for name, kind in OPS_TABLES[table].items()}
        types = {
            "TEXT": "varchar",
            "BIGINT": "bigint",
            "TIMESTAMPTZ": "timestamptz",
            "DOUBLE": "double",
        }
        listed = ", ".join(f'"{name}" {types[kind]}' for name, kind in columns.items())
        found.execute(f"create table {table} ({listed})")
    macro = repository_file("transform/macros/builds/create_builds_table.sql")
    start = macro.index("create table if not exists ops.builds")
    found.execute(macro[start : macro.index("{% endif %}", start)])
    return found


def commit(connection, source, moment, rows=0, quarantined=0):
    state = f"prod:tap-x--{source}-to-target-redshift"
    connection.execute(
        "insert into ops.bookmarks (state_id, stream, committed_at) values (?, 's', ?)",
        [state, moment],
    )
    connection.execute(
        "insert into ops.loads (state_id, target_schema, rows_inserted, rows_updated, rows_deleted,"
        " rows_quarantined, committed_at) values (?, ?, ?, 0, 0, ?, ?)",
        [state, f"raw_{source}", rows, quarantined, moment],
    )


def build(connection, status):
    connection.execute(
        "insert into ops.builds (build_id, command, is_full, status, started_at, target)"
        " values ('b', 'build', true, ?, ?, 'prod')",
        [status, BEGAN],
    )


@pytest.fixture
def post_process(load, connection, mailbox, monkeypatch):
    assert mailbox
    for name, value in {
        "CLUSTER": "company-data-warehouse",
        "DATABASE": "datawarehouse",
        "SOURCES": json.dumps(["crm", "shop"]),
        "METRICS": "Watershed",
        "TASK_LOGS": "/data-warehouse/tasks",
        "TOLD_JOBS": json.dumps(["build"]),
    }.items():
        monkeypatch.setenv(name, value)

    def run(payload):
        handler = load("post_processing_tasks")
        real = boto3.client

        def client(service):
            return Warehouse(connection) if service == "redshift-data" else real(service)

        with monkeypatch.context() as patch:
            patch.setattr(handler.boto3, "client", client)
            return handler.handle(payload, None)

    return run


def succeeded(job="all", sources=("crm", "shop")):
    return {
        "outcome": "succeeded",
        "job": job,
        "sources": list(sources),
        "started_at": BEGAN.isoformat().replace("+00:00", "Z"),
    }


def test_what_the_ledger_says_becomes_metrics(post_process, connection, aws, mailbox):
    """I-2, M-1."""
    commit(connection, "crm", BEGAN - timedelta(days=1), rows=1000)
    connection.execute("delete from ops.bookmarks")
    commit(connection, "crm", BEGAN + timedelta(minutes=5), rows=7)
    commit(connection, "shop", BEGAN + timedelta(minutes=6), rows=3)
    build(connection, "green")
    lines = post_process(succeeded())["sources"]
    assert [line.partition(" rows")[0] for line in lines] == ["crm: 7", "shop: 3"]
    metrics = aws("cloudwatch").list_metrics(Namespace="Watershed")["Metrics"]
    names = {(m["MetricName"], *(d["Value"] for d in m["Dimensions"])) for m in metrics}
    assert names == {
        ("BuildIsRed",),
        ("QuarantinedValues",),
        ("RowsLoaded", "crm"),
        ("RowsLoaded", "shop"),
        ("SourceAgeSeconds", "crm"),
        ("SourceAgeSeconds", "shop"),
    }
    assert mailbox.read() == []


@pytest.mark.parametrize(
    ("crm_at", "status", "says"),
    [
        (
            BEGAN - timedelta(hours=1),
            "green",
            "crm: its task ended well, and nothing was committed",
        ),
        (BEGAN + timedelta(minutes=1), "red", "the last build is red"),
    ],
)
def test_a_run_that_the_ledger_contradicts_fails(post_process, connection, crm_at, status, says):
    """I-2: validation."""
    commit(connection, "crm", crm_at)
    commit(connection, "shop", BEGAN + timedelta(minutes=1))
    build(connection, status)
    with pytest.raises(ValueError, match=says):
        post_process(succeeded())


def test_values_in_quarantine_and_the_daily_build_are_told(post_process, connection, mailbox):
    """I-2: notification."""
    commit(connection, "crm", BEGAN + timedelta(minutes=1), rows=2, quarantined=4)
    build(connection, "green")
    post_process(succeeded(sources=["crm"]))
    (message,) = mailbox.read()
    assert message["Subject"] == "Data warehouse: all is done"
    assert "4 values in quarantine" in message["Message"]
    post_process(succeeded(job="build", sources=[]))
    assert any(m["Subject"] == "Data warehouse: build is done" for m in mailbox.read())


def failed(error, cause):
    return {"outcome": "failed", "job": "all", "error": {"Error": error, "Cause": cause}}


@pytest.mark.parametrize(
    ("error", "cause", "line"),
    [
        ("States.Timeout", "", "not done within its time limit"),
        ("UnknownJob", "no job x", "UnknownJob: no job x"),
        (
            "States.TaskFailed",
            json.dumps(
                {"StoppedReason": "Task failed to start", "Containers": [{"Name": "meltano"}]}
            ),
            "Task failed to start",
        ),
        (
            "States.TaskFailed",
            json.dumps({"Containers": [{"Reason": "OutOfMemoryError", "ExitCode": 137}]}),
            "OutOfMemoryError (exit code 137)",
        ),
        (
            "ValueError",
            json.dumps({"errorMessage": "the last build\nis red", "errorType": "ValueError"}),
            "the last build is red",
        ),
        ("X", "y" * 2000, f"X: {'y' * 496}…"),
    ],
)
def test_a_failure_becomes_one_line(post_process, error, cause, line):
    """I-3."""
    assert post_process(failed(error, cause)) == {"line": f"job all: {line}"}
