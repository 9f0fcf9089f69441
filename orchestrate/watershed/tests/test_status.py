"""How far everything is, also when nothing, or something bad, happened."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from watershed.publish import publish
from watershed.status import collect
from watershed.status_text import age

pytestmark = pytest.mark.trust

STATE_ID = "dev:tap-postgres--shop-to-target-duckdb"


@pytest.fixture
def meltano_runs(project):
    """Write runs into the system database, as Meltano does."""

    def write(*runs):
        project.settings.system_database.parent.mkdir()
        with sqlite3.connect(project.settings.system_database) as connection:
            connection.execute(
                "create table runs (id integer primary key, job_name text, state text, "
                "started_at text, ended_at text, payload text, last_heartbeat_at text)"
            )
            connection.executemany(
                "insert into runs (job_name, state, started_at, ended_at, payload, "
                "last_heartbeat_at) values (?, ?, ?, ?, ?, ?)",
                runs,
            )
        connection.close()

    return write


def meltano_time(**ago):
    return (datetime.now(UTC) - timedelta(**ago)).replace(tzinfo=None).isoformat(" ")


def test_before_anything_ran_it_says_what_to_run(project):
    done = project.run("status")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "streams    nothing is loaded yet: run `meltano run all`",
        "build      none yet: run `watershed build`",
        "published  nothing yet: run `watershed publish`",
    ]
    assert not project.settings.warehouse.exists()


def test_each_stream_tells_its_last_sync_its_rows_and_its_quarantine(loaded):
    with loaded.warehouse() as connection:
        connection.execute(
            "insert into ops.loads by name select 'load-2' as load_id, 'run-2' as run_id, "
            "? as state_id, 'shop-orders' as stream, 3 as rows_inserted, 4 as rows_updated, "
            "9 as rows_unchanged, 2 as rows_deleted",
            [STATE_ID],
        )
        connection.execute("update ops.bookmarks set run_id = 'run-2', committed_at = now()")
    orders, refunds = collect(loaded.settings, wait_seconds=0).streams
    assert (orders.state_id, orders.stream) == (STATE_ID, "shop-orders")
    assert (orders.rows_last_run, orders.rows_loaded, orders.quarantined) == (9, 1007, 1)
    assert (refunds.rows_last_run, refunds.rows_loaded, refunds.quarantined) == (0, 0, 0)
    assert datetime.now(UTC) - orders.synced_at < timedelta(minutes=1)


def test_build_and_publication_are_told_apart(built):
    publish(built.settings)
    built.build(2, status="red")
    publish(built.settings)
    text = built.run("status").stdout
    assert "build      RED " in text
    assert "marts stay those of build build-1: build build-2 is red" in text
    answer = json.loads(built.run("status", "--json").stdout)
    assert answer["build"]["build_id"] == "build-2"
    assert answer["publication"]["build_id"] == "build-1"
    assert datetime.fromisoformat(answer["publication"]["published_at"]).tzinfo


def test_tests_run_by_themselves_are_shown_beside_the_build(built):
    built.run_sql(
        "insert into ops.builds by name select 'test-1' as build_id, 'test' as command, "
        "false as is_full, 'red' as status, now() + interval 1 hour as started_at, 3 as failures"
    )
    found = collect(built.settings, wait_seconds=0)
    assert (found.build.build_id, found.test.build_id) == ("build-1", "test-1")
    lines = built.run("status").stdout.splitlines()
    assert [line.split()[:2] for line in lines if "(dbt " in line] == [
        ["build", "green"],
        ["test", "RED"],
    ]
    built.run_sql(
        "update ops.builds set started_at = now() - interval 1 day where command = 'test'"
    )
    assert collect(built.settings, wait_seconds=0).test is None


def test_a_load_that_failed_before_it_reached_the_warehouse_is_shown(project, meltano_runs):
    meltano_runs(
        (STATE_ID, "SUCCESS", meltano_time(hours=5), meltano_time(hours=4), "{}", None),
        (
            STATE_ID,
            "FAIL",
            meltano_time(hours=3),
            meltano_time(hours=2),
            '{"error": "Extractor\\nfailed"}',
            None,
        ),
        ("dev:other", "RUNNING", meltano_time(hours=1), None, "{}", meltano_time(minutes=9)),
        ("dev:third", "RUNNING", meltano_time(minutes=2), None, "{}", meltano_time(seconds=1)),
    )
    lines = project.run("status").stdout.splitlines()
    assert [line for line in lines if line.startswith("load")] == [
        "load       died 1 h ago (dev:other)",
        f"load       FAILED 2 h ago ({STATE_ID}): Extractor failed",
        "load       running 2 min ago (dev:third)",
    ]


def test_what_the_tap_itself_said_is_found_in_what_meltano_says_about_it(project, meltano_runs):
    quoted = """Cannot start plugin tap: Catalog discovery failed: command ['tap'] returned 1:
 {"level": "info", "message": "Skipping parse of env var settings..."}
{"level": "error", "message": "PostgreSQL database 'shop' does not answer: check the host"}
"""
    payload = json.dumps({"error": quoted})
    meltano_runs((STATE_ID, "FAIL", meltano_time(), meltano_time(), payload, None))
    (run,) = collect(project.settings, wait_seconds=0).runs
    assert run.error == "PostgreSQL database 'shop' does not answer: check the host"


def test_a_warehouse_that_a_run_holds_is_one_line_that_names_the_holder(loaded):
    with loaded.held() as pid:
        done = loaded.run("status", "--wait", "0.1")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("watershed: warehouse ")
    assert f"process {pid}" in line


def test_ages_are_told_in_their_largest_unit():
    at = datetime(2026, 1, 2, tzinfo=UTC)
    for seconds, text in [
        (-5, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7_199, "1 h ago"),
        (86_400 * 3, "3 d ago"),
    ]:
        assert age(at, at - timedelta(seconds=seconds)) == text
