"""Column types from Singer schemas, and how they widen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watershed_load_plan.duckdb_types import from_duckdb, to_duckdb
from watershed_load_plan.redshift_types import to_redshift
from watershed_load_plan.types import ColumnType, Kind, decimal, from_json_schema, widen

pytestmark = pytest.mark.load

DECIMAL = {"type": "string", "format": "singer.decimal"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "bigint"),
        ({"type": ["null", "integer"], "minimum": -32768, "maximum": 32767}, "smallint"),
        ({"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, "integer"),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, "decimal(20,0)"),
        ({"type": "number"}, "double"),
        ({"type": "number", "multipleOf": 0.01}, "decimal(38,2)"),
        ({"type": ["integer", "number"]}, "double"),
        (
            {**DECIMAL, "precision": 12, "scale": 2},
            "decimal(12,2)",
        ),
        (
            {**DECIMAL, "precision": 50, "scale": 5},
            "decimal(18,5)",
        ),
        (DECIMAL, "decimal(18,6)"),
        ({**DECIMAL, "precision": 3, "scale": -2}, "text"),
        ({"type": "string", "format": "date-time"}, "timestamptz"),
        (
            {"type": "string", "format": "date-time", "x-sql-datatype": "timestamp"},
            "timestamp",
        ),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "time"}, "time"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"type": "string", "format": "email"}, "text"),
        ({"type": "string", "contentMediaType": "application/json"}, "json"),
        ({"type": "string", "contentEncoding": "base64"}, "binary"),
        ({"type": "string", "contentEncoding": "base16"}, "text"),
        ({"type": ["object", "null"]}, "json"),
        ({"type": "array", "items": {"type": "string"}}, "json"),
        ({"type": ["string", "integer"]}, "json"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}, "text"),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, "date"),
        ({}, "json"),
        ({"type": "null"}, "json"),
    ],
)
def test_a_schema_becomes_the_narrowest_type_that_holds_all_it_allows(schema, expected):
    assert str(from_json_schema(schema)) == expected


column_types = st.sampled_from([kind for kind in Kind if kind is not Kind.DECIMAL]).map(
    ColumnType
) | st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: decimal(p, s)))


@given(column_type=column_types)
def test_duckdb_has_every_type_of_ours(column_type):
    assert from_duckdb(to_duckdb(column_type)) == column_type


@given(column_type=column_types)
def test_redshift_has_every_type_of_ours(column_type):
    name = to_redshift(column_type)
    if column_type.kind is Kind.DECIMAL:
        digits = 20 if column_type.precision == 19 else column_type.precision
        assert name == f"decimal({digits},{column_type.scale})"
    else:
        of_one_kind = [kind for kind in Kind if kind is not Kind.DECIMAL]
        assert [to_redshift(ColumnType(kind)) for kind in of_one_kind].count(name) == 1


@given(current=column_types, incoming=column_types)
def test_widening_never_narrows(current, incoming):
    wider = widen(current, incoming)
    if wider is None:
        return
    assert widen(wider, current) == wider
    for column_type in (current, incoming):
        if column_type.digits and wider.digits:
            assert wider.digits[0] >= column_type.digits[0]
            assert wider.digits[1] >= column_type.digits[1]


@given(column_type=column_types)
def test_a_type_that_comes_again_stays(column_type):
    assert widen(column_type, column_type) == column_type
