"""Whatever an ``_id`` is, its document has a key, and no other document has the same."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import given, settings
from hypothesis import strategies as st

from watershed_tap.testing import Runner
from watershed_tap_mongodb.testing import told_by_bson
from watershed_tap_mongodb.values import identity

pytestmark = pytest.mark.extract

OBJECT_ID = ObjectId("6b034be4534271b0d4260c64")
IDS: list[tuple[Any, str, str]] = [
    (OBJECT_ID, "6b034be4534271b0d4260c64", "objectId"),
    (str(OBJECT_ID), "6b034be4534271b0d4260c64", "string"),
    (7, "7", "int"),
    ("7", "7", "string"),
    (Int64(8), "8", "long"),
    ("", "", "string"),
    (None, "null", "null"),
    ("null", "null", "string"),
    (7.5, '{"$numberDouble":"7.5"}', "double"),
    (Decimal128("7.25"), '{"$numberDecimal":"7.25"}', "decimal"),
    (True, "true", "bool"),
    ({"desk": "berlin", "n": 1}, '{"desk":"berlin","n":{"$numberInt":"1"}}', "object"),
    ({"n": 1, "desk": "berlin"}, '{"n":{"$numberInt":"1"},"desk":"berlin"}', "object"),
    (b"\x00\xff", '{"$binary":{"base64":"AP8=","subType":"00"}}', "binData"),
    (
        Binary.from_uuid(uuid.UUID(int=7)),
        '{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAABw==","subType":"04"}}',
        "binData",
    ),
    (
        dt.datetime(1960, 1, 1, tzinfo=dt.UTC),
        '{"$date":{"$numberLong":"-315619200000"}}',
        "date",
    ),
    (Timestamp(1, 2), '{"$timestamp":{"t":1,"i":2}}', "timestamp"),
    (MinKey(), '{"$minKey":1}', "minKey"),
]


def test_ids_of_all_types_in_one_collection(tap: Runner, db) -> None:
    db.mixed.insert_many([{"_id": value, "at": at} for at, (value, _, _) in enumerate(IDS)])
    output = tap.sync()
    [schema] = output.of("SCHEMA")
    assert schema["key_properties"] == ["_id", "_id_type"]
    found = {record["at"]: record for record in output.records(f"{db.name}-mixed")}
    for at, (_, text, name) in enumerate(IDS):
        assert (found[at]["_id"], found[at]["_id_type"]) == (text, name)


def test_a_key_stays_when_the_collection_gets_ids_of_other_types(tap: Runner, db) -> None:
    db.grown.insert_one({"_id": OBJECT_ID})
    [before] = tap.sync().records(f"{db.name}-grown")
    db.grown.insert_many([{"_id": 1}, {"_id": "x"}])
    assert before in tap.sync().records(f"{db.name}-grown")


def test_a_view_has_no_key_since_its_ids_may_come_twice_or_not_at_all(tap: Runner, db) -> None:
    db.orders.insert_many([{"_id": 1, "customer": "Ann"}, {"_id": 2, "customer": "Ann"}])
    db.command(
        {
            "create": "customers",
            "viewOn": "orders",
            "pipeline": [{"$project": {"_id": 0, "customer": 1}}],
        }
    )
    output = tap.sync()
    stream = f"{db.name}-customers"
    assert output.of("SCHEMA", stream)[0].get("key_properties", []) == []
    assert output.records(stream) == [{"_id": None, "_id_type": None, "customer": "Ann"}] * 2


SCALARS = (
    st.integers(-(2**31), 2**31 - 1)
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(min_size=12, max_size=12).map(ObjectId)
    | st.binary(max_size=3)
    | st.builds(Binary, st.binary(max_size=3), st.integers(1, 9))
    | st.booleans()
    | st.none()
    | st.integers(-(2**40), 2**40).map(DatetimeMS)
    | st.sampled_from([MinKey(), MaxKey()])
)
VALUES = SCALARS | st.dictionaries(st.text("ab", max_size=2), SCALARS, max_size=2)


@settings(max_examples=500, deadline=None)
@given(one=VALUES, other=VALUES)
def test_two_ids_have_two_keys(one: Any, other: Any) -> None:
    is_same = told_by_bson(one) == told_by_bson(other)
    assert (identity(one) == identity(other)) == is_same


@settings(max_examples=100, deadline=None)
@given(value=VALUES)
def test_a_key_is_text_that_travels(value: Any) -> None:
    key = identity(value)
    assert tuple(json.loads(json.dumps(key))) == key
