"""The Lambda functions, with events as AWS sends them, against moto's server and, for SQL, DuckDB."""

import ast
import gzip
import importlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus

import boto3
import duckdb
import pytest

from infra.tests.conftest import NOT_AWS, TOOLS
from infra.tests.emulation import answers, free_port, until
from watershed_load_plan.ledger import OPS_TABLES

LAMBDAS = Path(__file__).parents[1] / "lambdas"
EVENTS = Path(__file__).with_name("events")
REGION = "us-east-1"


def event(name):
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def moto_endpoint(tmp_path_factory):
    """moto's server, for this machine only."""
    port = free_port()
    log = (tmp_path_factory.mktemp("moto") / "log").open("w")
    process = subprocess.Popen(
        [TOOLS / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        env=NOT_AWS,
        stdout=log,
        stderr=log,
    )
    until(lambda: answers(port), "moto answers")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()
    log.close()


@pytest.fixture
def aws(moto_endpoint, monkeypatch):
    """A fresh account; boto3 within a handler reaches it by its environment, as in Lambda."""
    import urllib.request

    reset = urllib.request.Request(f"{moto_endpoint}/moto-api/reset", method="POST")  # noqa: S310
    urllib.request.urlopen(reset).close()  # noqa: S310
    for name, value in {
        "AWS_ENDPOINT_URL": moto_endpoint,
        "AWS_ACCESS_KEY_ID": "emulated",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    return boto3.client


class Mailbox:
    """What reaches people: a queue that has subscribed to the topic."""

    def __init__(self, client):
        self._queue = client("sqs")
        self._address = self._queue.create_queue(QueueName="mailbox")["QueueUrl"]
        arn = self._queue.get_queue_attributes(
            QueueUrl=self._address, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        topic = client("sns").create_topic(Name="data-warehouse-alerts")["TopicArn"]
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.topic = topic

    def read(self):
        found = self._queue.receive_message(QueueUrl=self._address, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@pytest.fixture
def mailbox(aws, monkeypatch):
    found = Mailbox(aws)
    monkeypatch.setenv("TOPIC_ARN", found.topic)
    return found


@pytest.fixture
def load(monkeypatch):
    """Import a function's module as Lambda does: its folder is where modules are looked for."""

    def imported(name, module="handler"):
        monkeypatch.syspath_prepend(str(LAMBDAS / name))
        for file in (LAMBDAS / name).glob("*.py"):
            monkeypatch.delitem(sys.modules, file.stem, raising=False)
        return importlib.import_module(module)

    return imported


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


# trigger_etl_jobs


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


# process_cloudtrail_logs


@pytest.fixture
def trail_file(aws):
    """The file that the event names, in its bucket."""
    record = event("s3_object_created")["Records"][0]["s3"]
    body = gzip.compress((EVENTS / "cloudtrail_log_file.json").read_bytes())
    aws("s3").create_bucket(Bucket=record["bucket"]["name"])
    key = unquote_plus(record["object"]["key"])
    aws("s3").put_object(Bucket=record["bucket"]["name"], Key=key, Body=body)
    return f"s3://{record['bucket']['name']}/{key}"


def test_a_file_of_the_trail_is_told_by_what_nobody_should_do_in_silence(
    mailbox, trail_file, load
):
    """M-4."""
    assert load("process_cloudtrail_logs").handle(event("s3_object_created"), None) == {"told": 6}
    (message,) = mailbox.read()
    lines = message["Message"].splitlines()
    ann = "arn:aws:iam::222222222222:user/ann from 203.0.113.9 in us-east-1"
    assert lines == [
        "2026-11-24T08:00:00Z root was used: ConsoleLogin by arn:aws:iam::222222222222:root "
        "from 203.0.113.9 in us-east-1",
        f"2026-11-24T08:01:00Z console login without a second factor: ConsoleLogin by {ann}",
        f"2026-11-24T08:04:00Z a policy changed: PutRolePolicy by {ann}",
        f"2026-11-24T08:07:00Z a key was disabled or will be deleted: ScheduleKeyDeletion by {ann}",
        f"2026-11-24T08:08:00Z the audit trail changed: StopLogging by {ann}",
        "6 failed logins from 198.51.100.23",
        trail_file,
    ]


def test_a_file_without_anything_to_tell_is_silent(mailbox, aws, trail_file, load):
    """M-4."""
    bucket, _, key = trail_file.removeprefix("s3://").partition("/")
    quiet = [r for r in event("cloudtrail_log_file")["Records"] if r["eventName"] == "DescribeInstances"]
    aws("s3").put_object(Bucket=bucket, Key=key, Body=gzip.compress(json.dumps({"Records": quiet}).encode()))
    assert load("process_cloudtrail_logs").handle(event("s3_object_created"), None) == {"told": 0}
    assert mailbox.read() == []


# auto_remediate_security_issues


@pytest.fixture
def remediate(load, mailbox, monkeypatch):
    assert mailbox

    def run(finding, *, dry_run):
        monkeypatch.setenv("DRY_RUN", str(dry_run).lower())
        return load("auto_remediate_security_issues").handle(finding, None)["outcomes"]

    return run


def test_without_a_word_to_the_contrary_nothing_is_done(load, mailbox, aws, monkeypatch):
    """M-4: dry by default."""
    monkeypatch.delenv("DRY_RUN", raising=False)
    aws("s3").create_bucket(Bucket="company-exports")
    done = load("auto_remediate_security_issues").handle(event("macie_public_bucket"), None)
    assert done["dry_run"] is True
    assert done["outcomes"] == ["would close bucket company-exports to the public"]
    with pytest.raises(aws("s3").exceptions.ClientError, match="NoSuchPublicAccessBlock"):
        aws("s3").get_public_access_block(Bucket="company-exports")
    assert "would close bucket" in mailbox.read()[0]["Message"]


@pytest.mark.parametrize("name", ["macie_public_bucket", "guardduty_public_bucket"])
def test_a_public_bucket_is_closed_once_and_tagged_beside_its_other_tags(name, remediate, aws):
    """M-4."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="company-exports")
    team = {"Key": "team", "Value": "sales"}
    s3.put_bucket_tagging(Bucket="company-exports", Tagging={"TagSet": [team]})
    assert remediate(event(name), dry_run=False) == [
        "done: close bucket company-exports to the public"
    ]
    block = s3.get_public_access_block(Bucket="company-exports")["PublicAccessBlockConfiguration"]
    assert all(block.values())
    tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket="company-exports")["TagSet"]}
    assert tags == {"team": "sales", "security-finding": event(name)["detail"]["id"]}
    assert remediate(event(name), dry_run=False) == [
        "already done: close bucket company-exports to the public"
    ]


def test_a_stolen_access_key_is_revoked(remediate, aws):
    """M-4."""
    iam = aws("iam")
    iam.create_user(UserName="report-export")
    key = iam.create_access_key(UserName="report-export")["AccessKey"]["AccessKeyId"]
    other = iam.create_access_key(UserName="report-export")["AccessKey"]["AccessKeyId"]
    finding = event("guardduty_access_key")
    finding["detail"]["resource"]["accessKeyDetails"]["accessKeyId"] = key
    (outcome,) = remediate(finding, dry_run=False)
    assert outcome.startswith(f"done: revoke access key {key}")
    status = {
        k["AccessKeyId"]: k["Status"]
        for k in iam.list_access_keys(UserName="report-export")["AccessKeyMetadata"]
    }
    assert status == {key: "Inactive", other: "Active"}
    assert iam.list_user_tags(UserName="report-export")["Tags"]
    assert remediate(finding, dry_run=False)[0].startswith("already done")


def test_sessions_of_a_role_that_began_before_the_finding_are_refused(remediate, aws):
    """M-4; a later finding extends the ban, an older one does not shorten it."""
    iam = aws("iam")
    iam.create_role(RoleName="extract-role", AssumeRolePolicyDocument="{}")
    finding = event("guardduty_role_credentials")

    def ban():
        policy = iam.get_role_policy(RoleName="extract-role", PolicyName="RevokedByRemediation")
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "*")
        return statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"]

    remediate(finding, dry_run=False)
    assert ban() == "2026-11-24T10:15:30.000Z"
    finding["detail"]["updatedAt"] = "2026-11-24T12:00:00.000Z"
    remediate(finding, dry_run=False)
    assert ban() == "2026-11-24T12:00:00.000Z"
    finding["detail"]["updatedAt"] = "2026-11-24T09:00:00.000Z"
    assert remediate(finding, dry_run=False)[0].startswith("already done")
    assert ban() == "2026-11-24T12:00:00.000Z"


def test_an_instance_is_isolated_and_stays_for_those_who_look_into_it(
    remediate, aws, monkeypatch
):
    """M-4."""
    ec2 = aws("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="quarantine", Description="q", VpcId=vpc)["GroupId"]
    monkeypatch.setenv("QUARANTINE_GROUP", group)
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    finding = event("guardduty_instance")
    finding["detail"]["resource"]["instanceDetails"]["instanceId"] = instance
    (said,) = remediate(finding, dry_run=True)
    assert said.startswith("would isolate")
    (done,) = remediate(finding, dry_run=False)
    assert done.startswith("done: isolate")
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert found["State"]["Name"] == "running"
    assert [g["GroupId"] for i in found["NetworkInterfaces"] for g in i["Groups"]] == [group]
    assert {"Key": "security-finding", "Value": finding["detail"]["id"]} in found["Tags"]
    assert remediate(finding, dry_run=False)[0].startswith("already done")


def test_a_finding_for_which_no_action_is_known_reaches_people(remediate, mailbox):
    """M-4."""
    finding = event("guardduty_access_key")
    finding["detail"]["resource"] = {"resourceType": "EKSCluster"}
    assert remediate(finding, dry_run=False) == []
    assert "no action is known for it" in mailbox.read()[0]["Message"]


# post_processing_tasks


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
        types = {"TEXT": "varchar", "BIGINT": "bigint", "TIMESTAMPTZ": "timestamptz", "DOUBLE": "double"}
        listed = ", ".join(f'"{name}" {types[kind]}' for name, kind in columns.items())
        found.execute(f"create table {table} ({listed})")
    macro = repository_file("transform/macros/builds/create_builds_table.sql")
    start = macro.index("create table if not exists ops.builds")
    found.execute(macro[start : macro.index("{% endif %}", start)])
    return found


def commit(connection, source, moment, rows=0, quarantined=0):
    state = f"prod:tap-x--{source}-to-target-redshift"
    connection.execute(
        "insert into ops.bookmarks (state_id, stream, committed_at) values (?, 's', ?)", [state, moment]
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
        (BEGAN - timedelta(hours=1), "green", "crm: its task ended well, and nothing was committed"),
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
            json.dumps({"StoppedReason": "Task failed to start", "Containers": [{"Name": "meltano"}]}),
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
