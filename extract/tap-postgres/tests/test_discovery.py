"""What is found, under which names, and what of it is selected at the source."""

from collections.abc import Callable
from typing import Any

import pytest
from tap_postgres.tap import TapPostgres as MeltanoTapPostgres

from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]

ODD_NAMES = [
    "Capitals",
    "with space",
    'with "quotes"',
    "with.dot",
    "order",
    "umläut",
    "percent %s",
    "brace {0}",
    "x" * 63,
]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_finds_every_kind_of_table_and_its_key(tap: Runner, execute: Execute) -> None:
    execute("""
        create table keyed (b int, a int, c text, primary key (a, b));
        create table uniquely (id int not null unique, c text, unique (c));
        create table keyless (c text);
        create table partitioned (id int primary key, c text) partition by range (id);
        create table part partition of partitioned for values from (0) to (10);
        create view seen as select a, c from keyed;
        create materialized view kept as select a, c from keyed;
    """)
    streams = tap.discover()
    assert {name: stream["key_properties"] for name, stream in streams.items()} == {
        "public-keyed": ["a", "b"],
        "public-uniquely": ["id"],
        "public-keyless": [],
        "public-partitioned": ["id"],
        "public-seen": [],
        "public-kept": [],
    }
    assert [name for name, stream in streams.items() if stream["is_view"]] == [
        "public-kept",
        "public-seen",
    ]
    [root, *_] = streams["public-keyed"]["metadata"]
    assert root["metadata"]["valid-replication-keys"] == ["b", "a"]


def test_streams_and_keys_are_those_of_the_tap_that_meltano_users_know(
    tap: Runner, execute: Execute
) -> None:
    execute("""
        create table keyed (b int, a int, c text, primary key (a, b));
        create table "Odd Name" ("Id" int primary key);
        create table keyless (c text);
        create view seen as select a, c from keyed;
    """)
    theirs = MeltanoTapPostgres(
        config=tap.config
        | {"ssl_enable": True, "ssl_certificate_authority": tap.config["sslrootcert"]}
        | {"filter_schemas": ["public"]},
        setup_mapper=False,
    )
    known = {s["tap_stream_id"]: s["key_properties"] for s in theirs.catalog_dict["streams"]}
    found = {name: stream["key_properties"] for name, stream in tap.discover().items()}
    assert found == known


def test_keeps_to_the_schemas_asked_for(tap: Runner, execute: Execute) -> None:
    execute("create schema wanted; create table wanted.t (i int); create table public.t (i int)")
    assert set(tap.discover()) == {"public-t", "wanted-t"}
    assert set(tap.discover(settings={"filter_schemas": ["wanted"]})) == {"wanted-t"}


def test_finds_only_what_the_role_may_read(tap: Runner, execute: Execute) -> None:
    role = f"reader_of_{tap.database.dbname}"
    execute(f"""
        create role {role} login password '{tap.database.password}';
        create table open (id int primary key, secret text, name text);
        create table closed (id int);
        grant select (id, name) on open to {role};
        insert into open values (1, 'hidden', 'Ann');
    """)
    streams = tap.discover(settings={"user": role})
    assert set(streams) == {"public-open"}
    assert list(streams["public-open"]["schema"]["properties"]) == ["id", "name"]
    assert tap.sync(settings={"user": role}).records("public-open") == [{"id": 1, "name": "Ann"}]


def test_a_column_that_is_not_selected_is_never_asked_for(tap: Runner, execute: Execute) -> None:
    execute("""
        create table customers (id int primary key, name text);
        insert into customers values (1, 'Ann');
        create function card_number() returns text stable language plpgsql
            as $$ begin raise exception 'somebody asked'; end $$;
        create view careful as select id, name, card_number() as card from customers;
    """)
    catalog = tap.catalog(public_careful={})
    assert "somebody asked" in tap(catalog=catalog).error
    [stream] = [s for s in catalog["streams"] if s["tap_stream_id"] == "public-careful"]
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == ["properties", "card"]:
            entry["metadata"]["selected"] = False
    output = tap.sync(catalog=catalog)
    assert output.records("public-careful") == [{"id": 1, "name": "Ann"}]
    assert set(output.schema("public-careful")) == {"id", "name"}


def test_keys_come_whatever_is_selected(tap: Runner, execute: Execute) -> None:
    execute("create table t (id int primary key, name text, updated_at timestamptz)")
    by_time = {"replication-method": "INCREMENTAL", "replication-key": "updated_at"}
    catalog = tap.catalog(public_t=by_time)
    [stream] = catalog["streams"]
    for entry in stream["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = False
    assert set(tap.sync(catalog=catalog).schema("public-t")) == {"id", "updated_at"}


def test_streams_that_are_not_selected_are_left_alone(tap: Runner, execute: Execute) -> None:
    execute("create table a (i int); create table b (i int)")
    catalog = tap.catalog(public_a={})
    execute("drop table b")
    assert [m["stream"] for m in tap.sync(catalog=catalog).of("SCHEMA")] == ["public-a"]


def test_the_schema_is_that_of_the_table_now(tap: Runner, execute: Execute) -> None:
    execute("create table t (amount numeric(5,2))")
    catalog = tap.catalog(public_t={})
    execute("alter table t alter amount type numeric(20,4), add extra text")
    output = tap.sync(catalog=catalog)
    assert output.schema("public-t")["amount"]["scale"] == 4
    assert set(output.schema("public-t")) == {"amount"}, "the catalog does not name the new column"


@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
def test_every_name_that_postgresql_allows_works(
    tap: Runner, execute: Execute, method: str
) -> None:
    for table in ODD_NAMES:
        columns = ", ".join(f"{quoted(column)} bigint" for column in ODD_NAMES)
        execute(f"create table {quoted(table)} ({columns}, primary key ({quoted(table)}))")
        values = ", ".join(map(str, range(len(ODD_NAMES))))
        execute(f"insert into {quoted(table)} values ({values})")
    catalog = tap.catalog()
    for stream in catalog["streams"]:
        [root] = [e["metadata"] for e in stream["metadata"] if not e["breadcrumb"]]
        root |= {"selected": True, "replication-method": method}
        root["replication-key"] = stream["table_name"]
    output = tap.sync(catalog=catalog)
    for table in ODD_NAMES:
        expected = {column: number for number, column in enumerate(ODD_NAMES)}
        assert output.records(f"public-{table}") == [expected]


def test_a_key_can_be_declared_for_a_view(tap: Runner, execute: Execute) -> None:
    execute("create view v as select 1 as id, timestamptz '2026-01-01+00' as updated_at")
    catalog = tap.catalog(
        public_v={
            "table-key-properties": ["id"],
            "replication-method": "INCREMENTAL",
            "replication-key": "updated_at",
        }
    )
    [schema] = tap.sync(catalog=catalog).of("SCHEMA")
    assert schema["key_properties"] == ["id"]
    assert schema["bookmark_properties"] == ["updated_at"]


def test_stream_maps_apply(tap: Runner, execute: Execute) -> None:
    execute("create table t as select 1 as id, 'Ann' as name, 'x' as secret")
    maps = {"public-t": {"secret": "__NULL__", "upper_name": "name.upper()"}}
    output = tap.sync(settings={"stream_maps": maps})
    assert output.records("public-t") == [{"id": 1, "name": "Ann", "upper_name": "ANN"}]
    assert set(output.schema("public-t")) == {"id", "name", "upper_name"}
