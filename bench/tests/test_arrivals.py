"""What a route loses is named, and nothing else."""

import duckdb
import pytest

from watershed_bench.arrivals import Destination, canonical, lost_types, lost_values
from watershed_bench.sources import COLUMNS

pytestmark = pytest.mark.extract

EXACT = {
    "id": "BIGINT",
    "uid": "UUID",
    "amount": "DECIMAL(12,2)",
    "updated_at": "TIMESTAMP WITH TIME ZONE",
    "created_at": "TIMESTAMP",
    "order_date": "DATE",
    "is_paid": "BOOLEAN",
    "score": "DOUBLE",
    "note": "VARCHAR",
    "meta": "JSON",
    "qty": "INTEGER",
    "coupon": "VARCHAR",
}


def test_types_that_hold_every_value_are_no_loss():
    wider = {**EXACT, "id": "HUGEINT", "amount": "DECIMAL(38,9)", "qty": "BIGINT"}
    assert lost_types(COLUMNS, EXACT) == lost_types(COLUMNS, wider) == []


@pytest.mark.parametrize(
    ("column", "arrived"),
    [
        ("id", "DOUBLE"),
        ("uid", "VARCHAR"),
        ("amount", "DOUBLE"),
        ("amount", "DECIMAL(12,1)"),
        ("amount", "DECIMAL(11,2)"),
        ("updated_at", "TIMESTAMP"),
        ("order_date", "VARCHAR"),
        ("meta", "VARCHAR"),
        ("qty", "SMALLINT"),
    ],
)
def test_a_type_that_holds_less_is_named(column, arrived):
    assert lost_types(COLUMNS, {**EXACT, column: arrived}) == [
        f"{column}: {COLUMNS[column]} arrived as {arrived}"
    ]


def test_a_column_that_did_not_come_is_named():
    arrived = {column: kind for column, kind in EXACT.items() if column != "coupon"}
    assert lost_types(COLUMNS, arrived) == ["coupon: text arrived as nothing"]


@pytest.mark.parametrize(
    ("kind", "source", "arrived"),
    [
        ("decimal", "1.50", "1.5"),
        ("decimal", "NaN", "nan"),
        ("double", "1.7976931348623157e308", "1.7976931348623157e+308"),
        ("boolean", "true", "1"),
        ("boolean", "f", "0"),
        ("instant", "2024-01-01 00:00:00.500000+00", "2024-01-01T00:00:00.5+00:00"),
        ("instant", "0044-03-15 12:00:00+00 BC", "0044-03-15 (BC) 12:00:00+00"),
        ("date", "4713-01-01 BC", "4713-01-01 (BC) 00:00:00"),
        ("json", '{"a": 1, "b": [null]}', '{"b":[null],"a":1}'),
    ],
)
def test_texts_that_mean_the_same_are_equal(kind, source, arrived):
    assert canonical(kind, source) == canonical(kind, arrived)


@pytest.mark.parametrize(
    ("kind", "source", "arrived"),
    [
        ("bigint", "9007199254740993", "9007199254740992"),
        ("decimal", "NaN", "0.00"),
        ("double", "0.1", "0.10000000149011612"),
        ("instant", "2024-01-01 00:00:00+00", "2024-01-01 01:00:00+00"),
        ("date", "0044-03-15 BC", "0044-03-15"),
        ("text", "", None),
        ("text", "a ", "a"),
        ("json", "null", None),
        ("json", "12345678901234567890.123456789", "1.2345678901234567e19"),
    ],
)
def test_texts_that_mean_something_else_differ(kind, source, arrived):
    assert canonical(kind, source) != canonical(kind, arrived)


def test_the_first_changed_value_of_each_column_is_shown():
    kinds = {"id": "bigint", "amount": "decimal", "note": "text"}
    sent = [("1", "NaN", "a"), ("2", "5", "b"), ("3", "6", "")]
    arrived = [("1", "0.00", "a"), ("2", "5.00", "b"), ("3", "7", None)]
    assert lost_values(kinds, sent, arrived) == [
        "amount: 'NaN' arrived as '0.00'",
        "note: '' arrived as NULL",
    ]


def test_what_was_set_aside_in_sight_is_no_loss():
    kinds = {"id": "bigint", "amount": "decimal"}
    sent, arrived = [("1", "NaN")], [("1", None)]
    assert lost_values(kinds, sent, arrived, {"amount"}) == []
    assert lost_values(kinds, sent, arrived) == ["amount: 'NaN' arrived as NULL"]


def test_rows_that_did_not_come_are_counted():
    assert lost_values({"id": "bigint"}, [("1",), ("2",)], [("2",)]) == ["1 of 2 rows arrived"]


def test_a_destination_tells_what_is_in_its_file(tmp_path):
    file = tmp_path / "arrived.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.t as select 2 as id, 'NaN'::double as score union all select 1, 0.5"
        )
    destination = Destination(file, "raw")
    assert destination.count("t") == 2
    assert destination.types("t") == {"id": "INTEGER", "score": "DOUBLE"}
    assert destination.texts("t", ["id", "score"]) == [("1", "0.5"), ("2", "nan")]
    assert destination.set_aside("t") == set()
