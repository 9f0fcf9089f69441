"""Nothing but the source is ever called: no hub, no package index, no telemetry."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo

OFFLINE_RUN = Path(__file__).with_name("offline_run.py")
OWN_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
FURTHER_COMMANDS = (
    ".venv/bin/meltano state list",
    ".venv/bin/meltano schedule list --format=json",
    ".venv/bin/watershed status --json",
)
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
def run(make_guarded_pipeline, repository):
    """What a whole run in a bare environment said, and whom it tried to reach."""
    pipeline = make_guarded_pipeline()
    log = pipeline.root / "attempts.txt"
    command = [pipeline.bin / "python", OFFLINE_RUN, pipeline.root]
    if can_have_own_network():
        command = [*OWN_NETWORK, *command, "--own-network"]
    documented = documented_commands(repository / "README.md", pipeline.root)
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "OFFLINE_LOG": str(log)},
        input="\n".join([*documented, *FURTHER_COMMANDS]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"attempts": log.read_text().splitlines()}


def documented_commands(readme, project):
    """Every command line of the README that names a program of ours, cron's job before the others.

    Shown for a project in `/srv/watershed` and a source called `<name>`.
    """
    found = re.findall(r"(?:/srv/watershed/)?\.venv/bin/[^`\n]+", readme.read_text())
    from_cron = [command for command in found if command.startswith("/")]
    by_hand = [command for command in found if not command.startswith("/")]
    assert from_cron
    assert by_hand
    return [
        command.replace("/srv/watershed", str(project)).replace("<name>", "shop")
        for command in (*from_cron, *by_hand)
    ]


def test_what_the_readme_shows_works_in_a_bare_environment_and_reaches_only_this_machine(run):
    """One test, so that the run is made once: under xdist each worker has its own fixtures."""
    for said in run["said"]:
        assert said["code"] == 0, f"{said['command']}: {said['out']}\n{said['err']}"
    job, *_, states, schedules, status = run["said"]
    assert job["command"].endswith("run all")
    assert "green: " in job["err"]
    assert states["out"].split() == [
        f"dev:{source}-to-target-duckdb"
        for source in ("tap-mongodb--web", "tap-mysql--crm", "tap-postgres--shop")
    ]
    scheduled = json.loads(schedules["out"])["schedules"]["job"]
    assert {schedule["name"] for schedule in scheduled} == {"hourly", "daily"}
    found = json.loads(status["out"])
    assert (found["build"]["status"], found["publication"]["has_marts"]) == ("green", True)
    assert [last["state"] for last in found["runs"]] == ["SUCCESS"] * 3

    by_python = [line.partition(" by ")[0] for line in run["attempts"]]
    assert by_python == PROOF_THAT_ATTEMPTS_ARE_NOTICED, "\n".join(run["attempts"])

    # The kernel's own count holds for what is not Python too: drivers, DuckDB, uv.
    assert run["after"] == run["before"]
    for counter in ("Ip:OutNoRoutes", "Ip6OutNoRoutes") if run["before"] else ():
        assert run["tried"][counter] > run["after"][counter]
