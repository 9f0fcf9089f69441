"""Deploys prod's templates into ministack and runs the workflow there; what happened is one record.

ministack is an emulator: it proves that the templates hang together and that the workflow does what
its definition says. It enforces no right, no network and no key.
"""

import io
import json
import os
import socket
import subprocess
import time
import zipfile
from contextlib import contextmanager

import boto3

ACCOUNT = "222222222222"
"""An access key of twelve digits names the account."""
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-us-east-1"
ORDER = (
    ("DisasterRecoveryStack", "us-west-2"),
    ("SecurityStack", "us-east-1"),
    ("NetworkingStack", "us-east-1"),
    ("DataStorageStack", "us-east-1"),
    ("DataIntegrationStack", "us-east-1"),
    ("WebAccessStack", "us-east-1"),
    ("MonitoringLoggingStack", "us-east-1"),
)
LEFT_OUT = {
    "AWS::Backup::BackupSelection",
    "AWS::Budgets::Budget",
    "AWS::CloudTrail::Trail",
    "AWS::Config::ConfigRule",
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::DeliveryChannel",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::NetworkAclEntry",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::Glue::DataCatalogEncryptionSettings",
    "AWS::Glue::SecurityConfiguration",
    "AWS::GuardDuty::Detector",
    "AWS::Macie::Session",
    "AWS::Redshift::Cluster",
    "AWS::Redshift::ClusterParameterGroup",
    "AWS::Redshift::ClusterSubnetGroup",
    "AWS::Redshift::SnapshotCopyGrant",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACLAssociation",
}
"""What ministack cannot take. It may shrink; a type that is not here and fails, fails the tests."""

MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:data-warehouse-etl"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:data-warehouse-alerts"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
CLUSTER = "data-warehouse"
PATIENCE_SECONDS = 60
TIME_SCALE = "0.02"
"""Of the workflow's pauses: a minute becomes 1.2 seconds."""

FAILED_TASK = json.dumps(
    {
        "TaskArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/data-warehouse/0123456789abcdef",
        "TaskDefinitionArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/extract-data-from-shop:1",
        "StoppedReason": "Essential container in task exited",
        "Containers": [{"Name": "meltano", "ExitCode": 1}],
    }
)
LAST_WORDS = "tap-postgres  error: shop-db.example.com: password authentication failed for user etl"
LOADS = tuple(f"all: extract-data-from-{source}" for source in ("crm", "shop", "web"))
STEPS = ("all: watershed build", "all: watershed publish")
DONE = {**dict.fromkeys((*LOADS, *STEPS), "Done"), "all: post_processing_tasks": "Done"}
MOCKS = {
    "StateMachines": {
        "data-warehouse-etl": {
            "TestCases": {
                "success": {"all: post_processing_tasks": "Done"},
                "failure": {**DONE, "all: extract-data-from-shop": "Fails"},
                "red": {**DONE, "all: watershed build": "Fails"},
                "mocked": DONE,
            }
        },
        "data-warehouse-etl-late": {
            "TestCases": {"success": {"all: post_processing_tasks": "Done"}}
        },
    },
    "MockedResponses": {
        "Done": {"0-9": {"Return": {}}},
        "Fails": {"0-9": {"Throw": {"Error": "States.TaskFailed", "Cause": FAILED_TASK}}},
    },
}
"""In the format of AWS's Step Functions Local; ministack's own tasks end well, always."""


class Emulator:
    """A running ministack."""

    def __init__(self, port):
        self._port = port

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._port}"

    def client(self, service, region="us-east-1"):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="emulated",  # noqa: S106
        )


def until(condition, what):
    """Ask until something is true, and say what was awaited when it never was."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{what} within {PATIENCE_SECONDS} s")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(port):
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def emulator(tools, folder, environment):
    """Run ministack on a port of its own, for this machine only."""
    port = free_port()
    mocks = folder / "mocks.json"
    mocks.write_text(json.dumps(MOCKS))
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFN_MOCK_CONFIG": str(mocks),
        "SFN_WAIT_SCALE": TIME_SCALE,
        "TMPDIR": str(folder),
    }
    with (folder / "ministack.log").open("w") as log:
        process = subprocess.Popen(
            [tools / "ministack"], env={**environment, **settings}, stdout=log, stderr=log, cwd=folder
        )
    try:
        until(lambda: answers(port), "ministack answers")
        yield Emulator(port)
    finally:
        process.terminate()
        process.wait()


def deploy(emulated, templates):
    """Create the stacks in order; returns how each ended, and what was left out of it."""
    s3 = emulated.client("s3")
    s3.create_bucket(Bucket=ASSETS)
    for asset in templates.glob("asset.*"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file in asset.iterdir():
                archive.write(file, file.name)
        s3.put_object(Bucket=ASSETS, Key=f"{asset.name[6:]}.zip", Body=packed.getvalue())
    return {
        stack: _deploy(emulated, s3, region, json.loads((templates / f"{stack}.template.json").read_text()), stack)
        for stack, region in ORDER
    }  # fmt: skip


def _deploy(emulated, s3, region, template, stack):
    resources = template["Resources"]
    gone = {name for name, raw in resources.items() if raw["Type"] in LEFT_OUT}
    left_out = sorted({resources[name]["Type"] for name in gone})
    # Only what rotation needs, which is left out.
    template.pop("Transform", None)
    kept = _without({**template, "Resources": {n: r for n, r in resources.items() if n not in gone}}, gone)
    s3.put_object(Bucket=ASSETS, Key=f"{stack}.json", Body=json.dumps(kept))
    client = emulated.client("cloudformation", region)
    try:
        client.create_stack(
            StackName=stack,
            TemplateURL=f"{emulated.endpoint}/{ASSETS}/{stack}.json",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    except client.exceptions.ClientError as error:
        return {"status": str(error), "left_out": left_out, "created": 0}
    status = until(lambda: _status(client, stack), f"{stack} is created")
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in client.describe_stack_events(StackName=stack)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]
    return {
        "status": status if not reasons else f"{status}: {reasons}",
        "left_out": left_out,
        "created": len(kept["Resources"]),
    }


def _status(client, stack):
    status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return None if status.endswith("PROGRESS") else status


def _without(value, gone):
    """Drop dependencies on what is left out, and put a name in the place of references to it."""
    if isinstance(value, list):
        return [_without(part, gone) for part in value]
    if not isinstance(value, dict):
        return value
    target = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    if target in gone:
        return f"left-out-{target}"
    kept = {key: _without(part, gone) for key, part in value.items()}
    if "DependsOn" in kept:
        depends = kept["DependsOn"]
        depends = [depends] if isinstance(depends, str) else depends
        kept["DependsOn"] = [name for name in depends if name not in gone]
    return kept


class Workflow:
    """Runs of the deployed workflow."""

    def __init__(self, emulated):
        self._states = emulated.client("stepfunctions")
        self._tasks = emulated.client("ecs")
        self._queue = emulated.client("sqs")
        self._address = self._queue.create_queue(QueueName="a-persons-mailbox")["QueueUrl"]
        emulated.client("sns").subscribe(
            TopicArn=TOPIC,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:a-persons-mailbox",
        )

    def start(self, case=None, job="all"):
        started = self._states.start_execution(
            stateMachineArn=f"{MACHINE}#{case}" if case else MACHINE,
            input=json.dumps({"job": job}),
        )
        return started["executionArn"]

    def stop(self, execution):
        self._states.stop_execution(executionArn=execution)

    def running_tasks(self):
        return self._tasks.list_tasks(cluster=CLUSTER, desiredStatus="RUNNING")["taskArns"]

    def end_tasks(self):
        """Let the containers that run end well; say which they were."""
        ended = []
        for task in self.running_tasks():
            (found,) = self._tasks.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"]
            ended.append(found["taskDefinitionArn"].rpartition("/")[2].partition(":")[0])
            self._tasks.stop_task(cluster=CLUSTER, task=task)
        return ended

    def finish(self, execution):
        """Follow a run to its end; tasks that run meanwhile end well."""
        families = []

        def ended():
            families.extend(self.end_tasks())
            found = self._states.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        found = until(ended, f"{execution} ends")
        events = self._states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        return {
            "status": found["status"],
            "cause": found.get("cause"),
            "entered": [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e],
            "failures": sum(event["type"] == "TaskFailed" for event in events),
            "tasks": families,
            "told": self.told(),
        }  # fmt: skip

    def told(self):
        """What reached people since this was last asked."""
        found = self._queue.receive_message(QueueUrl=self._address, MaxNumberOfMessages=10)
        messages = found.get("Messages", [])
        for message in messages:
            self._queue.delete_message(
                QueueUrl=self._address, ReceiptHandle=message["ReceiptHandle"]
            )
        return [json.loads(message["Body"])["Message"] for message in messages]

    def executions(self):
        return {e["executionArn"] for e in self._states.list_executions(stateMachineArn=MACHINE)["executions"]}  # fmt: skip


def emulate(tools, templates, folder, environment):
    """Deploy, run every scenario, and write the record."""
    with emulator(tools, folder, environment) as emulated:
        record = {"stacks": deploy(emulated, templates)}
        record["schedules"] = {
            schedule["Name"]: emulated.client("scheduler").get_schedule(Name=schedule["Name"])["Target"]
            for schedule in emulated.client("scheduler").list_schedules()["Schedules"]
        }  # fmt: skip
        workflow = Workflow(emulated)
        _log_the_last_words(emulated)
        for case in ("success", "failure", "red"):
            record[case] = workflow.finish(workflow.start(case))
        record["retry"] = _retried(emulated, workflow)
        record["unknown"] = workflow.finish(workflow.start(job="nothing"))
        record |= _guarded(workflow)
        record |= _triggered(emulated, workflow)
        (folder / "record.json").write_text(json.dumps(record, default=str))


def _log_the_last_words(emulated):
    logs = emulated.client("logs")
    where = {
        "logGroupName": "/data-warehouse/tasks",
        "logStreamName": "extract-data-from-shop/meltano/0123456789abcdef",
    }
    logs.create_log_stream(**where)
    now = int(time.time() * 1000)
    lines = ("starting", f"\x1b[31m{LAST_WORDS}\x1b[0m", "Run ended")
    logs.put_log_events(
        **where,
        logEvents=[{"timestamp": now + n, "message": line} for n, line in enumerate(lines)],
    )


def _retried(emulated, workflow):
    """Run the same workflow with a task of shop that is there at the second attempt only.

    A mocked failure would fail every attempt: ministack asks for a mock once for all of them.
    """
    states, tasks = emulated.client("stepfunctions"), emulated.client("ecs")
    deployed = states.describe_state_machine(stateMachineArn=MACHINE)
    task = "extract-data-from-shop"
    definition = deployed["definition"].replace(f'"{task}"', f'"{task}-late"')
    assert definition != deployed["definition"]
    late = states.create_state_machine(
        name="data-warehouse-etl-late", definition=definition, roleArn=deployed["roleArn"]
    )["stateMachineArn"]
    execution = states.start_execution(
        stateMachineArn=f"{late}#success", input=json.dumps({"job": "all"})
    )["executionArn"]

    def failed():
        events = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        return any(event["type"] == "TaskFailed" for event in events)

    until(failed, "the first attempt fails")
    tasks.register_task_definition(
        family=f"{task}-late", containerDefinitions=[{"name": "meltano", "image": "meltano"}]
    )
    return workflow.finish(execution)


def _guarded(workflow):
    """A second run beside a first; then a third, the first having been killed."""
    first = workflow.start("success")
    until(workflow.running_tasks, "the first run loads")
    states = workflow._states  # noqa: SLF001
    second = workflow.start("mocked")
    busy = until(
        lambda: (found := states.describe_execution(executionArn=second))["status"] != "RUNNING"
        and found,
        "the second run ends",
    )
    events = states.get_execution_history(executionArn=second, maxResults=1000)["events"]
    entered = [
        e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
    ]
    workflow.stop(first)
    workflow.end_tasks()
    return {
        "second": {"status": busy["status"], "entered": entered},
        "third": workflow.finish(workflow.start("mocked")),
    }


def _triggered(emulated, workflow):
    """Runs that the function starts: by hand, by an event, and not, for a job that is none."""
    functions = emulated.client("lambda")
    known = workflow.executions()

    def invoke(payload):
        done = functions.invoke(FunctionName="trigger_etl_jobs", Payload=json.dumps(payload))
        return json.loads(done["Payload"].read())

    by_hand = invoke({"job": "el"})
    workflow.finish(by_hand["execution"])
    refused = invoke({"job": "everything"})
    before_event = workflow.executions()
    emulated.client("events").put_events(
        Entries=[
            {"Source": "watershed", "DetailType": "Run requested", "Detail": json.dumps({"job": "el"})}
        ]
    )
    (by_event,) = until(lambda: workflow.executions() - before_event, "the event starts a run")
    workflow.finish(by_event)
    return {
        "by_hand": by_hand["execution"] in before_event - known,
        "by_event": by_event,
        "refused": refused,
    }
