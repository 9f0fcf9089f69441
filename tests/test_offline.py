"""Nothing but the source is ever called: no hub, no package index, no telemetry."""

import json
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo

OFFLINE_RUN = Path(__file__).with_name("offline_run.py")
OWN_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
PROOF_THAT_ATTEMPTS_ARE_NOTICED = [
    "socket.getaddrinfo 192.0.2.1",
    "socket.connect 192.0.2.1",
    "socket.getaddrinfo 2001:db8::1",
    "socket.connect 2001:db8::1",
    "socket.getaddrinfo watershed.invalid",
]


def can_have_own_network():
    """Whether the kernel lets us refuse all traffic; a container may forbid it."""
    return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def run(make_guarded_pipeline):
    """What a whole run in a bare environment said, and whom it tried to reach."""
    pipeline = make_guarded_pipeline()
    log = pipeline.root / "attempts.txt"
    command = [pipeline.bin / "python", OFFLINE_RUN, pipeline.root]
    if can_have_own_network():
        command = [*OWN_NETWORK, *command, "--own-network"]
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "OFFLINE_LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"attempts": log.read_text().splitlines()}


def test_a_job_and_all_questions_work_as_cron_runs_them_and_reach_only_this_machine(run):
    """One test, so that the run is made once: under xdist each worker has its own fixtures."""
    assert_everything_worked(run["said"])

    by_python = [line.partition(" by ")[0] for line in run["attempts"]]
    assert by_python == PROOF_THAT_ATTEMPTS_ARE_NOTICED, "\n".join(run["attempts"])

    # The kernel's own count holds for what is not Python too: drivers, DuckDB, uv.
    assert run["after"] == run["before"]
    for counter in ("Ip:OutNoRoutes", "Ip6OutNoRoutes") if run["before"] else ():
        assert run["tried"][counter] > run["after"][counter]


def assert_everything_worked(said):
    for name, answer in said.items():
        assert answer["code"] == 0, f"{name}: {answer['out']}\n{answer['err']}"
    assert "green: " in said["job"]["err"]
    assert said["states"]["out"].split() == ["dev:tap-postgres--shop-to-target-duckdb"]
    schedules = json.loads(said["schedules"]["out"])["schedules"]["job"]
    assert {schedule["name"] for schedule in schedules} == {"hourly", "daily"}
    status = json.loads(said["status"]["out"])
    assert status["build"]["status"] == "green"
    assert [last["state"] for last in status["runs"]] == ["SUCCESS"]
    header, orders = said["query"]["out"].split()
    assert header == "orders"
    assert int(orders) > 0
