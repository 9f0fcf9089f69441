"""The same company through both targets and both dbt adapters: every table holds the same.

The reasons for what may differ stand in `parity.py`. The other engine is Redshift's stand-in.
"""

import contextlib
import os
import subprocess

import boto3
import parity
import pytest

from redshift_standin.cluster import connect
from redshift_standin.pytest_plugin import new_redshift

pytestmark = pytest.mark.redshift

RELATIONS = 60
"""There are at least as many."""


class ProdRun:
    """A clone in the environment `prod`."""

    def __init__(self, clone, standin):
        self._clone = clone
        self._standin = standin
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
        folder = self._clone.root / "transform"
        kinds = ("--resource-type", "model", "--resource-type", "snapshot")
        target = ("--profiles-dir", "profiles", "--target", "prod")
        self._call(folder, "dbt", "build", *kinds, *target)

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
            connect(self._standin) as connection,
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


def test_after_a_first_run_both_warehouses_hold_the_same(prod):
    run, printed = prod
    assert "green: " in printed
    assert "published " in printed
    differences, compared = run.differences()
    assert differences == []
    assert compared >= RELATIONS


def test_days_later_both_warehouses_hold_the_same(prod, days_later):
    assert days_later
    run, _ = prod
    run.run("watershed:load")
    run.build_models()
    differences, compared = run.differences()
    assert differences == []
    assert compared >= RELATIONS
