"""What every type makes of a value: as text, and on its way from Parquet to PostgreSQL."""

import io
import math
import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import simplejson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redshift_standin.transfer import LoadError, TargetColumn, parse_copy
from redshift_standin.transfer.parquet import read_batches
from redshift_standin.transfer.statement import Location

pytestmark = pytest.mark.redshift

MOMENT = "timestamp without time zone"
MOMENT_ZONED = "timestamp with time zone"
TEN_AT_NIGHT = datetime(2024, 2, 29, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("smallint", "-32768", -32768),
        ("integer", " +2147483647 ", 2147483647),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("numeric(8,2)", "20.259", Decimal("20.25")),
        ("numeric(8,2)", "-.5", Decimal("-0.50")),
        ("numeric(8,2)", "999999.99", Decimal("999999.99")),
        ("numeric(38,38)", "0." + "9" * 38, Decimal("0." + "9" * 38)),
        ("numeric", "12.9", Decimal(12)),
        ("real", "1e38", 1e38),
        ("real", "1.4e-45", 1e-45),
        ("double precision", "0e999", 0.0),
        ("double precision", "-Infinity", float("-inf")),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("character(3)", "ab", "ab "),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("date", "2024-02-29 23:00", date(2024, 2, 29)),
        ("time without time zone", "23:59:59.5", time(23, 59, 59, 500000)),
        ("time with time zone", "23:59:59+00", time(23, 59, 59, tzinfo=UTC)),
        (MOMENT, "2024-02-29 23:59:59.123456", datetime(2024, 2, 29, 23, 59, 59, 123456)),
        (MOMENT_ZONED, "2024-02-29 23:59:59+01:30", datetime(2024, 2, 29, 22, 29, 59, tzinfo=UTC)),
        (MOMENT_ZONED, "2024-02-29 23:59:59-8", datetime(2024, 3, 1, 7, 59, 59, tzinfo=UTC)),
        ("bytea", "00FF", b"\0\xff"),
        ("jsonb", "12345678901234567890", 12345678901234567890),
    ],
)
def test_a_text_becomes_its_value(bucket, copied, type_, text, value):
    bucket.put("a", f"{text}\n")
    assert copied("a", "csv", {"value": type_}) == [(value,)]


@pytest.mark.parametrize(
    ("type_", "text", "options", "value"),
    [
        ("numeric(8,2)", "20.255", "roundec", Decimal("20.26")),
        ("numeric(8,2)", "-20.255", "roundec", Decimal("-20.26")),
        ("date", "02/29/2024", "dateformat 'MM/DD/YYYY'", date(2024, 2, 29)),
        ("date", "29-Feb-2024", "dateformat 'DD-MON-YYYY'", date(2024, 2, 29)),
        ("date", "2024-02-29 10", "dateformat 'YYYY-MM-DD HH'", date(2024, 2, 29)),
        ("date", "20240229", "dateformat 'auto'", date(2024, 2, 29)),
        ("date", "2024-02-29T10:00:00Z", "dateformat 'auto'", date(2024, 2, 29)),
        ("date", "2023-02-29", "acceptanydate", None),
        (MOMENT, "2024-02-29T23:59", "timeformat 'auto'", datetime(2024, 2, 29, 23, 59)),
        (MOMENT, "2024-02-29", "timeformat 'auto'", datetime(2024, 2, 29)),
        (
            MOMENT,
            "29.02.2024 2359",
            "timeformat 'DD.MM.YYYY HH24MI'",
            datetime(2024, 2, 29, 23, 59),
        ),
        (MOMENT, "1709251199", "timeformat 'epochsecs'", datetime(2024, 2, 29, 23, 59, 59)),
        (MOMENT, "-1", "timeformat 'epochmillisecs'", datetime(1969, 12, 31, 23, 59, 59, 999000)),
        (MOMENT_ZONED, "1709244000", "timeformat 'epochsecs'", TEN_AT_NIGHT),
        (MOMENT_ZONED, "2024-02-29T22:00:00.000Z", "timeformat 'auto'", TEN_AT_NIGHT),
        (MOMENT_ZONED, "2024-02-29 23:00+0100", "timeformat 'auto'", TEN_AT_NIGHT),
        (MOMENT_ZONED, "2024-02-29 22:00", "timeformat 'auto'", TEN_AT_NIGHT),
        (MOMENT_ZONED, "2024-02-29 22:00:00", "timeformat 'YYYY-MM-DD HH:MI:SS'", TEN_AT_NIGHT),
    ],
)
def test_options_change_how_a_text_is_read(bucket, copied, type_, text, options, value):  # noqa: PLR0913, PLR0917
    bucket.put("a", f"{text}\n")
    assert copied("a", f"csv {options}", {"value": type_}) == [(value,)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("294276-12-31", "294276-12-31"), ("0005-02-29 BC", "0005-02-29 BC")],
)
def test_years_beyond_python_s_are_read_by_auto(bucket, warehouse, text, value):
    bucket.put("a", f"{text}\n")
    line = bucket.copy("a", "csv dateformat 'auto'", {"value": "date"}).decode()
    assert line == f'"{value}"\n'
    assert warehouse.execute("select %s::date::text", [value]).fetchone() == (value,)


@pytest.mark.parametrize(
    ("type_", "text", "err_code", "reason"),
    [
        ("integer", "abc", 1207, "Invalid digit, Value 'a', Pos 0, Type: Integer"),
        ("integer", "12.0", 1207, "Invalid digit, Value '.', Pos 2, Type: Integer"),
        ("integer", "-", 1207, "Invalid digit, Value '', Pos 1, Type: Integer"),
        ("smallint", "٣", 1207, "Invalid digit, Value '٣', Pos 0, Type: Short"),
        ("smallint", "32768", 1222, "Overflow, Value '32768', Type: Short"),
        ("bigint", "9223372036854775808", 1222, "Overflow"),
        ("numeric(8,2)", "1e5", 1207, "Invalid digit, Value 'e', Pos 1, Type: Decimal"),
        ("numeric(8,2)", "NaN", 1207, "Invalid digit"),
        ("numeric(8,2)", "1000000", 1204, "Numeric data overflow"),
        ("numeric(38,0)", "9" * 200, 1204, "Numeric data overflow"),
        ("real", "1e39", 1208, "Float value is out of range"),
        ("double precision", "1e309", 1208, "Float value is out of range"),
        ("double precision", "-1e-400", 1208, "Float value is out of range"),
        ("real", "1e-46", 1208, "Float value is out of range"),
        ("double precision", "1,5", 1208, "Invalid float format or value"),
        ("boolean", "2", 1210, "Unknown boolean format"),
        ("character varying(3)", "éé", 1204, "String length exceeds DDL length"),
        ("character varying", "x" * 65536, 1204, "String length exceeds DDL length"),
        ("character(2)", "abc", 1204, "Char length exceeds DDL length"),
        ("character(9)", "aé", 1220, "(Hint: Try using VARCHAR). Invalid char: c3 a9"),
        ("date", "2024", 1205, "Invalid Date Format - length must be 10 or more"),
        ("date", "02/29/2024", 1205, "Invalid Date Format"),
        ("date", "2023-02-29", 1205, "Invalid Date Format"),
        ("date", "0000-01-01", 1205, "Invalid Date Format"),
        ("time without time zone", "24:00:01", 1206, "Invalid time format"),
        ("time with time zone", "12:00:00", 1206, "Invalid time format"),
        (MOMENT, "2024-02-29T23:59:59", 1206, "or value [YYYY-MM-DD HH24:MI:SS]"),
        (MOMENT, "2024-02-29", 1206, "Invalid timestamp format"),
        (MOMENT, "2024-02-29 24:00:00", 1206, "Invalid timestamp format"),
        (MOMENT, "2024-02-29 23:59:59+01", 1206, "Invalid timestamp format"),
        (MOMENT, "2024-02-29 23:59:59.1234567", 1206, "Invalid timestamp format"),
        (MOMENT_ZONED, "2024-02-29 23:59:59", 1206, "Invalid timestamp format"),
        ("bytea", "abc", 1219, "Invalid hexadecimal digit"),
        ("jsonb", "{'a': 1}", 1224, "Invalid JSON"),
        ("jsonb", "text", 1224, "Invalid JSON"),
        ("jsonb", '""{""', 1224, "Format with multiple values without array or object"),
        ("jsonb", "1e309", 1224, "Number is out of range"),
        ("jsonb", "9" * 5000, 1224, "too many digits"),
        ("jsonb", '"' + "x" * 65536 + '"', 1224, "String value exceeds"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_text_that_does_not_fit_is_refused(bucket, type_, text, err_code, reason):
    quoted = text.replace('"', '""')
    bucket.put("a", f'"{quoted}"\n')
    with pytest.raises(LoadError) as error:
        bucket.copy("a", "csv", {"value": type_})
    assert (error.value.err_code, error.value.raw_value) == (err_code, text[:1024])
    assert reason in error.value.reason


@pytest.mark.parametrize(
    ("type_", "text", "options"),
    [
        (MOMENT, "1.5", "timeformat 'epochsecs'"),
        (MOMENT, "9" * 18, "timeformat 'epochsecs'"),
        (MOMENT, "2024-02-29T23:59:59Z", "timeformat 'auto'"),
        (MOMENT, "yesterday", "timeformat 'auto'"),
        (MOMENT, "2024-13-01 00:00:00", "timeformat 'auto'"),
        ("date", "29-Fxb-2024", "dateformat 'DD-MON-YYYY'"),
        ("date", "294277-01-01", "dateformat 'auto'"),
    ],
)
def test_a_text_of_another_format_is_refused(bucket, type_, text, options):
    bucket.put("a", f"{text}\n")
    with pytest.raises(LoadError):
        bucket.copy("a", f"csv {options}", {"value": type_})


def texts(most):
    return st.text(
        st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=most
    )


def numbers(digits, scale):
    unscaled = st.integers(1 - 10**digits, 10**digits - 1)
    return unscaled.map(lambda number: Decimal(f"{number}e-{scale}"))


SUPER = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | texts(5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(3), inner, max_size=3),
    max_leaves=5,
)
TYPES = {
    "boolean": (pa.bool_(), st.booleans()),
    "smallint": (pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "integer": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "bigint": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "numeric(38,37)": (pa.decimal128(38, 37), numbers(38, 37)),
    "numeric(38,0)": (pa.decimal128(38, 0), numbers(38, 0)),
    "numeric(12,2)": (pa.decimal128(12, 2), numbers(12, 2)),
    "real": (pa.float32(), st.floats(width=32)),
    "double precision": (pa.float64(), st.floats()),
    "character varying(40)": (pa.string(), texts(10)),
    "date": (pa.date32(), st.dates()),
    MOMENT: (pa.timestamp("us"), st.datetimes()),
    MOMENT_ZONED: (pa.timestamp("us", "UTC"), st.datetimes(timezones=st.just(UTC))),
    "bytea": (pa.binary(), st.binary(max_size=10)),
}
ROW = st.tuples(*(st.none() | values for _, values in TYPES.values()))


def comparable(row):
    """Floats by their bits, so that 0 is not -0; but NaN has many, and PostgreSQL one."""
    return [
        struct.pack("f" if type_ == "real" else "d", value)
        if isinstance(value, float) and not math.isnan(value)
        else str(value)
        for type_, value in zip(TYPES, row, strict=True)
    ]


def through_parquet(arrays, options, types):
    """Write arrays to a Parquet file, and read that as a COPY does."""
    file = io.BytesIO()
    pq.write_table(pa.table(arrays, [str(number) for number in range(len(arrays))]), file)
    copy = parse_copy(f"copy t from 's3://bucket/a' iam_role default parquet {options}")
    columns = [TargetColumn(f"c{number}", type_) for number, type_ in enumerate(types)]
    return b"".join(read_batches(file, Location("bucket", "a"), copy, columns))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(ROW, min_size=1, max_size=10))
def test_every_value_arrives_from_parquet_as_it_was(load, rows):
    arrays = [
        pa.array(values, data_type)
        for values, (data_type, _) in zip(zip(*rows, strict=True), TYPES.values(), strict=True)
    ]
    lines = through_parquet(arrays, "", TYPES)
    arrived = load(lines, {f"c{number}": type_ for number, type_ in enumerate(TYPES)})
    assert list(map(comparable, arrived)) == list(map(comparable, rows))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(documents=st.lists(SUPER, min_size=1, max_size=10))
def test_every_document_arrives_in_super_as_it_was(load, documents):
    texts_ = [None if document is None else simplejson.dumps(document) for document in documents]
    array = pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(texts_, pa.string()))
    lines = through_parquet([array], "serializetojson", ["jsonb"])
    assert [document for (document,) in load(lines, {"c0": "jsonb"})] == documents
