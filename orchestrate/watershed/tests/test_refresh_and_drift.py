"""One source through Meltano: a stream is read again; what its schema changed is said."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from watershed.exceptions import WatershedError
from watershed.refresh import _Found, _set_back

pytestmark = pytest.mark.trust

REPOSITORY = Path(__file__).parents[3]
PROJECT = """
project_id: refresh-test
default_environment: dev
send_anonymous_usage_stats: false
cli: {disable_version_check: true}
environments: [{name: dev}]
state_backend: {uri: 'duckdb://${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb'}
include_paths: [extract/*.meltano.yml, load/*.meltano.yml]
"""
EXTRACTORS = """
plugins:
  extractors:
  - name: tap-postgres--shop
    inherit_from: tap-postgres
    load_schema: raw_shop
    config:
      host: $SHOP_HOST
      port: $SHOP_PORT
      database: $SHOP_DATABASE
      user: $SHOP_USER
      password: $SHOP_PASSWORD
      sslrootcert: $SHOP_CA
    select: ['*.*', '!public-orders.secret']
    metadata:
      public-orders: {replication-method: INCREMENTAL, replication-key: updated_at}
      public-parcels: {replication-method: INCREMENTAL, replication-key: updated_at}
      public-countries: {replication-method: FULL_TABLE}
"""
TABLES = """
create table orders (
    id int primary key, note text, secret text, updated_at timestamptz not null
);
insert into orders
select n, 'right', 'secret', timestamptz '2024-01-01 00:00+00' + n * interval '1 day'
from generate_series(1, 20) as n;
create table parcels as select id, note, updated_at from orders;
alter table parcels add primary key (id);
create table countries (code text primary key, note text);
insert into countries values ('de', 'right');
"""
STREAMS = ("countries", "orders", "parcels")


class Shop:
    """A source that `watershed load` has loaded."""

    def __init__(self, folder, database):
        self.folder = folder
        self.environment = {
            **os.environ,
            "XDG_STATE_HOME": str(folder / "output"),
            "WATERSHED_WAREHOUSE": str(folder / "output" / "warehouse.duckdb"),
            "SHOP_HOST": database.host,
            "SHOP_PORT": str(database.port),
            "SHOP_DATABASE": database.dbname,
            "SHOP_USER": database.user,
            "SHOP_PASSWORD": database.password,
            "SHOP_CA": str(database.ca_file),
        }
        for part in ("extract", "load", "output"):
            (folder / part).mkdir()
        shutil.copy(REPOSITORY / "extract" / "tap-postgres.meltano.yml", folder / "extract")
        shutil.copy(REPOSITORY / "load" / "loaders.meltano.yml", folder / "load")
        (folder / "meltano.yml").write_text(PROJECT)
        (folder / "extract" / "extractors.meltano.yml").write_text(EXTRACTORS)
        (folder / ".venv").symlink_to(sys.prefix)

    def watershed(self, *arguments):
        return subprocess.run(
            [Path(sys.executable).with_name("watershed"), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def sql(self, statement):
        with duckdb.connect(self.folder / "output" / "warehouse.duckdb") as connection:
            return connection.execute(statement).fetchall()

    @property
    def wrong(self):
        """How many rows of each table are not as the source has them."""
        counts = [
            f"select count(*) filter (note <> 'right') as n from raw_shop.{table}"
            for table in STREAMS
        ]
        return dict(zip(STREAMS, (n for (n,) in self.sql(" union all ".join(counts))), strict=True))

    @property
    def bookmarks(self):
        return dict(self.sql("select stream, bookmark from ops.bookmarks"))


@pytest.fixture
def shop(postgres_database, tmp_path):
    """A source that was loaded, and whose rows are then all wrong in the warehouse."""
    with postgres_database.connect(autocommit=True) as connection:
        connection.execute(TABLES)
    shop = Shop(tmp_path, postgres_database)
    done = shop.watershed("load", "shop")
    assert done.returncode == 0, done.stderr
    for table in STREAMS:
        shop.sql(f"update raw_shop.{table} set note = 'wrong'")
    return shop


def test_one_stream_is_read_again_and_no_other(shop):
    before = shop.bookmarks
    part = shop.watershed("refresh", "orders", "--from", "2024-01-16", "--json")
    assert part.returncode == 0, part.stderr
    assert json.loads(part.stdout)["updated"] == 6
    assert shop.wrong == {"countries": 1, "orders": 14, "parcels": 20}
    assert shop.bookmarks == before

    asked = shop.watershed("refresh", "orders", "--dry-run")
    assert asked.stdout == "public-orders of shop would be read again, whole\n"
    assert shop.wrong["orders"] == 14
    whole = shop.watershed("refresh", "orders")
    assert whole.returncode == 0, whole.stderr
    assert "read again, whole: 0 inserted, 14 updated, 0 deleted" in whole.stdout
    assert shop.wrong == {"countries": 1, "orders": 0, "parcels": 20}
    assert shop.bookmarks == before
    columns = shop.sql("select column_name from duckdb_columns() where table_name = 'orders'")
    assert ("secret",) not in columns  # what is not selected stays so

    shop.environment["SHOP_USER"] = "nobody"
    refused = shop.watershed("refresh", "public-countries", "--json")
    assert refused.returncode == 1
    assert "nobody" in json.loads(refused.stdout)["cause"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nothing"], "stream 'nothing' was never loaded: known are public-countries, "),
        (["orders", "--from", "soon"], "--from 'soon' is no value of updated_at"),
        (["orders", "--from", "2025-01-01"], "rows between them would be left out"),
        (["countries", "--from", "2024-01-01"], "is read whole each time"),
    ],
)
def test_what_cannot_be_read_again_is_one_line(project, arguments, line):
    (project.root / "extract").mkdir()
    (project.root / "extract" / "extractors.meltano.yml").write_text(EXTRACTORS)
    project.load()
    pipeline = "dev:tap-postgres--shop-to-target-duckdb"
    key = {"replication_key": "updated_at", "replication_key_value": "2024-01-20T00:00:00+00:00"}
    with project.warehouse() as connection:
        connection.execute("delete from ops.bookmarks")
        for stream, bookmark in (("public-orders", key), ("public-countries", {"version": 1})):
            connection.execute(
                "insert into ops.bookmarks values (?, ?, ?, 'run', now())",
                [pipeline, stream, json.dumps(bookmark)],
            )
    done = project.run("refresh", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("before", "since", "after"),
    [
        (20, "3", 3),
        (2.5, "1", "1"),
        ("b", "a", "a"),
        ("2024-01-20T00:00:00+00:00", "2024-01-19T23:00:00-01:00", "2024-01-19T23:00:00-01:00"),
    ],
)
def test_a_bookmark_goes_back_to_a_value_of_its_kind(before, since, after):
    found = _Found("p", "s", {"replication_key": "k", "replication_key_value": before}, "shop")
    assert _set_back(found, since)["replication_key_value"] == after


def test_read_whole_means_from_the_first_row_on(project):
    """Of a pass that was interrupted too; what a tap knows of the documents' fields it keeps."""
    bookmark = {
        "replication_key": "k", "replication_key_value": 3, "full_pass": {"after": ["7"]},
        "version": 9, "fields": {"a": "string"},
    }  # fmt: skip
    found = _Found("p", "s", bookmark, project)
    assert _set_back(found, None) == {"version": 9, "fields": {"a": "string"}}


@pytest.mark.parametrize(("before", "since"), [(20, "21"), (20, "x"), ("a", "b")])
def test_a_bookmark_never_goes_forward(before, since):
    found = _Found("p", "s", {"replication_key": "k", "replication_key_value": before}, "shop")
    with pytest.raises(WatershedError):
        _set_back(found, since)


MANIFEST = {
    "nodes": {
        "model.watershed.stg_shop__orders": {
            "resource_type": "model",
            "columns": {"note": {"meta": {"origin": "shop.orders.note"}}},
        },
        "model.watershed.fct_orders": {
            "resource_type": "model",
            "columns": {"remark": {"meta": {"origin": ["shop.orders.note", "shop.orders.id"]}}},
        },
    },
    "exposures": {
        "exposure.watershed.revenue": {
            "name": "revenue",
            "depends_on": {"nodes": ["model.watershed.fct_orders"]},
        }
    },
}
REACHED = "reaches fct_orders, stg_shop__orders, exposure revenue"
CHANGES = """
alter table orders drop column note;
alter table orders add column colour text;
alter table parcels alter column note type int using 1;
alter table parcels alter column id type bigint;
create table refunds (id int primary key);
drop table countries;
"""


def test_drift_names_each_change_and_what_it_reaches(shop, postgres_database):
    folder = shop.folder / "output" / "last_build"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    assert shop.watershed("drift").stdout == "no source changed its schema\n"
    with postgres_database.connect(autocommit=True) as connection:
        connection.execute(CHANGES)
    found = shop.watershed("drift")
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [
        "public-countries: gone: its rows stay as they were loaded last",
        "public-orders.colour: new: the next load adds it; no model reads it yet",
        "public-orders.note: gone: it stays, and is NULL in rows that come from now on; " + REACHED,
        "public-parcels.id: wider: integer becomes bigint",
        "public-refunds: new: the next load brings it",
    ]
    extractors = shop.folder / "extract" / "extractors.meltano.yml"
    frozen = "inherit_from: tap-postgres\n    annotations: {watershed: {schema_policy: freeze}}"
    extractors.write_text(EXTRACTORS.replace("inherit_from: tap-postgres", frozen))
    refused = shop.watershed("drift", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["frozen"] == ["shop"]
    extractors.write_text(
        EXTRACTORS.replace("inherit_from: tap-postgres", frozen.replace("e}", "}"))
    )
    assert "write evolve or freeze" in shop.watershed("drift").stderr
    extractors.write_text(EXTRACTORS)
    shop.environment["SHOP_USER"] = "nobody"
    unasked = shop.watershed("drift")
    assert unasked.returncode == 1
    assert unasked.stdout.startswith("shop: cannot be asked: PostgreSQL database ")
    assert "nobody" in unasked.stdout


def test_drift_of_a_source_that_is_not_declared_is_one_line(shop):
    done = shop.watershed("drift", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "source 'nowhere' is not declared" in done.stderr
