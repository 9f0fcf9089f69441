"""A column of Arrow holds what RECORDs tell, for every BSON type: no server, no sampling."""

import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import bson
import duckdb
import pyarrow as pa
import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from hypothesis import given, settings
from hypothesis import strategies as st

from watershed_load_plan.duckdb_types import literal, quoted, to_duckdb
from watershed_load_plan.exact import exact
from watershed_load_plan.types import from_json_schema
from watershed_load_plan.values import converter
from watershed_tap_mongodb.columns import Columns
from watershed_tap_mongodb.fields import Fields
from watershed_tap_mongodb.testing_documents import ANYTHING, DOCUMENTS, LONGS, TYPED
from watershed_tap_mongodb.values import CODEC_OPTIONS, iso_date, number_or_name

pytestmark = pytest.mark.extract

many = settings(max_examples=80, deadline=None)

AWKWARD_NAMES = ["a", "A", "b", "x.y", "$z", "_other_fields", "_id_type", "_sdc_x", "", "n" * 130]
AWKWARD = st.dictionaries(
    st.sampled_from(AWKWARD_NAMES), st.none() | LONGS | ANYTHING | TYPED["date"], max_size=6
)
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999


def decoded(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return bson.decode_all(b"".join(map(bson.encode, documents)), CODEC_OPTIONS)


def numbered(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return decoded([{"_id": n, **document} for n, document in enumerate(documents)])


def as_record(value: Any, type_: pa.DataType) -> Any:
    """What a RECORD tells of a value that Arrow holds, by rules of this test's own."""
    if value is None:
        return None
    if pa.types.is_timestamp(type_):
        return iso_date(DatetimeMS(value))
    if pa.types.is_binary(type_):
        return base64.b64encode(value).decode()
    return repr(number_or_name(value)) if pa.types.is_float64(type_) else value


def rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    moments = {
        field.name: batch.column(field.name).cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
        for field in batch.schema
        if pa.types.is_timestamp(field.type)
    }
    columns = {
        field.name: [
            as_record(value, field.type)
            for value in moments.get(field.name, batch.column(field.name)).to_pylist()
        ]
        for field in batch.schema
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def records(fields: Fields, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def told(record: dict[str, Any], name: str) -> Any:
        value, known = record.get(name), str(fields.columns.get(name)).partition("(")[0]
        compare = {"double": repr, "decimal": Decimal}.get(known)
        return compare(value) if compare and value is not None else value

    made = [fields.record(document) for document in documents]
    return [{name: told(record, name) for name in fields.schema["properties"]} for record in made]


def assert_same(documents: list[dict[str, Any]], parts: int, fields: Fields, bulk: Fields) -> None:
    """Learn from all documents, on one path each; then both write what they have learnt."""
    columns = Columns(bulk)
    records(fields, documents)
    for begin in range(0, len(documents), parts):
        columns.record_batch(documents[begin : begin + parts])
    assert bulk.columns == fields.columns
    batch = columns.record_batch(documents)
    assert batch.schema.names == list(bulk.schema["properties"])
    assert set(batch.schema.names) == set(fields.schema["properties"])
    assert rows(batch) == records(fields, documents)


@many
@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=12), parts=st.integers(1, 12))
def test_every_value_is_the_same_as_in_a_record(
    documents: list[dict[str, Any]], parts: int
) -> None:
    assert_same(numbered(documents), parts, Fields({}), Fields({}))


@many
@given(
    documents=st.lists(AWKWARD, min_size=1, max_size=12),
    parts=st.integers(1, 12),
    ignored=st.sets(st.sampled_from(AWKWARD_NAMES), max_size=2),
    refused=st.sets(st.sampled_from(AWKWARD_NAMES), max_size=2),
)
def test_so_is_what_becomes_of_names_that_are_no_columns(
    documents: list[dict[str, Any]], parts: int, ignored: set[str], refused: set[str]
) -> None:
    fields, bulk = (Fields({}, ignored, lambda name: name not in refused) for _ in range(2))
    assert_same(numbered(documents), parts, fields, bulk)


def test_more_fields_than_a_table_can_have_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watershed_tap_mongodb.fields.MOST_COLUMNS", 5)
    documents = numbered([{f"f{n + k}": n for k in range(4)} for n in range(6)])
    assert_same(documents, 2, Fields({}), Fields({}))


@pytest.mark.parametrize(
    ("known", "value"),
    [
        ("int", 1.5),
        ("int", True),
        ("int", Decimal128("1")),
        ("long", 2.0**53 + 2),
        ("double", 2**31 - 1),
        ("double", Int64(2**53 + 1)),
        ("bool", 1),
        ("date", "2026-01-01"),
        ("string", ObjectId()),
        ("objectId", "6b034be4534271b0d4260c64"),
        ("binData", Binary(b"x", 5)),
        ("uuid", b"x" * 16),
        ("decimal", Decimal128("NaN")),
        ("decimal", Decimal128("-0")),
        ("decimal", Decimal128("1E+6000")),
        ("decimal", 1),
    ],
)
def test_a_value_of_another_type_is_never_made_to_fit(known: str, value: Any) -> None:
    """pymongoarrow makes 1 of 1.5 and of true, and rounds whole numbers to doubles."""
    plain = {
        "int": 7,
        "long": Int64(7),
        "double": 0.5,
        "bool": False,
        "date": DatetimeMS(0),
        "string": "x",
        "objectId": ObjectId(),
        "binData": b"x",
        "uuid": Binary(b"x" * 16, 4),
        "decimal": Decimal128("1.5"),
    }[known]
    documents = numbered([{"x": plain}, {"x": value}, {"x": None}, {}])
    fields = Fields({})
    Columns(fields).record_batch(documents[:1])
    assert str(fields.columns["x"]).partition("(")[0] == known
    fields.take_changes()
    batch = Columns(fields).record_batch(documents)
    [change] = fields.take_changes()
    assert change.is_break
    assert batch.schema.field("x").type == pa.string()
    told = [Fields({"x": change.after}).record(document).get("x") for document in documents]
    assert batch.column("x").to_pylist() == told


def test_a_field_that_is_mixed_from_its_first_batch_on_breaks_nothing() -> None:
    fields = Fields({})
    Columns(fields).record_batch(numbered([{"x": 1}, {"x": "one"}, {"y": Int64(1)}, {"y": 1}]))
    assert not any(change.is_break for change in fields.take_changes())
    assert {name: str(known) for name, known in fields.columns.items()} == {
        "x": "json",
        "y": "long",
    }


def test_dates_beyond_the_year_9999_make_their_column_text_from_then_on() -> None:
    columns = Columns(Fields({}))
    ends = columns.record_batch(numbered([{"at": DatetimeMS(FIRST)}, {"at": DatetimeMS(LAST)}]))
    assert ends.schema.field("at").type == pa.timestamp("us", "UTC")
    assert ends.column("at").cast(pa.int64()).to_pylist() == [FIRST * 1000, LAST * 1000]
    for value in (LAST + 1, FIRST - 1, 2**63 - 1, -(2**63), 0):
        documents = numbered([{"at": DatetimeMS(value)}, {"at": None}])
        batch = columns.record_batch(documents)
        assert batch.column("at").to_pylist() == [iso_date(DatetimeMS(value)), None]


EDGES: dict[str, list[Any]] = {
    "int": [0, -(2**31), 2**31 - 1],
    "long": [Int64(-(2**63)), Int64(2**63 - 1), 7],
    "double": [0.1, -0.0, float("nan"), float("inf"), -float("inf"), 5e-324, 1.7e308, 2.0**53],
    "decimal": [Decimal128(d) for d in ("-999.999", "0.00", "0.001", "1E+3", "123456789012345678")],
    "string": ["", "Größe 🤔", "a\x00b", "\u2028", "null"],
    "objectId": [ObjectId("6b034be4534271b0d4260c64")],
    "bool": [True, False],
    "date": [DatetimeMS(ms) for ms in (0, -1, FIRST, LAST, -14_182_940_000)],
    "late": [DatetimeMS(ms) for ms in (0, LAST + 1, FIRST - 1)],
    "binData": [b"", b"\x00\xff\xfe"],
    "uuid": [Binary(bytes(range(16)), 4)],
    "json": [{"a.b": [1, 2.5, None]}, [], "text", 1, float("nan")],
}
NATIVE = EDGES.keys() - {"late", "uuid", "json"}


def test_a_parquet_file_holds_what_a_target_makes_of_records(tmp_path: Path) -> None:
    documents = numbered(
        [{name: v[n] for name, v in EDGES.items() if n < len(v)} for n in range(8)]
    )
    fields = Fields({})
    batch = Columns(fields).record_batch(documents)
    file = literal(str(tmp_path / "batch.parquet"))
    with duckdb.connect() as engine:
        engine.execute("set TimeZone = 'UTC'")
        engine.register("watershed_batch", batch)
        engine.execute(f"copy (select * from watershed_batch) to {file} (format parquet)")
        described = engine.execute(f"describe from {file}").fetchall()
        types = {name: found for name, found, *_ in described}
        for name, schema in fields.schema["properties"].items():
            column_type = from_json_schema(schema)
            if name in NATIVE:
                assert types[name] == to_duckdb(column_type), name
            convert = converter(schema, column_type.kind)
            texts = [convert(fields.record(document).get(name)) for document in documents]
            told = engine.execute(
                f"select {exact('watershed_text', column_type)} "
                "from (select unnest($1::varchar[]) as watershed_text)",
                [texts],
            ).fetchall()
            column = quoted(name)
            value = column if types[name] == to_duckdb(column_type) else exact(column, column_type)
            held = engine.execute(f"select {value} from {file}").fetchall()
            assert repr(held) == repr(told), name
            assert [text is None for text in texts] == [value is None for (value,) in held], name
