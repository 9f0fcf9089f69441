"""An incremental model holds what a full refresh makes of it, on both engines (decision 29).

All that read it are built anew, so they need no proof of their own.
"""

import collections
import os
import shutil
import subprocess

import duckdb
import pytest

from redshift_standin.cluster import connect

MODEL = "int_web_events_unnested"
TABLE = f"intermediate.{MODEL}"
CHANGES = {
    "deleted at the source": "set _sdc_deleted_at = _sdc_received_at where _id like '%1'",
    "changed": "set _sdc_received_at = timestamptz '2099-01-01 00:00:00+00', "
    """events = {}('[{{"type":"search"}}]') where _id like '%2'""",
    "without events since": "set _sdc_received_at = timestamptz '2099-01-01 00:00:00+00', "
    "events = {}('[]') where _id like '%3'",
    "loaded late, below the newest": "set _sdc_received_at = timestamptz '2001-01-01 00:00:00+00', "
    """events = {}('[{{"type":"checkout"}}]') where _id like '%4'""",
}
"""What may come of a session, and what a load then leaves in its raw row."""
STRAY = "a row that only a table which is made anew does not have"


class OnDuckDB:
    """A copy of the clone's warehouse."""

    as_json = "json"

    def __init__(self, clone, folder):
        self._clone = clone
        self._warehouse = shutil.copy(clone.root / "output" / "warehouse.duckdb", folder)

    def execute(self, sql):
        with duckdb.connect(self._warehouse) as connection:
            return connection.execute(sql).fetchall()

    def run_model(self, *options):
        done = subprocess.run(
            [self._clone.root / ".venv" / "bin" / "dbt", "run", "--select", MODEL, *options],
            cwd=self._clone.root / "transform",
            env={
                "PATH": os.environ["PATH"],
                "DBT_PROFILES_DIR": "profiles",
                "WATERSHED_WAREHOUSE": str(self._warehouse),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


class OnRedshift:
    """The stand-in, to which no other test comes afterwards."""

    as_json = "json_parse"

    def __init__(self, prod):
        self._prod = prod

    def execute(self, sql):
        with connect(self._prod.standin) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def run_model(self, *options):
        self._prod.dbt("run", "--select", MODEL, *options)


@pytest.fixture
def duckdb_days_later(clone, days_later, tmp_path):
    assert days_later
    return OnDuckDB(clone, tmp_path)


@pytest.fixture
def redshift_changed_by_hand(prod_days_later):
    return OnRedshift(prod_days_later)


def assert_incremental_is_full(engine):
    def rows():
        return collections.Counter(map(repr, engine.execute(f"select * from {TABLE}")))

    of_days = rows()
    engine.run_model("--full-refresh")
    assert rows() == of_days

    for change in CHANGES.values():
        engine.execute(f"update raw_web.sessions {change.format(engine.as_json)}")
    engine.execute("delete from raw_web.sessions where _id like '%5'")
    engine.execute(
        f"insert into {TABLE} (session_id, event_number, event_type, loaded_at) "
        f"select session_id, 0, '{STRAY}', loaded_at from {TABLE} "
        "where session_id like '%6' and event_number = 1"
    )
    engine.run_model()
    assert engine.execute(f"select count(*) from {TABLE} where event_type = '{STRAY}'")[0][0] > 0
    engine.execute(f"delete from {TABLE} where event_type = '{STRAY}'")
    added_to = rows()
    assert added_to != of_days
    engine.run_model("--full-refresh")
    assert rows() == added_to


@pytest.mark.demo
def test_days_and_deletes_leave_on_duckdb_what_a_full_refresh_makes(duckdb_days_later):
    assert_incremental_is_full(duckdb_days_later)


@pytest.mark.redshift
def test_days_and_deletes_leave_on_redshift_what_a_full_refresh_makes(redshift_changed_by_hand):
    assert_incremental_is_full(redshift_changed_by_hand)
