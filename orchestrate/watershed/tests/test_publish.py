"""What a publication holds, when there is a new one, and the way back."""

import json
import subprocess

import duckdb
import pytest

from watershed.exceptions import MissingFileError, WatershedError
from watershed.publications import KEPT, PublicationFolder, published_now
from watershed.publish import publish, roll_back

pytestmark = pytest.mark.trust

TABLES_SQL = "select schema_name || '.' || table_name from duckdb_tables() order by all"


def marts_of(project):
    """Which build each published mart is from."""
    return project.published(
        "select built_by from marts.fct_orders union select built_by from marts.dim_customers"
    )


def add_load(project, number):
    with project.warehouse() as connection:
        connection.execute(
            "insert into ops.loads by name "
            "select ? as load_id, 1 as rows_inserted, now() as committed_at",
            [f"load-{number}"],
        )


def test_tables_of_marts_and_ops_are_published_but_never_raw_data_or_leftovers(built):
    publish(built.settings)
    assert [name for (name,) in built.published(TABLES_SQL)] == [
        "marts.dim_customers",
        "marts.fct_orders",
        "ops.bookmarks",
        "ops.builds",
        "ops.fct_loads",
        "ops.loads",
        "ops.publications",
    ]
    assert built.published("select count(*) from duckdb_views() where not internal") == [(0,)]
    assert b"secret" not in built.settings.published.read_bytes()


def test_a_copy_equals_the_original_value_by_value_and_in_its_order(built):
    publish(built.settings)
    for table in ("marts.fct_orders", "marts.dim_customers", "ops.loads", "ops.bookmarks"):
        with built.warehouse() as connection:
            original = connection.execute(f"from {table}").fetchall()
            columns = connection.execute(f"describe {table}").fetchall()
        assert original
        assert built.published(f"from {table}") == original
        assert built.published(f"describe {table}") == columns


def test_descriptions_travel_with_the_tables(built):
    publish(built.settings)
    assert built.published("select comment from duckdb_tables() where comment is not null") == [
        ("One row per order: it's {the} fact",)
    ]
    assert built.published(
        "select column_name, comment from duckdb_columns() where comment is not null"
    ) == [("order_id", "Key of the order")]


def test_views_of_marts_are_named_because_they_are_left_out(built):
    outcome = publish(built.settings)
    assert outcome.remarks == ("not published, as only tables are: marts.orders_view",)


def test_the_ledger_in_the_file_and_in_the_warehouse_tell_the_same(built):
    publish(built.settings)
    built.build(2)
    publication = publish(built.settings).publication
    rows = built.published("from ops.publications order by publication_id")
    with built.warehouse() as connection:
        assert connection.execute("from ops.publications order by all").fetchall() == rows
    assert [row[0] for row in rows][-1] == publication.publication_id
    assert publication == published_now(PublicationFolder(built.settings.published))
    assert publication.bytes == built.settings.published.stat().st_size
    assert publication.tables == len(built.published(TABLES_SQL)) - 1
    assert publication.table_rows == 1000 + 100 + 1 + 1 + 2 + 2


def test_a_publication_names_the_commit_it_was_made_from(built):
    for command in (
        ["init", "-q"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", "-C", built.root, *command], check=True)
    head = subprocess.run(
        ["git", "-C", built.root, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert publish(built.settings).publication.git_commit == head


def test_before_any_build_the_ledger_alone_is_published(loaded):
    outcome = publish(loaded.settings)
    assert not outcome.publication.has_marts
    assert outcome.publication.build_id is None
    assert {name for (name,) in loaded.published(TABLES_SQL)} == {
        "ops.bookmarks",
        "ops.builds",
        "ops.loads",
        "ops.publications",
    }


def test_before_any_load_there_is_nothing_to_publish_and_no_warehouse_appears(project):
    with pytest.raises(MissingFileError, match="meltano run all"):
        publish(project.settings)
    assert not project.settings.warehouse.exists()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"status": "red"}, "build build-2 is red"),
        ({"status": "running"}, "build build-2 did not end"),
        ({"is_full": False}, "build build-2 built a part of the models only"),
        ({"command": "run", "is_full": False}, "`dbt run` changed models after the last build"),
        ({"command": "seed"}, "`dbt seed` changed models after the last build"),
    ],
)
def test_after_a_build_that_is_not_proved_readers_keep_their_marts_and_see_the_ledger(
    built, bad, reason
):
    publish(built.settings)
    built.build(2, **bad)
    outcome = publish(built.settings)
    assert outcome.action == "published"
    assert marts_of(built) == [(1,)]
    assert outcome.publication.build_id == "build-1"
    assert outcome.publication.note.startswith("marts stay those of build build-1: ")
    assert reason in outcome.publication.note
    assert built.published("select count(*) from ops.builds") == [(2,)]


def test_a_bad_first_build_publishes_no_marts(loaded):
    loaded.build(1, status="red")
    assert not publish(loaded.settings).publication.has_marts
    assert loaded.published("select * from duckdb_tables() where schema_name = 'marts'") == []


def test_testing_alone_leaves_the_last_build_as_it_is(built):
    with built.warehouse() as connection:
        connection.execute(
            "insert into ops.builds by name select 'test-1' as build_id, 'test' as command, "
            "false as is_full, 'green' as status, now() + interval 1 hour as started_at"
        )
    assert publish(built.settings).publication.build_id == "build-1"


def test_the_next_green_build_is_published_again(built):
    publish(built.settings)
    built.build(2, status="red")
    publish(built.settings)
    built.build(3)
    assert publish(built.settings).publication.note is None
    assert marts_of(built) == [(3,)]


def test_nothing_changed_is_said_and_nothing_done(built):
    first = publish(built.settings)
    inode = built.settings.published.stat().st_ino
    again = publish(built.settings)
    assert again.action == "unchanged"
    assert again.publication == first.publication
    assert built.settings.published.stat().st_ino == inode
    assert built.publications == [first.publication.file]


@pytest.mark.parametrize(
    "change",
    [
        "insert into ops.bookmarks by name select 'shop-new' as stream",
        "update ops.bookmarks set committed_at = now() where stream = 'shop-refunds'",
        "delete from ops.bookmarks where stream = 'shop-refunds'",
        "create table ops.fct_runs as select 1 as run",
        "alter table ops.bookmarks rename column bookmark to place",
    ],
)
def test_any_change_of_the_ledger_is_published(built, change):
    publish(built.settings)
    with built.warehouse() as connection:
        connection.execute(change)
    assert publish(built.settings).action == "published"


def test_marts_that_stay_do_not_make_the_file_grow(built):
    sizes = []
    for number in range(8):
        add_load(built, number)
        sizes.append(publish(built.settings).publication.bytes)
    assert marts_of(built) == [(1,)]
    assert max(sizes) < 2 * sizes[0]


def test_the_last_three_publications_are_kept(built):
    files = []
    for number in range(KEPT + 2):
        add_load(built, number)
        files.append(publish(built.settings).publication.file)
    assert built.publications == files[-KEPT:]
    assert len(set(files)) == KEPT + 2


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(built):
    outcome = publish(built.settings, dry_run=True)
    assert outcome.action == "planned"
    assert outcome.plan.is_change
    assert "marts.fct_orders" in [f"{t.schema}.{t.name}" for t in outcome.plan.tables]
    assert not built.settings.published.exists()
    assert not built.settings.publications.exists()
    publish(built.settings)
    before = built.settings.warehouse.read_bytes()
    assert not publish(built.settings, dry_run=True).plan.is_change
    assert built.settings.warehouse.read_bytes() == before


def test_rolling_back_gives_readers_the_publication_before(built):
    first = publish(built.settings).publication
    built.build(2)
    second = publish(built.settings).publication
    outcome = roll_back(built.settings)
    assert outcome.publication == first
    assert marts_of(built) == [(1,)]
    with built.warehouse() as connection:
        (note,) = connection.execute(
            "select note from ops.publications order by publication_id desc limit 1"
        ).fetchone()
    assert note == f"rolled back from {second.publication_id}"


def test_what_was_rolled_back_from_is_not_published_again_but_a_newer_build_is(built):
    publish(built.settings)
    built.build(2)
    publish(built.settings)
    roll_back(built.settings)
    for number in (1, 2):
        add_load(built, number)
        outcome = publish(built.settings)
        assert outcome.action == "published"
        assert "build build-2 was rolled back from" in outcome.publication.note
        assert marts_of(built) == [(1,)]
    built.build(3)
    publish(built.settings)
    assert marts_of(built) == [(3,)]


def test_one_can_roll_back_as_far_as_publications_are_kept(built):
    for number in (2, 3):
        publish(built.settings)
        built.build(number)
    publish(built.settings)
    roll_back(built.settings)
    roll_back(built.settings)
    assert marts_of(built) == [(1,)]
    with pytest.raises(WatershedError, match="no publication to return to"):
        roll_back(built.settings)
    assert marts_of(built) == [(1,)]


def test_rolling_back_does_not_wait_for_a_warehouse_that_is_held(built, monkeypatch):
    monkeypatch.setattr("watershed.publish.ROLLBACK_LOCK_WAIT_SECONDS", 0.0)
    publish(built.settings)
    built.build(2)
    publish(built.settings)
    with built.held():
        outcome = roll_back(built.settings)
    assert marts_of(built) == [(1,)]
    (remark,) = outcome.remarks
    assert remark.startswith("not recorded in ops.publications: warehouse ")


def test_rolling_back_works_without_a_warehouse(built):
    publish(built.settings)
    built.build(2)
    publish(built.settings)
    built.settings.warehouse.unlink()
    assert roll_back(built.settings).remarks == (
        "not recorded in ops.publications: there is no warehouse",
    )
    assert marts_of(built) == [(1,)]
    assert not built.settings.warehouse.exists()


def test_a_warehouse_made_anew_takes_the_history_over_from_the_published_file(built):
    first = publish(built.settings).publication
    built.settings.warehouse.unlink()
    built.load()
    outcome = publish(built.settings)
    assert marts_of(built) == [(1,)]
    assert built.publications == [first.file, outcome.publication.file]
    assert built.published("select count(*) from ops.publications") == [(2,)]


def test_a_clock_that_was_set_back_does_not_hide_the_newest(built):
    publish(built.settings)
    with built.warehouse() as connection:
        connection.execute(
            "insert into ops.publications by name select '20990101T000000.000000Z' as "
            "publication_id, timestamptz '2099-01-01 00:00:00+00' as published_at, 'x' as file"
        )
    add_load(built, 1)
    publication = publish(built.settings).publication
    assert publication.publication_id == "20990101T000000.000001Z"
    assert published_now(PublicationFolder(built.settings.published)) == publication


def test_a_foreign_file_in_the_place_of_the_published_one_is_not_overwritten(built):
    with duckdb.connect(built.settings.published) as connection:
        connection.execute("create table mine as select 1")
    with pytest.raises(WatershedError, match="not made by `watershed publish`"):
        publish(built.settings)
    assert built.published("from mine") == [(1,)]


def test_the_command_line_publishes_says_so_and_rolls_back(built):
    done = built.run("publish")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("published 2")
    assert "6 tables, 1,105 rows" in done.stdout
    built.build(2)
    answer = json.loads(built.run("publish", "--json").stdout)
    assert (answer["action"], answer["publication"]["build_id"]) == ("published", "build-2")
    assert "marts.fct_orders" in answer["tables"]
    assert "would publish nothing" in built.run("publish", "--dry-run").stdout
    assert built.run("publish", "--rollback").stdout.startswith("rolled back ")
    failed = built.run("publish", "--rollback")
    assert failed.returncode == 1
    assert failed.stderr.startswith("watershed: there is no publication to return to")
    assert built.run("publish", "--rollback", "--dry-run").returncode == 2
