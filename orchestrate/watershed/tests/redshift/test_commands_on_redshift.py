"""What asking, the state of things, and a way in that is wrong are on Redshift."""

import json
import re
import secrets
from pathlib import Path

import pytest
import redshift_connector

from watershed.exceptions import MissingFileError, WatershedError
from watershed_redshift import read_environment

pytestmark = [pytest.mark.redshift, pytest.mark.trust]

GUIDE = Path(__file__).parents[4] / "docs" / "redshift.md"


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
def documented(database, redshift, entered):
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

    publisher = entered(user("watershed", "Change-me-1"))
    yield publisher, read_environment(user("anna", "Change-me-2"))
    publisher.clear()
    publisher.close()
    database.sql(f"revoke all on database {redshift.database} from {names['watershed']}")
    for name in ("anna", "watershed"):
        database.sql(f"drop user {names[name]}")
    database.sql(f"drop group {names['analysts']}")


def test_the_set_up_of_the_guide_suffices_and_readers_see_what_is_published_only(
    documented, opened
):
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


def test_what_was_set_aside_is_replayed_or_discarded(loaded):
    """R-3.4.2: a column was widened; its value is loaded, one that no column holds is not."""
    loaded.sql("drop schema if exists raw_parcels cascade")
    loaded.sql("create schema raw_parcels")
    loaded.sql(
        "create table raw_parcels.parcels (id int, weight decimal(12,2), doc super, "
        "_sdc_received_at timestamptz, _sdc_batched_at timestamptz)"
    )
    at = "2026-01-02 03:00:00+00"
    loaded.sql("insert into raw_parcels.parcels values (1, null, null, ?, ?)", at, at)
    for name, column, value in (
        ("aaaa1", "weight", "1.25"),
        ("aaaa2", "doc", '{"a": [1]}'),
        ("bbbb1", "weight", "heavy"),
    ):
        loaded.sql(
            "insert into ops.quarantine values (?, 'load', 'run', 'p', 'raw_parcels', "
            "'shop-parcels', 'parcels', ?, ?, ?, 'does not fit', cast(? as timestamptz))",
            *(name, json.dumps({"id": 1 if name < "b" else 2}), column, value, at),
        )
    assert loaded.run("quarantine", "replay", "--dry-run").returncode == 0
    assert loaded.sql("select weight from raw_parcels.parcels") == [(None,)]
    done = loaded.run("quarantine", "replay", "--json")
    assert done.returncode == 0, done.stderr
    outcomes = {one["id"]: one["outcome"] for one in json.loads(done.stdout)["values"]}
    assert outcomes == {"aaaa1": "loaded", "aaaa2": "loaded", "bbbb1": "stays"}
    held = "select cast(weight as varchar), json_serialize(doc) from raw_parcels.parcels"
    assert loaded.sql(held) == [("1.25", '{"a":[1]}')]
    assert loaded.run("quarantine", "discard", "bbbb1").returncode == 0
    assert loaded.sql("select quarantine_id, value from ops.quarantine") == [("bbbb1", None)]
    loaded.sql("drop schema raw_parcels cascade")
