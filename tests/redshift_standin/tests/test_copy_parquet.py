"""Parquet: columns by position, exact types, SUPER, and what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import LoadError

pytestmark = pytest.mark.redshift

MOMENT = datetime(2024, 3, 31, 1, 59, 59, 999999, UTC)


def test_columns_are_taken_by_position_whatever_their_names(bucket, copied):
    bucket.put_parquet("a", {"y": pa.array([1], pa.int32()), "x": ["text"]})
    assert copied("a", "parquet", {"x": "integer", "y": "text"}) == [(1, "text")]


def test_null_and_empty_text_stay_different(bucket, copied):
    bucket.put_parquet("a", {"name": ["", None, '"', "\\.", "a\n\\.\nb"]})
    rows = [("",), (None,), ('"',), ("\\.",), ("a\n\\.\nb",)]
    assert copied("a", "parquet", {"name": "text"}) == rows


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_columns_must_match(bucket, count):
    bucket.put_parquet("a", {str(n): pa.array([n], pa.int32()) for n in range(count)})
    message = f"Table columns: 2, Data columns: {count}, File name: https://s3.*/{bucket.name}/a"
    with pytest.raises(RedshiftError, match=message):
        bucket.copy("a", "parquet", {"a": "integer", "b": "integer"})


def test_fillrecord_completes_a_file_with_null(bucket, copied):
    bucket.put_parquet("a", {"a": pa.array([1], pa.int32())})
    assert copied("a", "parquet fillrecord", {"a": "integer", "b": "text"}) == [(1, None)]
    with pytest.raises(RedshiftError, match="NULL value in not-null column b"):
        bucket.copy("a", "parquet fillrecord", {"a": "integer", "b": "text not null"})


@pytest.mark.parametrize(
    ("type_", "array", "value"),
    [
        ("boolean", pa.array([True]), True),
        ("smallint", pa.array([-(2**15)], pa.int16()), -(2**15)),
        ("bigint", pa.array([2**63 - 1]), 2**63 - 1),
        ("real", pa.array([1.5], pa.float32()), 1.5),
        ("double precision", pa.array([float("inf")]), float("inf")),
        ("numeric(38,10)", pa.array([Decimal("1E-10")], pa.decimal128(38, 10)), Decimal("1E-10")),
        ("numeric(12,2)", pa.array([Decimal("0.00")], pa.decimal128(9, 2)), Decimal("0.00")),
        ("character varying(4)", pa.array(["éé"]), "éé"),
        ("character varying(4)", pa.array(["éé"]).dictionary_encode(), "éé"),
        ("character varying(4)", pa.array(["éé"], pa.large_string()), "éé"),
        ("character(2)", pa.array(["ab"]), "ab"),
        ("date", pa.array([date(9999, 12, 31)]), date(9999, 12, 31)),
        ("date", pa.array([date(1, 1, 1)]), date(1, 1, 1)),
        ("timestamp with time zone", pa.array([MOMENT]), MOMENT),
        (
            "timestamp with time zone",
            pa.array([MOMENT], pa.timestamp("us", "Europe/Berlin")),
            MOMENT,
        ),
        (
            "timestamp without time zone",
            pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("us")),
            MOMENT.replace(tzinfo=None),
        ),
        (
            "timestamp without time zone",
            pa.array([datetime(2024, 1, 1)], pa.timestamp("ms")),
            datetime(2024, 1, 1),
        ),
        ("bytea", pa.array([b"\0\xff"]), b"\0\xff"),
    ],
)
def test_a_value_of_the_column_s_own_type_arrives(bucket, copied, type_, array, value):
    bucket.put_parquet("a", {"value": array})
    assert copied("a", "parquet", {"value": type_}) == [(value,)]


@pytest.mark.parametrize(
    ("type_", "array"),
    [
        ("smallint", pa.array([1], pa.int32())),
        ("integer", pa.array([1], pa.int16())),
        ("integer", pa.array([1])),
        ("bigint", pa.array([1], pa.int32())),
        ("bigint", pa.array([1], pa.uint64())),
        ("bigint", pa.array([1.0])),
        ("real", pa.array([1.0])),
        ("double precision", pa.array([1.0], pa.float32())),
        ("numeric(18,0)", pa.array([1])),
        ("numeric(12,2)", pa.array([Decimal("1.000")], pa.decimal128(12, 3))),
        ("numeric(12,2)", pa.array([Decimal("1.00")], pa.decimal128(13, 2))),
        ("numeric(12,2)", pa.array([1.0])),
        ("character varying(10)", pa.array([1])),
        ("character varying(10)", pa.array([b"x"])),
        ("character varying(36)", pa.array([b"0" * 16], pa.uuid())),
        ("character varying(10)", pa.array([["x"]])),
        ("date", pa.array([MOMENT])),
        ("date", pa.array(["2024-01-01"])),
        ("timestamp without time zone", pa.array([1], pa.timestamp("ns"))),
        ("timestamp without time zone", pa.array([date(2024, 1, 1)])),
        ("time without time zone", pa.array([1], pa.time64("us"))),
        ("boolean", pa.array([1])),
        ("bytea", pa.array(["x"])),
    ],
)
def test_another_type_is_incompatible(bucket, type_, array):
    bucket.put_parquet("a", {"value": array})
    with pytest.raises(RedshiftError, match="Spectrum Scan Error") as error:
        bucket.copy("a", "parquet", {"value": type_})
    assert not isinstance(error.value, LoadError)
    assert (
        f"File 'https://s3.us-east-1.amazonaws.com/{bucket.name}/a' has an incompatible Parquet "
        f"schema for column 'value'. Column type: {type_.upper()}"
    ) in error.value.message


def test_text_longer_than_its_column_in_bytes_is_an_error(bucket):
    bucket.put_parquet("a", {"name": ["ab", "éé"]})
    message = "data column name is longer than the length defined in the table. Table: 3, Data: 4"
    with pytest.raises(RedshiftError, match=message):
        bucket.copy("a", "parquet", {"name": "character varying(3)"})


@pytest.mark.parametrize(
    ("array", "type_", "message"),
    [
        (["é"], "character(2)", "Multibyte character not supported for CHAR column value"),
        (["a\0b"], "text", "the character NUL"),
        (["x", None], "text not null", "NULL value in not-null column value"),
        ([date(2024, 1, 1), None], "date not null", "NULL value in not-null column value"),
    ],
)
def test_what_a_column_cannot_hold_is_an_error(bucket, array, type_, message):
    bucket.put_parquet("a", {"value": array})
    with pytest.raises(RedshiftError, match=message):
        bucket.copy("a", "parquet", {"value": type_})


@pytest.mark.parametrize(
    ("array", "type_"),
    [
        (pa.array([-719163], pa.date32()), "date"),
        (pa.array([2932897], pa.date32()), "date"),
        (pa.array([-(2**62)], pa.timestamp("us")), "timestamp without time zone"),
        (pa.array([2**62], pa.timestamp("us", "UTC")), "timestamp with time zone"),
    ],
)
def test_days_outside_the_years_1_to_9999_are_refused_by_the_stand_in(bucket, array, type_):
    bucket.put_parquet("a", {"value": array})
    with pytest.raises(RedshiftError, match="does not have days outside the years 1 to 9999"):
        bucket.copy("a", "parquet", {"value": type_})


def test_text_that_is_no_utf8_is_an_error(bucket):
    invalid = pa.array([b"\xff"]).view(pa.string())
    bucket.put_parquet("a", {"value": invalid})
    with pytest.raises(RedshiftError, match="invalid or unsupported UTF8 codepoints in column"):
        bucket.copy("a", "parquet", {"value": "text"})


@pytest.mark.parametrize("body", [b"", b"PAR1", b"id,name\n1,x\n", b"PAR1" * 100])
def test_what_is_no_parquet_file_is_an_error(bucket, body):
    bucket.put("a", body)
    with pytest.raises(RedshiftError, match=f"/{bucket.name}/a' has an invalid version number"):
        bucket.copy("a", "parquet", {"id": "integer"})


def test_a_damaged_page_is_an_error(bucket):
    bucket.put_parquet("a", {"id": list(range(10_000))})
    body = bytearray(bucket.get("a"))
    body[4:200] = b"\xff" * 196
    bucket.put("a", bytes(body))
    with pytest.raises(RedshiftError, match="is corrupt"):
        bucket.copy("a", "parquet", {"id": "bigint"})


def test_a_super_column_needs_serializetojson(bucket):
    bucket.put_parquet("a", {"doc": ["{}"]})
    with pytest.raises(RedshiftError, match="Unreachable - Invalid type: 4000"):
        bucket.copy("a", "parquet", {"doc": "jsonb"})


def test_text_becomes_a_string_in_super_even_if_it_is_json(bucket, copied):
    bucket.put_parquet("a", {"doc": ['{"a": 1}', "x", None]})
    rows = [('{"a": 1}',), ("x",), (None,)]
    assert copied("a", "parquet serializetojson", {"doc": "jsonb"}) == rows


def test_text_that_the_file_declares_json_becomes_a_document(bucket, copied):
    array = pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(['{"a": 1}', None]))
    bucket.put_parquet("a", {"doc": array})
    rows = [({"a": 1},), (None,)]
    assert copied("a", "parquet serializetojson", {"doc": "jsonb"}) == rows


def test_a_file_of_duckdb_declares_json(bucket, copied, tmp_path):
    path = tmp_path / "a.parquet"
    duckdb.sql(f"""copy (select '{{"a": 1}}'::json as doc) to '{path}'""")
    bucket.put("a", path.read_bytes())
    assert copied("a", "parquet serializetojson", {"doc": "jsonb"}) == [({"a": 1},)]


def test_nested_values_become_documents(bucket, copied):
    table = pa.table(
        {
            "list": [[1, None, 2]],
            "struct": [{"at": MOMENT, "amount": Decimal("1.50"), "names": ["é"]}],
            "map": pa.array([[("k", date(2024, 1, 1))]], pa.map_(pa.string(), pa.date32())),
            "number": [1.5],
        }
    )
    bucket.put_parquet("a", table)
    (row,) = copied("a", "parquet serializetojson", dict.fromkeys(table.column_names, "jsonb"))
    assert row == (
        [1, None, 2],
        {"at": "2024-03-31 01:59:59.999999+00:00", "amount": 1.5, "names": ["é"]},
        {"k": "2024-01-01"},
        1.5,
    )


@pytest.mark.parametrize(
    "array", [pa.array([b"x"]), pa.array([[b"x"]]), pa.array([b"0" * 16], pa.uuid())]
)
def test_bytes_cannot_become_super(bucket, array):
    bucket.put_parquet("a", {"doc": array})
    with pytest.raises(RedshiftError, match="incompatible Parquet schema for column 'doc'"):
        bucket.copy("a", "parquet serializetojson", {"doc": "jsonb"})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("x" * 65536, "String value exceeds the max size of 65535 bytes, column doc"),
        (["x" * 65535] * 260, "SUPER value exceeds 16 MB"),
    ],
    ids=["string", "whole"],
)
def test_super_has_limits(bucket, document, message):
    bucket.put_parquet("a", {"doc": [document]})
    with pytest.raises(RedshiftError, match=message):
        bucket.copy("a", "parquet serializetojson", {"doc": "jsonb"})


def test_text_that_is_declared_json_and_is_none_is_an_error(bucket):
    array = pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(["{"]))
    bucket.put_parquet("a", {"doc": array})
    with pytest.raises(RedshiftError, match="Invalid JSON"):
        bucket.copy("a", "parquet serializetojson", {"doc": "jsonb"})


def test_a_file_of_one_row_group_is_read_in_batches_of_a_bounded_size(bucket):
    texts = [f"{number:08}" * 125 for number in range(60_000)]
    bucket.put_parquet("a", {"text": texts}, use_dictionary=False, row_group_size=60_000)
    del texts
    before = pa.total_allocated_bytes()
    rows, sizes, memory = 0, [], []
    for piece in bucket.read("a", "parquet", {"text": "text"}):
        rows += piece.count(b"\n")
        sizes.append(len(piece))
        memory.append(pa.total_allocated_bytes() - before)
    assert rows == 60_000
    assert max(sizes) < 8_000_000
    assert max(memory) < 16_000_000
