"""The same company through both targets and both dbt adapters: every table holds the same.

The reasons for what may differ stand in `parity.py`. The other engine is Redshift's stand-in.
"""

import os
import subprocess

import boto3
import parity
import pytest
import redshift_connector

pytestmark = pytest.mark.redshift

BUCKET = "parity"
RELATIONS = 60
"""There are at least as many."""


class ProdRun:
    """The job `all` of a clone in the environment `prod`."""

    def __init__(self, clone, standin):
        self._clone = clone
        self._standin = standin
        self._variables = {
            "PATH": os.environ["PATH"],
            "XDG_STATE_HOME": str(clone.root / "output" / "logs"),
            "SSL_CERT_FILE": str(standin.ca_file),
            "AWS_ENDPOINT_URL": standin.s3_endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAEMULATED00000000",
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "WATERSHED_REDSHIFT_HOST": standin.host,
            "WATERSHED_REDSHIFT_PORT": str(standin.port),
            "WATERSHED_REDSHIFT_DATABASE": standin.database,
            "WATERSHED_REDSHIFT_USER": standin.user,
            "WATERSHED_REDSHIFT_PASSWORD": standin.password,
            "WATERSHED_REDSHIFT_BUCKET": BUCKET,
            "WATERSHED_REDSHIFT_ROLE": "arn:aws:iam::123456789012:role/loader",
        }

    def run(self):
        """Load, build, test and publish; return what was printed."""
        done = subprocess.run(
            [self._clone.root / ".venv" / "bin" / "meltano", "--environment=prod", "run", "all"],
            cwd=self._clone.root,
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
            redshift_connector.connect(
                host=self._standin.host,
                port=self._standin.port,
                database=self._standin.database,
                user=self._standin.user,
                password=self._standin.password,
                sslmode="verify-full",
            ) as connection,
            connection.cursor() as cursor,
        ):
            return parity.differences(
                lambda query: warehouse.execute(query).fetchall(),
                lambda query: [tuple(row) for row in cursor.execute(query).fetchall()],
            )


@pytest.fixture(scope="session")
def prod(clone, first_run, redshift):
    """A first run in `prod`, and what it printed."""
    assert first_run
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(redshift.ca_file))
        client = boto3.client(
            "s3",
            endpoint_url=redshift.s3_endpoint,
            region_name="us-east-1",
            aws_access_key_id="AKIAEMULATED00000000",
            aws_secret_access_key="emulated",  # noqa: S106  # nobody checks it
        )
        client.create_bucket(Bucket=BUCKET)
        run = ProdRun(clone, redshift)
        yield run, run.run()
        client.close()


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
    run.run()
    differences, compared = run.differences()
    assert differences == []
    assert compared >= RELATIONS
