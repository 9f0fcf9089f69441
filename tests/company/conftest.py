"""The README's commands, one after another on one clone of the repository, for all tests here."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import boto3
import dotenv
import duckdb
import parity
import psycopg
import pytest

from redshift_standin.cluster import connect
from redshift_standin.pytest_plugin import new_redshift

REPOSITORY = Path(__file__).parents[2]
SCALE = "0.02"
OFFLINE_GUARD, OFFLINE_RUN = (
    REPOSITORY / "tests" / f"offline_{part}.py" for part in ("guard", "run")
)
OWN_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
FURTHER_COMMANDS = (
    ".venv/bin/meltano state list",
    ".venv/bin/meltano schedule list --format=json",
    ".venv/bin/watershed status --json",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let days pass only when all of the first was looked at, and change by hand last of all."""
    later = ("redshift_changed_by_hand", "days_later")
    items.sort(key=lambda item: [name in getattr(item, "fixturenames", ()) for name in later])


class Clone:
    """A clone of this repository with the sample company of its own."""

    def __init__(self, root):
        self.root = root

    def make(self, target):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("MELTANO", "WATERSHED", "DBT", "SHOP_", "CRM_", "WEB_", "VIRTUAL_ENV")
            )
        }
        done = subprocess.run(
            ["make", target],
            cwd=self.root,
            env={**environment, "SCALE": SCALE, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"make {target}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def env(self):
        return dotenv.dotenv_values(self.root / ".env")

    def source(self):
        env = self.env
        return psycopg.connect(
            host=env["SHOP_POSTGRES_HOST"],
            port=env["SHOP_POSTGRES_PORT"],
            dbname=env["SHOP_POSTGRES_DATABASE"],
            user=env["SHOP_POSTGRES_USER"],
            password=env["SHOP_POSTGRES_PASSWORD"],
            sslmode="verify-full",
            sslrootcert=env["SHOP_POSTGRES_SSLROOTCERT"],
        )

    def warehouse(self):
        connection = duckdb.connect(self.root / "output" / "warehouse.duckdb", read_only=True)
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def query(self, sql):
        command = [self.root / ".venv" / "bin" / "watershed", "query", "--json", sql]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """Clone what is in the work tree, commit or not, and stop its servers in the end."""
    root = tmp_path_factory.mktemp("demo") / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
    clone = Clone(root)
    yield clone
    clone.make("sources-down")
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def first_run(clone):
    """What the first run printed, and what revenue by month was after it."""
    printed = clone.make("demo")
    return printed, clone.query((REPOSITORY / "demo" / "revenue_by_month.sql").read_text())


@pytest.fixture(scope="session")
def unchanged_run(clone, first_run):
    """What a second run printed, when nothing had changed."""
    assert first_run
    return clone.make("demo")


@pytest.fixture(scope="session")
def days_later(clone, unchanged_run):
    """What the README's commands said two days later, and whom they tried to reach."""
    assert unchanged_run
    clone.make("demo-day")
    clone.make("demo-day")
    clone.make("sources-down")
    (packages,) = clone.root.glob(".venv/lib/python*/site-packages")
    shutil.copy(OFFLINE_GUARD, packages)
    (packages / "guard.pth").write_text("import offline_guard\n")
    log = clone.root / "attempts.txt"
    command = [clone.root / ".venv" / "bin" / "python", OFFLINE_RUN, clone.root]
    if can_have_own_network():
        command = [*OWN_NETWORK, *command, "--own-network"]
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "OFFLINE_LOG": str(log)},
        input="\n".join([*documented_commands(), *FURTHER_COMMANDS]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    clone.make("sources-up")
    return json.loads(done.stdout) | {"attempts": log.read_text().splitlines()}


def can_have_own_network():
    """Whether the kernel lets us refuse all traffic; a container may forbid it."""
    return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def documented_commands():
    """Every command line of the README that names a program of ours, the job before the others.

    But for the one that changes a crontab; shown for a source called `<name>`.
    """
    readme = (REPOSITORY / "README.md").read_text()
    found = re.findall(r"\.venv/bin/[^`\n]+", readme)
    commands = [command for command in found if "crontab" not in command]
    job = ".venv/bin/meltano run all"
    commands.remove(job)
    assert commands
    return [command.replace("<name>", "shop") for command in (job, *commands)]


class ProdRun:
    """A clone in the environment `prod`."""

    def __init__(self, clone, standin):
        self.standin = standin
        self._clone = clone
        self._variables = {
            **standin.environment,
            "PATH": os.environ["PATH"],
            "XDG_STATE_HOME": str(clone.root / "output" / "logs"),
        }

    def run(self, task):
        """Run a job or task of Meltano; return what was printed."""
        return self._call(self._clone.root, "meltano", "--environment=prod", "run", task)

    def build_models(self):
        """Build models and snapshots without their tests, which a first run has passed."""
        self.dbt("build", "--resource-type", "model", "--resource-type", "snapshot")

    def dbt(self, *command):
        """Run a command of dbt on it."""
        folder = self._clone.root / "transform"
        self._call(folder, "dbt", *command, "--profiles-dir", "profiles", "--target", "prod")

    def _call(self, folder, program, *arguments):
        done = subprocess.run(
            [self._clone.root / ".venv" / "bin" / program, *arguments],
            cwd=folder,
            env=self._variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stderr

    def differences(self):
        """Compare it with the clone's own warehouse."""
        with (
            self._clone.warehouse() as warehouse,
            connect(self.standin) as connection,
            connection.cursor() as cursor,
        ):
            return parity.differences(
                lambda query: warehouse.execute(query).fetchall(),
                lambda query: [tuple(row) for row in cursor.execute(query).fetchall()],
            )


@pytest.fixture(scope="session")
def prod(clone, first_run, tmp_path_factory):
    """A first run in `prod`, into a Redshift that nobody else has, and what it printed."""
    assert first_run
    with (
        new_redshift(tmp_path_factory.mktemp("prod")) as standin,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in standin.environment.items():
            patch.setenv(name, value)
        if standin.s3_endpoint:
            with contextlib.closing(boto3.client("s3")) as client:
                client.create_bucket(Bucket=standin.environment["WATERSHED_REDSHIFT_BUCKET"])
        run = ProdRun(clone, standin)
        yield run, run.run("all")


@pytest.fixture(scope="session")
def prod_days_later(prod, days_later):
    """The same two days later, built by what loads brought."""
    assert days_later
    run, _ = prod
    run.run("watershed:load")
    run.build_models()
    return run
