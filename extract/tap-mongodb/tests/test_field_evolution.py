"""Fields whose values agree have a type: what becomes of those that agree no longer."""

import datetime as dt
import json
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from pymongo.monitoring import CommandListener, CommandStartedEvent

from watershed_tap.testing import Output, Runner
from watershed_tap_mongodb.settings import Settings
from watershed_tap_mongodb.testing import told_by_bson, told_by_json

pytestmark = pytest.mark.extract

JSON = {"type": ["string", "null"], "contentMediaType": "application/json"}
DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
METHODS = {
    "full": {},
    "incremental": {"replication-method": "INCREMENTAL", "replication-key": "at"},
}


@pytest.fixture
def stream(db) -> str:
    return f"{db.name}-things"


@pytest.fixture
def catalog(tap: Runner, db) -> Any:
    def of(method: str = "full") -> dict[str, Any]:
        return tap.catalog(**{f"{db.name}_things": METHODS[method]})

    return of


class Commands(CommandListener):
    """Keeps what the source was asked for."""

    def __init__(self) -> None:
        self.finds: list[Any] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.finds.append(event.command)

    def succeeded(self, event: object) -> None:
        pass

    def failed(self, event: object) -> None:
        pass


def schemas(output: Output) -> list[dict[str, Any]]:
    return [message["schema"]["properties"] for message in output.of("SCHEMA")]


def last_records(output: Output, stream: str) -> dict[str, Any]:
    """What a target has in the end: of each key the record that was sent last."""
    return {record["_id"]: record for record in output.records(stream)}


def test_fields_have_the_types_that_all_documents_agree_on(
    tap: Runner, db, stream: str, catalog
) -> None:
    db.things.insert_many(
        [
            {"i": 1, "w": 1, "d": 1.5, "m": Decimal128("1.5"), "x": 1, "n": None, "o": {}},
            {"i": 2, "w": Int64(2), "d": 2.0, "m": Decimal128("22.75"), "x": "1", "l": []},
        ]
    )
    [entry] = catalog()["streams"]
    types = {
        entry["breadcrumb"][-1]: entry["metadata"]["sql-datatype"]
        for entry in entry["metadata"][3:]
    }
    assert types == {
        "i": "int",
        "w": "long",
        "d": "double",
        "m": "decimal(4,2)",
        "x": "json",
        "n": "json",
        "o": "json",
        "l": "json",
    }
    schema = tap.sync(catalog={"streams": [entry]}).schema(stream)
    assert schema["m"]["format"] == "singer.decimal"
    assert (schema["m"]["precision"], schema["m"]["scale"]) == (4, 2)
    assert schema["x"] == JSON


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("index", ["indexed", "not indexed"])
def test_a_field_that_stops_being_homogeneous_becomes_json_in_all_rows(  # noqa: PLR0913, PLR0917
    tap: Runner, db, stream: str, catalog, method: str, index: str
) -> None:
    if index == "indexed":
        db.things.create_index("at")
    values: list[Any] = [1, 2, None, 4]
    db.things.insert_many([{"_id": n, "at": START + n * DAY, "x": x} for n, x in enumerate(values)])
    given = catalog(method)
    first = tap.sync(catalog=given)
    assert schemas(first)[0]["x"]["type"] == ["integer", "null"]

    more: list[Any] = ["five", 6.0]
    db.things.insert_many(
        [{"_id": n, "at": START + n * DAY, "x": x} for n, x in enumerate(more, len(values))]
    )
    second = tap.sync(catalog=given, state=first.state)
    assert [schema["x"] for schema in schemas(second)][-1] == JSON
    assert second.stderr.count("field x was always int and is no longer") == 1
    rows = last_records(second, stream)
    assert {key: told_by_json(row["x"]) for key, row in rows.items()} == {
        str(n): told_by_bson(x) for n, x in enumerate(values + more)
    }

    third = tap.sync(catalog=given, state=second.state)
    assert [schema["x"] for schema in schemas(third)] == [JSON], "it is remembered"
    assert "is no longer" not in third.stderr
    expected = 6 if method == "full" else 1
    assert len(third.records(stream)) == expected, "and all is not read again"


def test_a_run_killed_before_all_rows_have_the_new_form_is_made_good(
    tap: Runner, db, stream: str, catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watershed_tap.record_stream.ROWS_PER_STATE", 2)
    db.things.create_index("at")
    values: list[Any] = [1, 2, 3, 4, "five", 6, 7, 8]
    documents = [{"_id": n, "at": START + n * DAY, "x": x} for n, x in enumerate(values)]
    db.things.insert_many(documents[:4])
    given = catalog("incremental")
    first = tap.sync(catalog=given)
    db.things.insert_many(documents[4:])
    second = tap.sync(catalog=given, state=first.state)
    held = last_records(first, stream)
    was_broken = False
    for message in second.messages:
        if message["type"] == "RECORD":
            held[message["record"]["_id"]] = message["record"]
            was_broken = was_broken or message["record"]["_id"] == "4"
        elif message["type"] == "STATE" and was_broken:
            rest = tap.sync(catalog=given, state=message["value"])
            rows = held | last_records(rest, stream)
            assert {key: told_by_json(row["x"]) for key, row in rows.items()} == {
                str(n): told_by_bson(x) for n, x in enumerate(values)
            }
    assert was_broken


def test_what_a_catalog_written_anew_says_differently_is_read_anew(
    tap: Runner, db, stream: str, catalog
) -> None:
    db.things.insert_one({"_id": 1, "at": START, "x": 1})
    first = tap.sync(catalog=catalog("incremental"))
    db.things.insert_one({"_id": 2, "at": START + 9 * DAY, "x": "two"})
    second = tap.sync(catalog=catalog("incremental"), state=first.state)
    rows = last_records(second, stream)
    assert [rows[key]["x"] for key in ("1", "2")] == ['{"$numberInt":"1"}', '"two"']
    db.things.delete_one({"_id": 2})
    third = tap.sync(catalog=catalog("incremental"), state=second.state)
    assert third.schema(stream)["x"] == JSON, "a column never goes back"


def test_numbers_grow_without_becoming_json(tap: Runner, db, stream: str, catalog) -> None:
    db.things.insert_one({"_id": 1, "at": START, "w": 1, "m": Decimal128("1.5")})
    given = catalog("incremental")
    first = tap.sync(catalog=given)
    db.things.insert_one({"_id": 2, "at": START, "w": Int64(2**40), "m": Decimal128("123.75")})
    second = tap.sync(catalog=given, state=first.state)
    assert second.schema(stream)["w"]["maximum"] == 2**31 - 1
    last = schemas(second)[-1]
    assert last["w"]["maximum"] == 2**63 - 1
    assert (last["m"]["precision"], last["m"]["scale"]) == (5, 2)
    assert len(second.records(stream)) == 2, "nothing is read twice"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-0", "1E+38", "1E-39"])
def test_a_decimal_that_no_column_holds_makes_it_json(
    tap: Runner, db, stream: str, catalog, value: str
) -> None:
    db.things.insert_one({"_id": 1, "m": Decimal128("1.5")})
    given = catalog()
    db.things.insert_one({"_id": 2, "m": Decimal128(value)})
    output = tap.sync(catalog=given)
    rows = last_records(output, stream)
    assert told_by_json(rows["1"]["m"]) == told_by_bson(Decimal128("1.5"))
    assert told_by_json(rows["2"]["m"]) == told_by_bson(Decimal128(value))


def test_a_new_field_becomes_a_column_as_soon_as_it_is_met(tap: Runner, db, catalog) -> None:
    db.things.insert_one({"_id": 1, "at": START})
    given = catalog("incremental")
    db.things.insert_one({"_id": 2, "at": START + DAY, "later": ObjectId(), "never": None})
    first = tap.sync(catalog=given)
    assert "later" not in schemas(first)[0]
    assert schemas(first)[-1]["later"] == {"type": ["string", "null"]}
    assert "never" not in schemas(first)[-1]
    assert "new field later: objectId" in first.stderr
    second = tap.sync(catalog=given, state=first.state)
    assert "later" in schemas(second)[0]
    assert "new field" not in second.stderr


def test_a_new_field_is_not_sent_where_only_some_are_selected(
    tap: Runner, db, stream: str, catalog
) -> None:
    db.things.insert_one({"_id": 1, "name": "Ann", "card": "4711"})
    given = catalog()
    for entry in given["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "card"]:
            entry["metadata"]["selected"] = False
    db.things.insert_one({"_id": 2, "name": "Bo", "card": "4712", "secret": "x"})
    records = tap.sync(catalog=given).records(stream)
    assert [set(record) for record in records] == [{"_id", "_id_type", "name"}] * 2


@pytest.mark.parametrize(
    ("patterns", "columns"),
    [
        (["*.*"], {"name", "card", "secret"}),
        (["*.*", "!*.card"], {"name", "secret"}),
        (["*.name"], {"name"}),
        (["*.*", "!*.secret"], {"name", "card"}),
    ],
)
def test_meltanos_selection_holds_for_new_fields_too(  # noqa: PLR0913, PLR0917  # fixtures
    tap: Runner, db, stream: str, catalog, patterns, columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.things.insert_one({"_id": 1, "name": "Ann", "card": "4711"})
    given = catalog()
    for entry in given["streams"][0]["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = entry["breadcrumb"][-1] in columns
    db.things.insert_one({"_id": 2, "name": "Bo", "card": "4712", "secret": "x"})
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(patterns))
    assert set(tap.sync(catalog=given).records(stream)[-1]) == {"_id", "_id_type", *columns}


def test_a_field_that_is_not_selected_never_leaves_the_source(
    tap: Runner, db, catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.things.insert_one({"_id": 1, "name": "Ann", "card": "4711"})
    given = catalog()
    for entry in given["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "card"]:
            entry["metadata"]["selected"] = False
    commands = Commands()
    options = Settings.client_options
    monkeypatch.setattr(
        Settings, "client_options", lambda s: options(s) | {"event_listeners": [commands]}
    )
    tap.sync(catalog=given)
    assert [command["projection"] for command in commands.finds] == [{"card": 0}]


def test_a_type_can_be_fixed_in_the_catalog(tap: Runner, db, stream: str, catalog) -> None:
    db.things.insert_one({"_id": 1, "x": 1})
    given = catalog()
    properties = given["streams"][0]["schema"]["properties"]
    properties["x"] = {"x-sql-datatype": "json"}
    properties["absent"] = {"x-sql-datatype": "date"}
    output = tap.sync(catalog=given)
    assert output.schema(stream)["absent"]["format"] == "date-time"
    assert [record["x"] for record in output.records(stream)] == ['{"$numberInt":"1"}']


def test_a_type_that_there_is_not_is_said(tap: Runner, db, catalog) -> None:
    db.things.insert_one({"_id": 1, "x": 1})
    given = catalog()
    given["streams"][0]["schema"]["properties"]["x"] = {"x-sql-datatype": "varchar"}
    error = tap(catalog=given).error
    assert "the catalog gives field x the x-sql-datatype 'varchar'" in error
    assert "one of int, long, double, string" in error


class TestNames:
    """Every name that a field can have."""

    def others(self, output: Output, stream: str) -> list[Any]:
        return [
            None if text is None else told_by_json(text)
            for text in (record.get("_other_fields") for record in output.records(stream))
        ]

    def test_dots_dollars_and_quotes_are_columns(self, tap: Runner, db, stream: str) -> None:
        document = {"_id": 1, "a.b": 1, "$c": 2, 'say "no"': 3, "umläut": 4, " ": 5}
        db.things.insert_one(document)
        [record] = tap.sync().records(stream)
        assert record == document | {"_id": "1", "_id_type": "int"}

    def test_names_that_differ_in_case_only_share_one_column_with_what_has_none(
        self, tap: Runner, db, stream: str
    ) -> None:
        db.things.insert_many(
            [{"Email": "A", "email": "a", "EMAIL": None}, {"Email": "B"}, {"email": "c"}]
        )
        output = tap.sync()
        assert [record.get("email") for record in output.records(stream)] == ["a", None, "c"]
        assert self.others(output, stream) == [
            told_by_bson({"Email": "A", "EMAIL": None}),
            told_by_bson({"Email": "B"}),
            None,
        ]

    def test_whoever_came_first_keeps_its_column(
        self, tap: Runner, db, stream: str, catalog
    ) -> None:
        db.things.insert_one({"Email": "A"})
        given = catalog()
        db.things.insert_one({"email": "a"})
        output = tap.sync(catalog=given)
        assert [record.get("Email") for record in output.records(stream)] == ["A", None]
        assert self.others(output, stream) == [None, told_by_bson({"email": "a"})]

    def test_names_of_our_own_or_of_none_are_no_columns(
        self, tap: Runner, db, stream: str, catalog
    ) -> None:
        odd = {
            "": 1,
            "_id_type": "x",
            "_ID": 2,
            "_other_fields": {"a": 1},
            "_sdc_deleted_at": "2026-01-01",
            "x" * 200: True,
        }
        db.things.insert_one({"_id": 1} | odd)
        output = tap.sync()
        assert self.others(output, stream) == [told_by_bson(odd)]
        assert set(output.schema(stream)) == {"_id", "_id_type", "_other_fields"}
        again = tap.sync(catalog=catalog(), state=output.state)
        assert again.records(stream) == output.records(stream)

    def test_more_fields_than_a_table_can_have_columns(self, tap: Runner, db, stream: str) -> None:
        document = {f"f{number}": number for number in range(1_200)}
        db.things.insert_one({"_id": 1} | document)
        output = tap.sync()
        [record] = output.records(stream)
        assert len(output.schema(stream)) <= 1_003
        [(_, rest)] = self.others(output, stream)
        columns = {name: value for name, value in record.items() if name.startswith("f")}
        assert columns | {name: value for name, (_, value) in rest} == document
