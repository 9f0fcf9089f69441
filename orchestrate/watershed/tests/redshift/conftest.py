"""A database of Redshift that is loaded, built and published without a source."""

import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redshift_connector

from watershed.engine import engine_of
from watershed.settings import Settings
from watershed_load_plan.ledger import OPS_TABLES
from watershed_load_plan.redshift_types import to_redshift

BUILDS = """
    create table ops.builds (
        build_id varchar(36), command varchar(16), is_full boolean, status varchar(16),
        started_at timestamptz, finished_at timestamptz, models bigint, tests bigint,
        failures bigint, target varchar(64)
    )
"""


class Warehouse:
    """A database of Redshift that is loaded and built without a source."""

    def __init__(self, root, environment):
        self.root = root
        self.environment = {**environment, "WATERSHED_WAREHOUSE": "redshift://"}
        self.settings = Settings.read(self.environment, root)
        self._connection = redshift_connector.connect(**self.settings.redshift.arguments())
        self._connection.autocommit = True

    @property
    def engine(self):
        return engine_of(self.settings)

    def sql(self, statement, *parameters):
        with self._connection.cursor() as cursor:
            cursor.paramstyle = "qmark"
            cursor.execute(statement, list(parameters) or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def close(self):
        self._connection.close()

    def schemas(self, beginning):
        return sorted(
            name
            for (name,) in self.sql("select nspname from pg_namespace")
            if name.startswith(beginning)
        )

    def clear(self):
        for schema in ("marts", "ops", *self.schemas("published")):
            self.sql(f"drop schema if exists {schema} cascade")

    def load(self):
        self.sql("create schema ops")
        for table, columns in OPS_TABLES.items():
            listed = ", ".join(f"{name} {to_redshift(of)}" for name, of in columns.items())
            self.sql(f"create table {table} ({listed})")
        self.sql(BUILDS)
        self.sql("insert into ops.bookmarks values ('p', 'shop-orders', '{}', 'run', getdate())")
        self.sql("create schema marts")

    def build(self, number, *, status="green", rows=100):
        """Leave what dbt leaves: marts that carry the build's number, and its row."""
        for name in ("fct_orders", "dim_customers"):
            self.sql(f"drop table if exists marts.{name}")
            self.sql(f"create table marts.{name} (id int, price decimal(12,2), built_by int)")
            values = ", ".join(f"({row}, {row}.50, {number})" for row in range(rows))
            self.sql(f"insert into marts.{name} values {values}")
        at = datetime.now(UTC) + timedelta(seconds=number)
        self.sql(
            "insert into ops.builds values (?, 'build', true, ?, ?, ?, 2, 5, 0, 'prod')",
            f"build-{number}",
            status,
            at,
            at,
        )

    def add_load(self, number):
        self.sql(
            "insert into ops.loads (load_id, committed_at) values (?, getdate())", f"load-{number}"
        )

    def marts(self):
        return self.sql(
            "select distinct o.built_by, c.built_by from published.fct_orders as o "
            "join published.dim_customers as c on c.id = o.id"
        )

    def run(self, *arguments, **environment):
        """Run `watershed` as a person does."""
        return subprocess.run(
            [Path(sys.executable).with_name("watershed"), *arguments],
            cwd=self.root,
            env={"PATH": "/usr/bin:/bin", **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@contextmanager
def _opened(settings):
    with redshift_connector.connect(**settings.arguments()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@pytest.fixture(scope="module")
def database(redshift_environment, tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "meltano.yml").write_text("project_id: test\n")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in redshift_environment.items():
            patch.setenv(name, value)
        made = Warehouse(root, redshift_environment)
        yield made
        made.clear()
        made.close()


@pytest.fixture
def opened():
    """Gives a cursor of somebody else, whose statements commit."""
    return _opened


@pytest.fixture
def entered(database):
    """Gives the warehouse as another user has it, by that user's environment."""
    return lambda environment: Warehouse(database.root, environment)


@pytest.fixture
def loaded(database):
    database.clear()
    database.load()
    return database


@pytest.fixture
def built(loaded):
    loaded.build(1)
    return loaded


@pytest.fixture
def published(built):
    built.engine.publish()
    return built
