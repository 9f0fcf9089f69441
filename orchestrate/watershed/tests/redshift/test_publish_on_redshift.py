"""What publishing is on Redshift."""

import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from redshift_standin.cluster import connect
from watershed import redshift_copies, redshift_publish
from watershed.exceptions import WatershedError

pytestmark = [pytest.mark.redshift, pytest.mark.trust]


def test_readers_have_views_of_copies_of_marts_and_ledger_but_not_of_originals_of_bad_values(built):
    outcome = built.engine.publish()
    views = [
        name
        for (name,) in built.sql("select viewname from pg_views where schemaname = 'published'")
    ]
    assert sorted(views) == [
        "bookmarks",
        "builds",
        "dim_customers",
        "fct_orders",
        "loads",
        "publications",
    ]
    assert outcome.publication.tables == 5
    assert outcome.publication.table_rows == 100 + 100 + 1 + 1
    built.sql("drop table marts.fct_orders")
    assert built.sql("select count(*), sum(price) from published.fct_orders") == [
        (100, sum(range(100)) + 50)
    ]


def test_the_ledger_that_readers_see_is_that_of_the_warehouse(published):
    published.build(2)
    publication = published.engine.publish().publication
    rows = published.sql("select * from published.publications order by publication_id")
    assert rows == published.sql("select * from ops.publications order by publication_id")
    assert rows[-1][0] == publication.publication_id
    assert published.engine.published_now() == publication


def test_nothing_changed_is_said_and_nothing_copied(published):
    outcome = published.engine.publish()
    assert outcome.action == "unchanged"
    assert published.schemas("published_") == ["published_1"]


def test_after_a_red_build_readers_keep_their_marts_and_see_the_ledger(published):
    published.build(2, status="red")
    outcome = published.engine.publish()
    assert outcome.action == "published"
    assert published.marts() == [(1, 1)]
    assert published.sql("select count(*) from published.builds") == [(2,)]
    assert "build build-2 is red" in outcome.publication.note
    assert published.sql(
        "select count(*) from svv_tables where table_schema = 'published_2' "
        "and table_name like 'fct%'"
    ) == [(0,)]


def test_a_bad_first_build_publishes_no_marts(loaded):
    loaded.build(1, status="red")
    assert not loaded.engine.publish().publication.has_marts
    assert (
        loaded.sql(
            "select * from pg_views where schemaname = 'published' and viewname = 'fct_orders'"
        )
        == []
    )


def test_a_build_that_begins_while_marts_are_copied_is_not_mixed_in(published, monkeypatch):
    published.build(2)
    write, begun = redshift_copies.Copies.write, []

    def interrupted(copies, schema, plan, readers):
        write(copies, schema, plan, readers)
        if not begun:
            begun.append(schema)
            published.build(3, status="running")

    monkeypatch.setattr(redshift_copies.Copies, "write", interrupted)
    outcome = published.engine.publish()
    assert published.marts() == [(1, 1)]
    assert "build build-3 did not end" in outcome.publication.note
    assert len(begun) == 1


def test_marts_may_change_their_columns_and_go(published):
    published.build(2)
    published.sql("drop table marts.dim_customers")
    published.sql("alter table marts.fct_orders add column note varchar(10)")
    published.engine.publish()
    assert published.sql("select distinct built_by, note from published.fct_orders") == [(2, None)]
    assert published.sql("select * from pg_views where viewname = 'dim_customers'") == []


def test_one_can_roll_back_and_what_was_left_is_not_published_again(published):
    first = published.engine.published_now()
    published.build(2)
    published.engine.publish()
    outcome = published.engine.roll_back()
    assert outcome.publication == first
    assert published.marts() == [(1, 1)]
    published.add_load(1)
    assert "build build-2 was rolled back from" in published.engine.publish().publication.note
    assert published.marts() == [(1, 1)]
    published.build(3)
    published.engine.publish()
    assert published.marts() == [(3, 3)]


def test_there_is_no_way_back_from_the_first(published):
    with pytest.raises(WatershedError, match="no publication to return to"):
        published.engine.roll_back()


def test_old_copies_go_after_a_grace_and_those_that_are_read_stay(published, monkeypatch):
    for number in range(5):
        published.add_load(number)
        published.engine.publish()
    assert len(published.schemas("published_")) == 6
    monkeypatch.setattr(redshift_copies, "GRACE", timedelta(0))
    published.add_load(6)
    published.engine.publish()
    # The marts are still those of the first.
    assert published.schemas("published_") == [
        "published_1",
        "published_5",
        "published_6",
        "published_7",
    ]
    assert published.marts() == [(1, 1)]


def test_a_dry_run_changes_nothing(built):
    outcome = built.engine.publish(dry_run=True)
    assert outcome.plan.is_change
    assert built.schemas("published") == []


KILLED = """
import os, signal, sys
from watershed.engine import engine_of
from watershed.settings import Settings
from watershed_redshift import RedshiftConnection
original, beginning, count = RedshiftConnection._run, sys.argv[1], int(sys.argv[2])
def killing(connection, sql, parameters):
    global count
    count -= sql.lstrip().startswith(beginning)
    if count < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(connection, sql, parameters)
RedshiftConnection._run = killing
engine_of(Settings.read(os.environ, __import__("pathlib").Path.cwd())).publish()
"""


@pytest.mark.parametrize(
    ("statement", "nth"),
    [
        ('insert into "published_', 1),
        ("create or replace view", 2),
        ("insert into ops.pub", 0),
        ("commit", 1),
    ],
)
def test_a_publisher_that_is_killed_leaves_what_was_and_the_next_one_heals(
    published, statement, nth
):
    published.build(2)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, statement, str(nth)],
        cwd=published.root,
        env={"PATH": "/usr/bin:/bin", **published.environment},
        check=False,
    )
    assert done.returncode == -9
    assert published.marts() == [(1, 1)]
    assert published.sql("select count(*) from published.publications") == [(1,)]
    published.engine.publish()
    assert published.marts() == [(2, 2)]
    assert len(published.schemas("published_")) == 2


def test_readers_see_whole_publications_only_while_many_follow(published, redshift):
    stopped, seen, errors = threading.Event(), set(), []

    def read(statement):
        with connect(redshift) as connection, connection.cursor() as cursor:
            while not stopped.is_set():
                try:
                    cursor.execute(statement)
                    seen.add(tuple(map(tuple, cursor.fetchall())))
                except Exception as error:  # noqa: BLE001  # whatever it is, the test shows it
                    errors.append(error)
                time.sleep(0.01)

    names = ("fct_orders", "dim_customers")
    statements = [
        "select distinct a.built_by, b.built_by, "
        "(select max(build_id) from published.publications) "
        f"from published.{a} as a join published.{b} as b on a.id = b.id"
        for a, b in (names, names[::-1])
    ]
    readers = [threading.Thread(target=read, args=(statement,)) for statement in statements]
    for reader in readers:
        reader.start()
    for number in range(2, 8):
        published.build(number, rows=3)
        published.engine.publish()
    stopped.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert {len(rows) for rows in seen} == {1}
    assert all(row == (row[0], row[0], f"build-{row[0]}") for (row,) in seen)
    assert len(seen) > 3


def test_a_long_query_keeps_the_views_and_publishing_says_so(published, redshift, monkeypatch):
    monkeypatch.setattr(redshift_publish, "SWITCH_SECONDS", 0.1)
    published.build(2)
    with connect(redshift) as reader, reader.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select count(*) from published.fct_orders")
        with pytest.raises(WatershedError, match="readers had views of the schema published"):
            published.engine.publish()
        cursor.execute("select max(built_by) from published.fct_orders")
        assert [tuple(row) for row in cursor.fetchall()] == [(1,)]
        cursor.execute("rollback")
    published.engine.publish()
    assert published.marts() == [(2, 2)]


def test_publishers_wait_for_each_other(built):
    publishers = [
        subprocess.Popen(
            [sys.executable, "-m", "watershed", "publish"],
            cwd=built.root,
            env={"PATH": "/usr/bin:/bin", **built.environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = sorted(publisher.communicate()[0].split()[0] for publisher in publishers)
    assert [publisher.returncode for publisher in publishers] == [0, 0]
    assert said == ["nothing", "published"]


def test_a_publisher_that_does_not_end_is_named(built, redshift, monkeypatch):
    built.engine.publish()
    monkeypatch.setattr(redshift_publish, "PUBLISHER_WAIT_SECONDS", 0.2)
    with connect(redshift) as other, other.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("lock table ops.publishing")
        with pytest.raises(WatershedError, match="another `watershed publish` has held"):
            built.engine.publish()
