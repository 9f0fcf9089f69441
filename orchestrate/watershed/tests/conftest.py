"""A project whose warehouse is loaded, built and published without a source."""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import duckdb
import pytest
from aiosmtpd.controller import Controller

from watershed.settings import Settings
from watershed_load_plan.duckdb_types import to_duckdb
from watershed_load_plan.ledger import OPS_TABLES

SCENARIOS = Path(__file__).parent / "scenarios"
MACROS = Path(__file__).parents[3] / "transform" / "macros"
HOLDER = """
import duckdb, sys
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
WATERSHED = Path(sys.executable).with_name("watershed")
TOY_TAP = """#!{python}
import json, os, pathlib, sys, time
name = os.environ["SOURCE_NAME"]
mood = os.environ.get(name.upper() + "_MOOD")
if mood == "down":
    sys.exit("tap-" + name + " cannot reach its database")
if mood == "slow":
    time.sleep(600)
if mood == "away":
    tries = pathlib.Path("output", name + ".tries")
    tries.write_text(str(int(tries.read_text()) + 1 if tries.exists() else 1))
    if int(tries.read_text()) < int(os.environ["TRIES"]):
        sys.exit("database " + name + ": it does not answer: check that it is up")
stream = name + "-things"
schema = {{"properties": {{"id": {{"type": "integer"}}}}}}
for message in (
    {{"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]}},
    {{"type": "RECORD", "stream": stream, "record": {{"id": 1}}}},
    {{"type": "STATE", "value": {{"bookmarks": {{stream: {{"at": 1}}}}}}}},
):
    print(json.dumps(message), flush=True)
"""
TOY_PROJECT = """
project_id: load-test
default_environment: dev
send_anonymous_usage_stats: false
cli: {disable_version_check: true}
environments: [{name: dev}]
state_backend: {uri: 'duckdb://${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb'}
include_paths: [extract/extractors.meltano.yml]
plugins:
  loaders:
  - name: target-duckdb
    namespace: target_duckdb
    executable: TARGET
    settings: [{name: warehouse}, {name: state_id}]
    config:
      warehouse: ${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb
      state_id: ${MELTANO_ENVIRONMENT}:${MELTANO_EXTRACTOR_NAME}-to-${MELTANO_LOADER_NAME}
"""
TOY_EXTRACTORS = """
plugins:
  extractors:
  - name: tap-toy
    namespace: tap_toy
    executable: ./tap.py
    capabilities: [state]
  - {name: tap-toy--good, inherit_from: tap-toy, env: {SOURCE_NAME: good}}
  - name: tap-toy--old
    inherit_from: tap-toy
    env: {SOURCE_NAME: old}
    annotations: {watershed: {largest_age_hours: 24}}
  - name: tap-toy--late
    inherit_from: tap-toy
    env: {SOURCE_NAME: late}
    annotations: {watershed: {time_limit_minutes: 30}}
"""


@dataclass(frozen=True)
class Project:
    """A folder with `meltano.yml` and what the tests do to it."""

    root: Path

    @property
    def settings(self):
        return Settings.read({}, self.root)

    @property
    def publications(self):
        """Everything in the publications folder but its lock."""
        names = (path.name for path in self.settings.publications.iterdir())
        return sorted(name for name in names if name != ".lock")

    def load(self):
        """Make a warehouse as the target leaves it after a first load."""
        with self.warehouse() as connection:
            connection.execute("create schema ops")
            for table, columns in OPS_TABLES.items():
                listed = ", ".join(f"{name} {to_duckdb(kind)}" for name, kind in columns.items())
                connection.execute(f"create table {table} ({listed})")
            connection.execute((SCENARIOS / "warehouse.sql").read_text())

    def build(self, number, *, status="green", command="build", is_full=True):
        """Leave what dbt leaves: marts that carry the build's number, and its row."""
        with self.warehouse() as connection:
            statements = (SCENARIOS / "build.sql").read_text()
            connection.execute(statements.replace("$build_number", str(number)))
            connection.execute(
                "insert into ops.builds by name select ? as build_id, ? as command, "
                "? as is_full, ? as status, now() + to_seconds(?) as started_at, "
                "now() + to_seconds(?) as finished_at, 2 as models, 5 as tests, 0 as failures",
                [f"build-{number}", command, is_full, status, number, number],
            )

    def warehouse(self):
        self.settings.warehouse.parent.mkdir(exist_ok=True)
        return duckdb.connect(self.settings.warehouse)

    def run_sql(self, sql):
        with self.warehouse() as connection:
            connection.execute(sql)

    @contextmanager
    def held(self):
        """Let another process hold the warehouse, as a load does."""
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, self.settings.warehouse],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout.readline() == "held\n"
            yield process.pid
            process.stdin.close()

    def published(self, sql):
        """Ask the published file."""
        with duckdb.connect(self.settings.published, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def run(self, *arguments, text=None, **environment):
        """Run `watershed` as a person does."""
        return subprocess.run(
            [WATERSHED, *arguments],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "COLUMNS": "200", **environment},
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Letterbox:
    def __init__(self, messages):
        self._messages = messages

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        del server, session
        self._messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class Inbox:
    """A mail server that keeps what comes; a route reaches it by `url`."""

    def __init__(self):
        self.messages = []
        self._port = a_free_port()

    @property
    def url(self):
        return (
            f"mailto://127.0.0.1:{self._port}?from=etl@example.com&to=ops@example.com&mode=insecure"
        )

    @property
    def subjects(self):
        return [message["Subject"] for message in self.messages]

    @property
    def text(self):
        return self.messages[-1].get_body(("plain",)).get_content().replace("\r\n", "\n")

    def open(self):
        self._controller = Controller(
            Letterbox(self.messages), hostname="127.0.0.1", port=self._port
        )
        self._controller.start()

    def close(self):
        self._controller.stop(no_assert=True)


@pytest.fixture
def inbox():
    inbox = Inbox()
    inbox.open()
    yield inbox
    inbox.close()


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    """Make projects without a warehouse, each in a folder of its own."""

    def make():
        root = tmp_path_factory.mktemp("project")
        (root / "meltano.yml").write_text("project_id: test\n")
        return Project(root)

    return make


@pytest.fixture
def project(make_project):
    """A project without a warehouse."""
    return make_project()


@pytest.fixture
def loaded(project):
    """A project whose warehouse was loaded once."""
    project.load()
    return project


@pytest.fixture
def built(loaded):
    """A project whose warehouse was loaded and built once, green."""
    loaded.build(1)
    return loaded


@pytest.fixture(scope="session")
def green(make_project):
    """A project built once by `watershed build`; its first output is kept beside it."""
    project = make_project()
    project.load()
    with project.warehouse() as connection:
        connection.execute("drop table ops.builds")
    shutil.copytree(SCENARIOS / "transform", project.settings.transform)
    shutil.copytree(MACROS / "builds", project.settings.transform / "macros" / "builds")
    shutil.copy(MACROS / "generate_schema_name.sql", project.settings.transform / "macros")
    done = project.run("build")
    assert done.returncode == 0, done.stderr
    (project.root / "said.txt").write_text(done.stderr + done.stdout)
    return project


@pytest.fixture
def after_green(green, tmp_path):
    """A copy of the project that was built once, for a test to change."""
    copy = type(green)(tmp_path / "project")
    subprocess.run(["cp", "-a", green.root, copy.root], check=True)
    return copy


@pytest.fixture
def toys(tmp_path):
    """A Meltano project with three toy sources, each in the mood that a variable says."""
    (tmp_path / "meltano.yml").write_text(
        TOY_PROJECT.replace("TARGET", str(WATERSHED.with_name("watershed-target-duckdb")))
    )
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "extractors.meltano.yml").write_text(TOY_EXTRACTORS)
    (tmp_path / "tap.py").write_text(TOY_TAP.format(python=sys.executable))
    (tmp_path / "tap.py").chmod(0o755)
    return tmp_path
