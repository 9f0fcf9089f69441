"""What publishing, asking and the state of things are on Redshift."""

import json
import re
import secrets
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redshift_connector

from redshift_standin.cluster import connect
from watershed import redshift_copies, redshift_publish
from watershed.engine import engine_of
from watershed.exceptions import MissingFileError, WatershedError
from watershed.settings import Settings
from watershed_load_plan.ledger import OPS_TABLES
from watershed_load_plan.redshift_types import to_redshift
from watershed_redshift import read_environment

pytestmark = [pytest.mark.redshift, pytest.mark.trust]

GUIDE = Path(__file__).parents[3] / "docs" / "redshift.md"
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
def opened(settings):
    """A cursor of somebody else, whose statements commit."""
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


def test_before_the_first_publication_there_is_nothing_to_ask(loaded):
    with (
        pytest.raises(MissingFileError, match="--environment=prod run all"),
        loaded.engine.answer("select 1"),
    ):
        pass


def test_a_question_is_answered_from_the_views_with_exact_values(published):
    done = published.run(
        "query",
        "--json",
        "select id, price, null::int as nothing, timestamptz '2026-01-02 03:04:05+01' as at, "
        "json_parse('{\"a\": [1]}') as doc from fct_orders where id < 2 order by id",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {
            "id": n,
            "price": f"{n}.50",
            "nothing": None,
            "at": "2026-01-02T02:04:05+00:00",
            "doc": {"a": [1]},
        }
        for n in (0, 1)
    ]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("delete from fct_orders", "read-only transaction|cannot delete|view"),
        ("create table marts.mine (id int)", "read-only transaction"),
        ("select * from missing", "missing"),
        ("select 1; select 2", "multiple commands"),
    ],
)
def test_a_question_that_is_none_is_refused(published, sql, line):
    with pytest.raises(WatershedError, match=line), published.engine.answer(sql):
        pass
    assert published.marts() == [(1, 1)]


def test_the_status_says_how_far_all_is(published):
    done = published.run("status", "--json")
    assert done.returncode == 0, done.stderr
    status = json.loads(done.stdout)
    assert [stream["stream"] for stream in status["streams"]] == ["shop-orders"]
    assert status["build"]["build_id"] == "build-1"
    assert (
        status["publication"]["publication_id"] == published.engine.published_now().publication_id
    )
    assert "marts of build build-1" in published.run("status").stdout


def set_up_as_documented(database, names):
    """Run the set-up of docs/redshift.md, under names that no other run has."""
    (block,) = re.findall(r"```sql\n(.+?)```", GUIDE.read_text(), re.DOTALL)
    for documented, name in names.items():
        block = re.sub(rf"\b{documented}\b", name, block)
    for statement in filter(str.strip, block.split(";")):
        database.sql(statement)


@pytest.fixture
def documented(database, redshift):
    """The user that loads and publishes, and the group of readers, as the guide makes them."""
    mark = secrets.token_hex(4)
    names = {
        name: f"watershed_test_{name}_{mark}" for name in ("watershed", "analysts", "anna")
    } | {"datawarehouse": redshift.database}
    database.clear()
    set_up_as_documented(database, names)

    def user(name, password):
        return {
            **database.environment,
            "WATERSHED_REDSHIFT_USER": names[name],
            "WATERSHED_REDSHIFT_PASSWORD": password,
            "WATERSHED_REDSHIFT_READERS": f"group {names['analysts']}",
        }

    publisher = Warehouse(database.root, user("watershed", "Change-me-1"))
    yield publisher, read_environment(user("anna", "Change-me-2"))
    publisher.clear()
    publisher.close()
    database.sql(f"revoke all on database {redshift.database} from {names['watershed']}")
    for name in ("anna", "watershed"):
        database.sql(f"drop user {names[name]}")
    database.sql(f"drop group {names['analysts']}")


def test_the_set_up_of_the_guide_suffices_and_readers_see_what_is_published_only(documented):
    publisher, anna = documented
    publisher.load()
    publisher.build(1)
    publisher.engine.publish()
    publisher.build(2)
    publisher.engine.publish()
    with opened(anna) as cursor:
        cursor.execute("select count(*) from published.fct_orders where built_by = 2")
        assert [tuple(row) for row in cursor.fetchall()] == [(100,)]
        for forbidden in ("marts.fct_orders", "ops.quarantine"):
            with pytest.raises(redshift_connector.ProgrammingError, match="permission denied"):
                cursor.execute(f"select * from {forbidden}")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"WATERSHED_REDSHIFT_DATABASE": ""}, "WATERSHED_REDSHIFT_DATABASE is not set"),
        ({"WATERSHED_REDSHIFT_PORT": "1"}, "cannot be reached: "),
        ({"WATERSHED_REDSHIFT_PASSWORD": "wrong-word"}, "cannot be reached: "),
        ({"WATERSHED_REDSHIFT_READERS": "drop table"}, "WATERSHED_REDSHIFT_READERS: 'drop table'"),
    ],
)
@pytest.mark.parametrize("command", ["status", "publish"])
def test_what_is_wrong_with_the_way_in_is_one_line(database, changed, line, command):
    done = database.run(command, **changed)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("watershed: ")
    assert line in said
    assert "wrong-word" not in said


def test_a_load_without_an_environment_is_refused_before_it_begins(database):
    done = database.run("load")
    assert done.returncode == 1
    assert done.stderr.startswith("watershed: MELTANO_ENVIRONMENT is not set: ")
