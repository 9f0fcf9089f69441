"""The job `all` in Meltano's environment prod: a source, Redshift, dbt, readers.

The project is this one, but for its sources and models: of those it has a few, so that a run is
short. The whole model on Redshift is compared with DuckDB's elsewhere.
"""

import json
import re
import shutil
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
import yaml

from conftest import Pipeline, copy_project
from redshift_standin.cluster import connect
from redshift_standin.pytest_plugin import new_redshift
from watershed_servers.pytest_plugin import temporary_database

pytestmark = pytest.mark.redshift

MINIATURE = Path(__file__).parent / "redshift_project"
FIRST = [(1, "first", Decimal("1.50")), (2, "zwölf € 😀", Decimal("9999999999.99"))]
STATE_ID = "prod:tap-postgres--mini-to-target-redshift"


@dataclass(frozen=True)
class Run:
    """What a run said, and what readers have after it."""

    returncode: int
    said: str
    orders: list
    loaded: list
    builds: list


class Production:
    """A project in the environment prod, with its source and its Redshift."""

    def __init__(self, pipeline, source, redshift):
        self.pipeline = pipeline
        self.source = source
        self.redshift = redshift
        self.environment = {
            **redshift.environment,
            "MINI_HOST": source.host,
            "MINI_PORT": str(source.port),
            "MINI_DATABASE": source.dbname,
            "MINI_USER": source.user,
            "MINI_PASSWORD": source.password,
            "MINI_SSLROOTCERT": str(source.ca_file),
            "MELTANO_ENVIRONMENT": "prod",
        }

    def meltano(self, *arguments, check=True, **changed):
        return self.pipeline.run("meltano", *arguments, check=check, **self.environment, **changed)

    def run_all(self):
        """Run the job; note what is true after it."""
        done = self.meltano("--environment=prod", "run", "all", check=False)
        builds = self.ask("select status from published.builds order by started_at")
        return Run(
            done.returncode,
            done.stdout + done.stderr,
            self.ask("select order_id, note, amount from published.fct_orders order by 1"),
            self.ask("select * from published.fct_order_loads"),
            [status for (status,) in builds],
        )

    def live_through(self):
        """Three runs, and a change between them, which the tests look at."""
        self.first = self.run_all()
        self.unchanged = self.run_all()
        self.change("insert into mini.orders values (3, null, 3)")
        self.red = self.run_all()

    def change(self, statement):
        with self.source.connect() as connection:
            connection.execute(statement)

    def ask(self, sql):
        with connect(self.redshift) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def staged(self):
        client = boto3.client("s3", endpoint_url=self.redshift.s3_endpoint)
        listed = client.list_objects_v2(
            Bucket=self.environment["WATERSHED_REDSHIFT_BUCKET"],
            Prefix=self.environment.get("WATERSHED_REDSHIFT_PREFIX", ""),
        )
        client.close()
        return listed.get("Contents", [])


@pytest.fixture(scope="module")
def redshift(tmp_path_factory):
    """One that no other test has loaded, built or published."""
    with new_redshift(tmp_path_factory.mktemp("redshift")) as made:
        yield made


def leave_out_what_is_configured_for_others(file):
    """A folder that is configured and not there is a warning, hence an error."""
    project = yaml.safe_load(file.read_text())
    for kind in ("sources", "seeds", "snapshots"):
        del project[kind]
    for source in ("crm", "ops", "shop", "web"):
        del project["models"]["watershed"]["staging"][source]
    file.write_text(yaml.safe_dump(project))


@pytest.fixture(scope="module")
def production(redshift, postgres_server, tmp_path_factory):
    root = copy_project(tmp_path_factory.mktemp("production") / "project")
    (root / ".venv").symlink_to(sys.prefix)
    shutil.copy(MINIATURE / "extractors.meltano.yml", root / "extract")
    for part in ("tests", "models", "seeds", "snapshots"):
        shutil.rmtree(root / "transform" / part)
    leave_out_what_is_configured_for_others(root / "transform" / "dbt_project.yml")
    shutil.copytree(MINIATURE / "models", root / "transform" / "models")
    with pytest.MonkeyPatch.context() as patch, temporary_database(postgres_server) as source:
        for name, value in redshift.environment.items():
            patch.setenv(name, value)
        if redshift.s3_endpoint:
            client = boto3.client("s3")
            client.create_bucket(Bucket=redshift.environment["WATERSHED_REDSHIFT_BUCKET"])
            client.close()
        made = Production(Pipeline(root), source, redshift)
        made.change("""
            create schema mini;
            create table mini.orders (order_id bigint primary key, note text,
                amount numeric(12,2), updated_at timestamptz not null default now());
            insert into mini.orders values (1, 'first', 1.5), (2, 'zwölf € 😀', 9999999999.99);
        """)
        made.live_through()
        yield made


def test_readers_have_what_the_source_has(production):
    assert production.first.orders == FIRST
    assert production.first.loaded == [("mini-orders", 2)]
    assert production.staged() == []


def test_meltanos_state_is_the_bookmark_that_the_target_committed(production):
    state = json.loads(production.meltano("state", "get", STATE_ID).stdout)
    ((bookmark,),) = production.ask("select bookmark from ops.bookmarks where stream <> ''")
    assert state["singer_state"]["bookmarks"]["mini-orders"] == json.loads(bookmark)


def test_a_run_in_which_nothing_changed_loads_and_builds_nothing(production):
    second = production.unchanged
    assert "skipped models, tests and documentation: nothing changed" in second.said
    assert (second.loaded, second.builds) == (production.first.loaded, production.first.builds)
    assert second.orders == FIRST


def test_a_build_whose_test_fails_leaves_readers_their_marts_and_shows_them_the_failure(production):
    red = production.red
    assert red.returncode != 0
    assert "RED: " in red.said
    assert "failed: test not_null_fct_orders_note" in red.said
    assert red.builds == ["green", "red"]
    assert red.orders == FIRST
    assert production.ask("select count(*) from raw_mini.orders") == [(3,)]


def test_the_commands_answer_in_the_environment_prod(production):
    query = ("invoke", "watershed", "query", "--csv", "select min(note) as note from fct_orders")
    assert production.meltano("--log-level=error", *query).stdout.split() == ["note", "first"]
    done = production.meltano("--log-level=error", "invoke", "watershed", "status", "--json")
    status = json.loads(done.stdout)
    assert status["streams"][0]["state_id"] == STATE_ID
    assert status["publication"]["has_marts"]


def test_a_wrong_password_ends_the_load_with_a_line_that_does_not_show_it(production):
    changed = {"WATERSHED_WAREHOUSE": "redshift://", "WATERSHED_REDSHIFT_PASSWORD": "wrong-word"}
    environment = {**production.environment, **changed}
    done = production.pipeline.run("watershed", "load", check=False, **environment)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.match(r"watershed: Redshift \S+ cannot be reached: .*password", last)
    assert "wrong-word" not in done.stdout + done.stderr
