"""What arrives in a RECORD is what the source holds, for every type and bit for bit."""

import base64
import datetime as dt
import math
import struct
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128
from bson.datetime_ms import DatetimeMS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from watershed_tap.testing import Runner
from watershed_tap_mongodb.field_types import FieldType, type_of
from watershed_tap_mongodb.fields import Fields
from watershed_tap_mongodb.testing import told_by_bson, told_by_json
from watershed_tap_mongodb.testing_documents import (
    ANYTHING,
    DECIMALS,
    DOCUMENTS,
    EPOCH,
    SMALL_DECIMALS,
    SPECIAL_DECIMALS,
    TYPED,
)
from watershed_tap_mongodb.values import iso_date

pytestmark = pytest.mark.extract

some = settings(
    max_examples=12,
    phases=[Phase.generate],  # the server is too slow for more
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
many = settings(max_examples=300, deadline=None)


def assert_told(field_type: str, told: Any, value: Any) -> None:
    """Compare a RECORD's value with the source's, by rules of this test's own."""
    match field_type.partition("(")[0]:
        case "json":
            assert told_by_json(told) == told_by_bson(value)
        case "int" | "long":
            assert (type(told), told) == (int, int(value))
        case "double":
            assert_same_double(told, value)
        case "decimal":
            assert "E" not in told
            assert Decimal(told) == value.to_decimal()
        case "objectId":
            assert bytes.fromhex(told) == value.binary
        case "date":
            assert dt.datetime.fromisoformat(told) - EPOCH == dt.timedelta(milliseconds=int(value))
        case "binData":
            assert base64.b64decode(told, validate=True) == value
        case "uuid":
            assert uuid.UUID(told).bytes == bytes(value)
        case _:
            assert (type(told), told) == (type(value), value)


def assert_same_double(told: Any, value: float) -> None:
    if math.isfinite(value):
        assert struct.pack(">d", told) == struct.pack(">d", value)
    else:
        assert told == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]


@some
@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=30))
def test_every_value_arrives(tap: Runner, db, documents: list[dict[str, Any]]) -> None:
    db.drop_collection("values")
    numbered = [{"_id": number, **document} for number, document in enumerate(documents)]
    db["values"].insert_many(numbered)
    output = tap.sync()
    stream = f"{db.name}-values"
    types = output.state["bookmarks"][stream]["fields"]
    records = {record["_id"]: record for record in output.records(stream)}
    assert len(records) == len(documents)
    for number, document in enumerate(documents):
        record = records[str(number)]
        assert record["_id_type"] == "int"
        for name, value in document.items():
            if value is None and types[name] != "json":
                assert record.get(name) is None
            else:
                assert_told(types[name], record[name], value)
        assert record.keys() <= {"_id", "_id_type", *document}
    for name in TYPED.keys() & types.keys():
        if any(document.get(name) is not None for document in documents):
            assert types[name].partition("(")[0] == name


@many
@given(value=st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**14), 10**15))
def test_a_date_of_any_year_is_told_exactly(value: int) -> None:
    text = iso_date(DatetimeMS(value))
    is_before_christ = text.endswith(" BC")
    year, month, day = text.removesuffix(" BC").partition("T")[0].split("-")
    clock = text.partition("T")[2].removesuffix(" BC")
    assert len(year) >= 4
    number = 1 - int(year) if is_before_christ else int(year)
    assert ms_since_1970(number, int(month), int(day), clock) == value


def ms_since_1970(year: int, month: int, day: int, clock: str) -> int:
    """Count days by the Julian Day formula of Fliegel and Van Flandern, which knows all years."""
    a = (14 - month) // 12
    y, m = year + 4800 - a, month + 12 * a - 3
    julian = day + (153 * m + 2) // 5 + 365 * y + y // 4 - y // 100 + y // 400 - 32045
    hours, minutes, seconds = clock.removesuffix("+00:00").split(":")
    whole, milliseconds = seconds.split(".")
    within = (int(hours) * 60 + int(minutes)) * 60 + int(whole)
    return ((julian - 2_440_588) * 86_400 + within) * 1_000 + int(milliseconds)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000+00:00"),
        (-1, "1969-12-31T23:59:59.999+00:00"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999+00:00"),
        (253_402_300_800_000, "10000-01-01T00:00:00.000+00:00"),
        (-62_135_596_800_001, "0001-12-31T23:59:59.999+00:00 BC"),
        (2**63 - 1, "292278994-08-17T07:12:55.807+00:00"),
    ],
)
def test_dates_beyond_python(milliseconds: int, text: str) -> None:
    assert iso_date(DatetimeMS(milliseconds)) == text


@many
@given(value=DECIMALS | SMALL_DECIMALS | SPECIAL_DECIMALS)
def test_a_decimal_has_the_digits_that_its_column_promises(value: Decimal128) -> None:
    found = type_of(value)
    number = value.to_decimal()
    if str(found) == "json":
        _, digits, exponent = number.as_tuple()
        is_small = isinstance(exponent, int) and exponent > -38 and len(digits) + exponent <= 0
        assert not is_small or not number
        return
    assert FieldType.parse(str(found)) == found
    whole, _, fraction = format(abs(number), "f").partition(".")
    assert len(whole) <= found.whole
    assert len(fraction) <= found.fraction
    assert found.whole + found.fraction <= 38


@many
@given(values=st.lists(ANYTHING.filter(lambda value: value is not None), min_size=1, max_size=5))
def test_a_column_holds_each_value_that_it_met(values: list[Any]) -> None:
    fields = Fields({})
    for value in values:
        fields.record({"_id": 1, "x": value})
    for value in values:
        record = fields.record({"_id": 1, "x": value})
        assert_told(str(fields.columns["x"]), record["x"], value)


def test_a_document_of_16_megabytes_arrives(tap: Runner, db) -> None:
    lines = ["x" * 1_000] * 16_500
    db.large.insert_one({"_id": 1, "lines": lines})
    [record] = tap.sync().records(f"{db.name}-large")
    assert told_by_json(record["lines"]) == ("array", [("string", line) for line in lines])


def test_nothing_and_null_differ_where_a_column_is_json(tap: Runner, db) -> None:
    db.a.insert_many([{"_id": 1, "x": None, "y": None}, {"_id": 2, "x": 1, "y": [1]}, {"_id": 3}])
    records = tap.sync().records(f"{db.name}-a")
    assert [record.get("y") for record in records] == ["null", '[{"$numberInt":"1"}]', None]
    assert [record.get("x") for record in records] == [None, 1, None]


@pytest.fixture(autouse=True)
def no_left_overs(db) -> Iterator[None]:
    yield
    for name in db.list_collection_names():
        db.drop_collection(name)
