"""What is found, under which names, and what of it is selected at the source."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py

ODD_NAMES = [
    "Capitals",
    "with space",
    "with `backticks`",
    "with 'quotes\"",
    "with.dot",
    "order",
    "umläut",
    "percent %s",
    "brace {0}",
    "back\\slash",
    "x" * 64,
]


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def test_finds_every_kind_of_table_and_its_key(tap: Runner, execute: Execute) -> None:
    execute(
        "create table keyed (b int, a int, c int, primary key (a, b))",
        "create table uniquely (id int not null, c int, d int not null, e int not null,"
        " unique (c), unique (d, e), unique (id))",
        "create table by_prefix (c varchar(90) not null, unique (c(10)))",
        "create table keyless (c int)",
        "create table parted (id int primary key) partition by hash (id) partitions 2",
        "create table versioned (id int primary key) with system versioning",
        "create table of_aria (id int primary key) engine = aria",
        "create view seen as select a, c from keyed",
        "create sequence counter",
    )
    streams = tap.discover()
    found = {stream["table_name"]: stream["key_properties"] for stream in streams.values()}
    assert found == {
        "keyed": ["a", "b"],
        "uniquely": ["id"],
        "by_prefix": [],
        "keyless": [],
        "parted": ["id"],
        "versioned": ["id"],
        "of_aria": ["id"],
        "seen": [],
    }
    assert [s["table_name"] for s in streams.values() if s["is_view"]] == ["seen"]
    [root, *_] = streams[tap.stream("keyed")]["metadata"]
    assert root["metadata"]["valid-replication-keys"] == ["b", "a", "c"]


def test_streams_and_keys_are_told_apart_by_the_case_of_their_names(
    tap: Runner, execute: Execute
) -> None:
    execute("create table Orders (id int primary key)", "create table orders (n int)")
    streams = tap.discover()
    assert streams[tap.stream("Orders")]["key_properties"] == ["id"]
    assert streams[tap.stream("orders")]["key_properties"] == []


def test_keeps_to_the_databases_asked_for(
    tap: Runner, execute: Execute, other_database: str
) -> None:
    execute("create table t (i int)", f"create table `{other_database}`.t (i int)")
    assert set(tap.discover()) == {tap.stream("t")}
    both = {"filter_databases": [tap.database.dbname, other_database]}
    assert set(tap.discover(settings=both)) == {tap.stream("t"), f"{other_database}-t"}
    other = {"filter_databases": [other_database]}
    assert set(tap.discover(settings=other)) == {f"{other_database}-t"}


def test_two_tables_would_be_one_stream(tap: Runner, execute: Execute, other_database: str) -> None:
    # other_database is called <database>-b
    execute("create table `b-t` (i int)", f"create table `{other_database}`.t (i int)")
    settings = {"filter_databases": [tap.database.dbname, other_database]}
    error = tap("--discover", settings=settings).error
    assert f"would both be stream {tap.stream('b-t')}: name in filter_databases only" in error


@pytest.fixture
def reader(tap: Runner, execute: Execute) -> Any:
    """A user who may read nothing yet; settings to use it."""
    name = f"r_{tap.database.dbname[-12:]}"
    execute(f"create user {name}@'127.0.0.1' identified by '{tap.database.password}' require ssl")
    yield {"user": name}
    execute(f"drop user {name}@'127.0.0.1'")


def test_finds_only_what_the_user_may_read(tap: Runner, execute: Execute, reader: Any) -> None:
    execute(
        "create table open (id int primary key)",
        "create table partly (a int, z int, secret text, name text, primary key (a, z))",
        "create table closed (id int)",
        f"grant select on open to {reader['user']}@'127.0.0.1'",
        f"grant select (a, name) on partly to {reader['user']}@'127.0.0.1'",
        "insert into partly values (1, 2, 'hidden', 'Ann')",
    )
    streams = tap.discover(settings=reader)
    assert set(streams) == {tap.stream("open"), tap.stream("partly")}
    assert streams[tap.stream("open")]["key_properties"] == ["id"]
    partly = streams[tap.stream("partly")]
    assert list(partly["schema"]["properties"]) == ["a", "name"]
    assert partly["key_properties"] == [], "half of a key is none"
    assert tap.sync(settings=reader).records(tap.stream("partly")) == [{"a": 1, "name": "Ann"}]


def test_a_reader_of_the_database_sees_what_is_json(
    tap: Runner, execute: Execute, reader: Any
) -> None:
    execute(
        "create table t (id int primary key, document json)",
        f"grant select on {tap.every_table} to {reader['user']}@'127.0.0.1'",
    )
    [stream] = tap.discover(settings=reader).values()
    assert "contentMediaType" in stream["schema"]["properties"]["document"]
    assert stream["key_properties"] == ["id"]


def test_a_user_who_may_read_nothing_is_told(tap: Runner, reader: Any, execute: Execute) -> None:
    execute("create table t (i int)")
    error = tap(settings=reader).error
    assert f"user '{reader['user']}' may not use this database" in error


def test_a_column_that_is_not_selected_is_never_asked_for(tap: Runner, execute: Execute) -> None:
    execute(
        "create table customers (id int primary key, name text)",
        "insert into customers values (1, 'Ann')",
        "create function card_number() returns text deterministic"
        " begin signal sqlstate '45000' set message_text = 'somebody asked'; return ''; end",
        "create view careful as select id, name, card_number() as card from customers",
    )
    catalog = tap.catalog(careful={})
    assert "somebody asked" in tap(catalog=catalog).error
    [stream] = [s for s in catalog["streams"] if s["table_name"] == "careful"]
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == ["properties", "card"]:
            entry["metadata"]["selected"] = False
    output = tap.sync(catalog=catalog)
    assert output.records(tap.stream("careful")) == [{"id": 1, "name": "Ann"}]


def test_keys_come_whatever_is_selected(tap: Runner, execute: Execute) -> None:
    execute("create table t (id int primary key, name text, updated_at datetime)")
    by_time = {"replication-method": "INCREMENTAL", "replication-key": "updated_at"}
    catalog = tap.catalog(t=by_time)
    [stream] = catalog["streams"]
    for entry in stream["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = False
    assert set(tap.sync(catalog=catalog).schema(tap.stream("t"))) == {"id", "updated_at"}


def test_the_schema_is_that_of_the_table_now(tap: Runner, execute: Execute) -> None:
    execute("create table t (amount decimal(5,2))")
    catalog = tap.catalog(t={})
    execute("alter table t modify amount decimal(20,4), add extra text")
    schema = tap.sync(catalog=catalog).schema(tap.stream("t"))
    assert schema["amount"]["scale"] == 4
    assert set(schema) == {"amount"}, "the catalog does not name the new column"


def test_columns_that_hide_from_a_star_come_too(tap: Runner, execute: Execute) -> None:
    execute(
        "create table t (id int primary key, hidden int invisible, twice int as (id * 2) virtual)",
        "insert into t (id, hidden) values (1, 7)",
    )
    assert tap.sync().records(tap.stream("t")) == [{"id": 1, "hidden": 7, "twice": 2}]


@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
def test_every_name_that_mysql_allows_works(tap: Runner, execute: Execute, method: str) -> None:
    tables = columns = ODD_NAMES
    for table in tables:
        declared = ", ".join(f"{quoted(column)} bigint" for column in columns)
        execute(f"create table {quoted(table)} ({declared}, primary key ({quoted(table)}))")
        values = ", ".join(map(str, range(len(columns))))
        execute(f"insert into {quoted(table)} values ({values})")
    catalog = tap.catalog()
    for stream in catalog["streams"]:
        [root] = [e["metadata"] for e in stream["metadata"] if not e["breadcrumb"]]
        root |= {"selected": True, "replication-method": method}
        root["replication-key"] = stream["table_name"]
    output = tap.sync(catalog=catalog)
    for table in tables:
        expected = {column: number for number, column in enumerate(columns)}
        assert output.records(tap.stream(table)) == [expected]


def test_stream_maps_apply(tap: Runner, execute: Execute) -> None:
    execute("create table t as select 1 as id, 'Ann' as name, 'x' as secret")
    maps = {tap.stream("t"): {"secret": "__NULL__", "upper_name": "name.upper()"}}
    output = tap.sync(settings={"stream_maps": maps})
    assert output.records(tap.stream("t")) == [{"id": 1, "name": "Ann", "upper_name": "ANN"}]
