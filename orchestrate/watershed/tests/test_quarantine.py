"""`watershed quarantine`: what was set aside is seen, replayed once it fits, or discarded."""

import io
import json

import duckdb
import pytest

from watershed_target_duckdb.target import TargetDuckDB

pytestmark = pytest.mark.trust

SHOP = "dev:tap-postgres--shop-to-target-duckdb"
LOADED_AT = "2026-01-02 03:00:00+00"
TABLE = f"""
    delete from ops.quarantine;
    create table raw_shop.parcels as
    select
        n as id, cast(null as {{kind}}) as weight, 'p' || n as label,
        timestamptz '{LOADED_AT}' as _sdc_received_at, timestamptz '{LOADED_AT}' as _sdc_batched_at
    from range(3) as numbers(n);
"""
ENTRY = """
    insert into ops.quarantine by name
    select
        ? as quarantine_id, 'load-1' as load_id, ? as state_id, 'raw_shop' as target_schema,
        'shop-parcels' as stream, 'parcels' as table_name, ? as record_key, ? as column_name,
        ? as value, ? as reason, ?::timestamptz as quarantined_at
"""


class Quarantine:
    """A table `parcels` of three rows, in which no weight fitted its column."""

    def __init__(self, project, kind="integer"):
        self.project = project
        project.run_sql(TABLE.format(kind=kind))

    def put(self, name, key, value, at=LOADED_AT, **other):
        entry = {"column": "weight", "reason": "does not fit integer exactly"} | other
        key = None if key is None else json.dumps({"id": key})
        row = [name, SHOP, key, entry["column"], value, entry["reason"], at]
        with self.project.warehouse() as connection:
            connection.execute(ENTRY, row)

    def run(self, *arguments):
        return self.project.run("quarantine", *arguments)

    def ask(self, sql):
        with duckdb.connect(self.project.settings.warehouse, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @property
    def left(self):
        return [name for (name,) in self.ask("select quarantine_id from ops.quarantine order by 1")]

    @property
    def weights(self):
        return self.ask("select id, weight from raw_shop.parcels order by id")


@pytest.fixture
def parcels(loaded):
    return Quarantine(loaded)


def test_list_counts_by_stream_column_and_reason(parcels):
    parcels.put("aaaa1", 0, "1.5")
    parcels.put("aaaa2", 1, "2.5")
    done = parcels.run("list")
    assert done.stdout == (
        "shop-parcels.weight: 2 does not fit integer exactly; last on 2026-01-02 03:00\n"
    )
    (group,) = json.loads(parcels.run("list", "--json").stdout)
    assert (group["stream"], group["column"], group["values"]) == ("shop-parcels", "weight", 2)


def test_nothing_in_quarantine_or_no_warehouse_at_all_is_no_error(parcels, make_project):
    for project in (parcels.project, make_project()):
        done = project.run("quarantine", "list")
        assert (done.returncode, done.stdout) == (0, "nothing is in quarantine\n")


def test_show_names_key_and_original(parcels):
    parcels.put("aaaa1", 0, 'a "quoted" text', reason="does not fit")
    done = parcels.run("show", "--stream", "parcels")
    shown = 'aaaa1  shop-parcels.weight  {"id": 0}: "a \\"quoted\\" text" does not fit'
    assert done.stdout == f"{shown}\n"
    (entry,) = json.loads(parcels.run("show", "aaaa", "--json").stdout)
    assert entry["value"] == 'a "quoted" text'


@pytest.mark.parametrize(("beginning", "found"), [("aa", 2), ("aaaa", 2), ("bbbb", 0)])
def test_an_identity_must_name_one_value(parcels, beginning, found):
    parcels.put("aaaa1", 0, "1.5")
    parcels.put("aaaa2", 1, "1.5")
    done = parcels.run("show", beginning)
    assert done.returncode == 1
    assert f"'{beginning}' is the beginning of {found} identities" in done.stderr


def test_replay_after_the_column_was_widened_loads_exactly_those_rows(parcels):
    """R-3.4.2: what was set aside is replayed after a fix."""
    parcels.put("aaaa1", 0, "1.5")
    parcels.put("aaaa2", 2, "2.75")
    parcels.project.run_sql("alter table raw_shop.parcels alter weight type decimal(12, 2)")
    done = parcels.run("replay")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("shop-parcels: 2 loaded\n")
    assert [(key, weight and str(weight)) for key, weight in parcels.weights] == [
        (0, "1.50"), (1, None), (2, "2.75"),
    ]  # fmt: skip
    assert parcels.left == []
    touched = "select id from raw_shop.parcels where _sdc_received_at > now() - interval 1 hour"
    assert parcels.ask(f"{touched} order by id") == [(0,), (2,)]
    told = "select rows_updated from ops.loads where run_id like 'replay-%'"
    assert parcels.ask(told) == [(2,)]


def test_what_a_load_set_aside_is_replayed(project):
    """The target's own rows and entries, in one commit."""
    integer, stream = {"type": ["integer", "null"]}, "shop-parcels"
    schema = {"properties": {"id": integer, "weight": integer}}
    messages = [
        {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]},
        {"type": "RECORD", "stream": stream, "record": {"id": 1, "weight": "heavy"}},
        {"type": "STATE", "value": {"bookmarks": {stream: {"at": 1}}}},
    ]
    config = {"warehouse": str(project.settings.warehouse), "quarantine_limit": 1}
    text = "".join(json.dumps(message) + "\n" for message in messages)
    TargetDuckDB(config=config).listen(io.StringIO(text))
    project.run_sql("alter table shop.parcels alter weight type varchar")
    assert project.run("quarantine", "replay").stdout.startswith("shop-parcels: 1 loaded")
    with project.warehouse() as connection:
        rows = connection.execute("select id, weight from shop.parcels").fetchall()
    assert rows == [(1, "heavy")]


def test_a_value_that_still_does_not_fit_stays(parcels):
    parcels.put("aaaa1", 0, "1.5")
    done = parcels.run("replay", "--json")
    (value,) = json.loads(done.stdout)["values"]
    assert value == {"id": "aaaa1", "outcome": "stays", "why": "does not fit integer exactly"}
    assert parcels.left == ["aaaa1"]
    assert parcels.ask("select count(*) from ops.loads where run_id like 'replay-%'") == [(0,)]


def test_two_cells_of_a_row_are_both_loaded(parcels):
    parcels.project.run_sql("alter table raw_shop.parcels add column height integer")
    parcels.put("aaaa1", 0, "7")
    parcels.put("aaaa2", 0, "8", column="height")
    assert parcels.run("replay").stdout.startswith("shop-parcels: 2 loaded")
    assert parcels.ask("select weight, height from raw_shop.parcels where id = 0") == [(7, 8)]


@pytest.mark.parametrize("chosen", [[], ["aaaa1"], ["aaaa2"]])
def test_of_two_values_of_a_cell_none_is_loaded(parcels, chosen):
    """The second came without another change of its row, or the first came back: who knows."""
    parcels.put("aaaa1", 0, "7", at="2026-01-02 03:00:00+00")
    parcels.put("aaaa2", 0, "8", at="2026-01-03 03:00:00+00")
    done = parcels.run("replay", *chosen)
    assert "stays: its source may hold another by now: refresh parcels" in done.stdout
    assert parcels.weights[0] == (0, None)
    assert parcels.left == ["aaaa1", "aaaa2"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("update raw_shop.parcels set weight = 5 where id = 0", "its cell has a value"),
        ("delete from raw_shop.parcels where id = 0", "its row is no more"),
        ("alter table raw_shop.parcels drop weight", "its column is no more"),
    ],
)
def test_a_value_that_came_to_nothing_is_outdated(parcels, change, why):
    parcels.put("aaaa1", 0, "7")
    parcels.project.run_sql(change)
    (value,) = json.loads(parcels.run("replay", "--json").stdout)["values"]
    assert value == {"id": "aaaa1", "outcome": "outdated", "why": why}
    assert parcels.left == []


def test_a_row_that_was_loaded_again_since_is_left_alone(parcels):
    """The source may hold nothing there by now."""
    parcels.put("aaaa1", 0, "7")
    parcels.project.run_sql(
        "update raw_shop.parcels set _sdc_batched_at = timestamptz '2026-01-05 00:00:00+00'"
    )
    done = parcels.run("replay")
    assert "1 stays: its source may hold another by now: refresh parcels" in done.stdout
    assert parcels.weights[0] == (0, None)


@pytest.mark.parametrize(
    ("key", "column", "reason", "why"),
    [
        (None, "weight", "does not fit integer exactly", "its stream has no key"),
        (None, None, "the key is NULL or does not fit its column", "a whole row"),
        (0, "weight", "does not fit text exactly; of its 9 bytes the first 3 are kept here",
         "what is kept of a text may be a part"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_from_quarantine_says_so(parcels, key, column, reason, why):
    parcels.put("aaaa1", key, "7", column=column, reason=reason)
    (value,) = json.loads(parcels.run("replay", "--json").stdout)["values"]
    assert value["outcome"] == "stays"
    assert value["why"].startswith(why)
    assert parcels.left == ["aaaa1"]


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        ("bigint", "9223372036854775807", "9223372036854775807"),
        ("decimal(38, 10)", "-1234567890123456789012345678.0123456789",
         "-1234567890123456789012345678.0123456789"),
        ("double", "1e308", "1e+308"),
        ("timestamptz", "2024-02-29 12:00:00.123456+02", "2024-02-29 10:00:00.123456+00"),
        ("date", "0044-03-15 BC", "0044-03-15 (BC)"),
        ("varchar", "naïve ☃ 'x' 😀", "naïve ☃ 'x' 😀"),
        ("blob", "AP8=", "\\x00\\xFF"),
        ("json", '{"a": [1, null]}', '{"a": [1, null]}'),
        ("boolean", "true", "true"),
    ],
)  # fmt: skip
def test_a_replayed_value_is_exact(loaded, kind, value, held):
    parcels = Quarantine(loaded, kind)
    parcels.put("aaaa1", 0, value)
    done = parcels.run("replay")
    assert done.stdout.startswith("shop-parcels: 1 loaded"), done.stdout + done.stderr
    with duckdb.connect(loaded.settings.warehouse, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        [(found,)] = connection.execute(
            "select weight::varchar from raw_shop.parcels where id = 0"
        ).fetchall()
    assert found == held


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_a_dry_run_changes_nothing(parcels, command):
    parcels.put("aaaa1", 0, "7")
    done = parcels.run(command, "--stream", "parcels", "--dry-run")
    assert "1 would be" in done.stdout
    assert parcels.weights[0] == (0, None)
    assert parcels.ask("select value from ops.quarantine") == [("7",)]


def test_discard_deletes_the_original_and_remembers_the_cell(parcels):
    """Else the proof would find the row different from its source for ever."""
    parcels.put("aaaa1", 0, "secret")
    parcels.put("aaaa2", 1, "8")
    done = parcels.run("discard", "aaaa1")
    assert done.returncode == 0
    assert parcels.ask("select quarantine_id, value from ops.quarantine order by 1") == [
        ("aaaa1", None), ("aaaa2", "8"),
    ]  # fmt: skip
    assert "secret" not in parcels.run("show").stdout
    assert "2 does not fit integer exactly, 1 of them discarded" in parcels.run("list").stdout


def test_discard_by_age_is_how_long_originals_are_kept(parcels):
    parcels.put("aaaa1", 0, "7")
    assert "0 discarded" in parcels.run("discard", "--older-than", "100000").stdout
    assert parcels.run("discard", "--older-than", "90").returncode == 0
    assert parcels.ask("select value from ops.quarantine") == [(None,)]


def test_discard_of_everything_must_be_said(parcels):
    done = parcels.run("discard")
    assert done.returncode == 2
    assert "say which: IDS, --stream, --column or --older-than" in done.stderr
