"""Runs the deployed workflow through success, retry, failure and what else; all is one record."""

import json
import subprocess
import sys
import time
from pathlib import Path

from infra.tests.emulation import ACCOUNT, deploy, emulator, until

REPOSITORY = Path(__file__).parents[2]
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:data-warehouse-etl"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:data-warehouse-alerts"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
CLUSTER = "data-warehouse"
FAILED_TASK = json.dumps(
    {
        "TaskArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/data-warehouse/0123456789abcdef",
        "TaskDefinitionArn": "arn:aws:ecs:x:1:task-definition/extract-data-from-shop:1",
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
        events = self._states.get_execution_history(executionArn=execution, maxResults=1000)[
            "events"
        ]
        return {
            "status": found["status"],
            "cause": found.get("cause"),
            "entered": [
                e["stateEnteredEventDetails"]["name"]
                for e in events
                if "stateEnteredEventDetails" in e
            ],
            "failures": sum(map(_is_failed_container, events)),
            "tasks": families,
            "told": self.told(),
        }

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
        return {
            e["executionArn"]
            for e in self._states.list_executions(stateMachineArn=MACHINE)["executions"]
        }


def _is_failed_container(event):
    """Not a crawler that is still busy, which a run passes over."""
    details = event.get("taskFailedEventDetails", {})
    return event["type"] == "TaskFailed" and "ecs:runTask" in details["resource"]


def emulate(tools, templates, folder, environment):
    """Deploy, run every scenario, and write the record."""
    with emulator(tools, folder, environment, MOCKS) as emulated:
        record = {"stacks": deploy(emulated, templates)}
        record["schedules"] = {
            schedule["Name"]: emulated.client("scheduler").get_schedule(Name=schedule["Name"])[
                "Target"
            ]
            for schedule in emulated.client("scheduler").list_schedules()["Schedules"]
        }
        record["smoke"] = _smoke(emulated, environment)
        workflow = Workflow(emulated)
        _log_the_last_words(emulated)
        for case in ("success", "failure", "red"):
            record[case] = workflow.finish(workflow.start(case))
        record["retry"] = _retried(emulated, workflow)
        record["unknown"] = workflow.finish(workflow.start(job="nothing"))
        record |= _guarded(workflow)
        record |= _triggered(emulated, workflow)
        (folder / "record.json").write_text(json.dumps(record, default=str))


def _smoke(emulated, environment):
    """Run the smoke test that is meant for an account."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.smoke", "prod"],
        cwd=REPOSITORY,
        env={
            **environment,
            "AWS_ENDPOINT_URL": emulated.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "emulated",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return {"code": done.returncode, "lines": done.stdout.splitlines(), "error": done.stderr}


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
    states = workflow._states
    second = workflow.start("mocked")
    busy = until(
        lambda: (
            (found := states.describe_execution(executionArn=second))["status"] != "RUNNING"
            and found
        ),
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
            {
                "Source": "watershed",
                "DetailType": "Run requested",
                "Detail": json.dumps({"job": "el"}),
            }
        ]
    )
    (by_event,) = until(lambda: workflow.executions() - before_event, "the event starts a run")
    workflow.finish(by_event)
    return {
        "by_hand": by_hand["execution"] in before_event - known,
        "by_event": by_event,
        "refused": refused,
    }
