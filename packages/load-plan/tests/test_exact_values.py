"""What a text becomes in a column: its exact value, as Python's own types have it, or nothing."""

import base64
import datetime as dt
import json
import math
import uuid
from decimal import Decimal, InvalidOperation

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watershed_load_plan.exact import as_json, exact
from watershed_load_plan.types import ColumnType, Kind, decimal

pytestmark = pytest.mark.load

many = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
unicode_texts = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def read():
    """Read a text as a type; the value as DuckDB gives it to Python."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    statements = {}

    def as_type(text, column_type):
        if column_type not in statements:
            sql = exact("watershed_text", column_type)
            statements[column_type] = f"select {sql} from (select $1::varchar as watershed_text)"
        return connection.execute(statements[column_type], [text]).fetchone()[0]

    yield as_type
    connection.close()


@many
@given(value=st.integers(-(2**70), 2**70))
def test_an_integer_is_read_exactly_where_it_fits(read, value):
    for kind, bits in ((Kind.SMALLINT, 15), (Kind.INTEGER, 31), (Kind.BIGINT, 63)):
        fits = -(2**bits) <= value < 2**bits
        assert read(str(value), ColumnType(kind)) == (value if fits else None)


@many
@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, places=6, max_value=10**14),
    precision=st.integers(1, 38),
    data=st.data(),
)
def test_a_decimal_is_never_rounded(read, value, precision, data):
    scale = data.draw(st.integers(0, precision))
    whole = format(value, "f").lstrip("-").partition(".")[0].lstrip("0")
    fraction = format(value, "f").partition(".")[2].rstrip("0")
    fits = len(whole) <= precision - scale and len(fraction) <= scale
    found = read(format(value, "f"), decimal(precision, scale))
    assert found == (value if fits else None)


@many
@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_double_comes_back_bit_for_bit(read, value):
    found = read(repr(value), ColumnType(Kind.DOUBLE))
    assert math.isnan(found) if math.isnan(value) else found == value


@many
@given(text=st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_a_number_that_no_double_holds_is_none(read, text):
    found = read(text, ColumnType(Kind.DOUBLE))
    nearest = float(text)
    holds = not math.isinf(nearest) and Decimal(repr(nearest)) == Decimal(text)
    assert found == (nearest if holds else None)


@many
@given(value=st.datetimes())
def test_a_time_without_zone_stays_as_it_is(read, value):
    for separator in "T ":
        assert read(value.isoformat(separator), ColumnType(Kind.TIMESTAMP)) == value


@many
@given(
    value=st.datetimes(
        min_value=dt.datetime(2, 1, 1),
        max_value=dt.datetime(9998, 1, 1),
        timezones=st.sampled_from(
            [dt.timezone(dt.timedelta(minutes=m)) for m in (-720, -210, 0, 60, 345, 840)]
        ),
    )
)
def test_an_instant_is_the_same_instant(read, value):
    assert read(value.isoformat(), ColumnType(Kind.TIMESTAMPTZ)) == value


@many
@given(value=st.dates())
def test_a_date_is_that_date(read, value):
    assert read(value.isoformat(), ColumnType(Kind.DATE)) == value
    assert read(value.isoformat() + "T00:00:00+00:00", ColumnType(Kind.DATE)) == value


@many
@given(value=st.times())
def test_a_time_of_day_is_that_time(read, value):
    assert read(value.isoformat(), ColumnType(Kind.TIME)) == value


@many
@given(value=st.binary(max_size=300))
def test_binary_is_those_bytes(read, value):
    assert read(base64.b64encode(value).decode(), ColumnType(Kind.BINARY)) == value


@many
@given(value=st.uuids())
def test_a_uuid_is_that_uuid(read, value):
    assert read(str(value), ColumnType(Kind.UUID)) == value
    assert read(str(value).upper(), ColumnType(Kind.UUID)) == uuid.UUID(str(value))


@many
@given(value=unicode_texts)
def test_text_is_that_text(read, value):
    assert read(value, ColumnType(Kind.TEXT)) == value


@many
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | unicode_texts,
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc."), inner),
    )
)
def test_json_is_kept_to_the_letter(read, value):
    text = json.dumps(value, indent=1, ensure_ascii=False)
    assert read(text, ColumnType(Kind.JSON)) == text


@many
@given(text=st.text(max_size=12))
def test_no_text_makes_a_cast_fail_or_guess(read, text):
    """Whatever comes, the answer is the value that Python reads from it too, or None."""
    for kind in (Kind.BOOLEAN, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.UUID, Kind.BINARY):
        read(text, ColumnType(kind))
    found = read(text, decimal(18, 3))
    try:
        expected = Decimal(text)
    except InvalidOperation:
        expected = None
    assert found is None or found == expected


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (Kind.DATE, "0044-03-15 BC", "0044-03-15 (BC)"),
        (Kind.DATE, "infinity", "infinity"),
        (Kind.TIMESTAMP, "-infinity", "-infinity"),
        (Kind.TIMESTAMP, "0044-03-15 10:00:00.5 BC", "0044-03-15 (BC) 10:00:00.5"),
        (Kind.TIMESTAMPTZ, "0044-03-15 10:00:00+00 BC", "0044-03-15 (BC) 10:00:00+00"),
        (Kind.TIME, "24:00:00", "24:00:00"),
        (Kind.DATE, "2024-01-01T10:00:00", None),
        (Kind.DATE, "2024-02-30", None),
        (Kind.DATE, "0000-05-05", None),
        (Kind.DATE, "0001-05-05", "0001-05-05"),
        (Kind.TIMESTAMP, "0000-05-05 01:02:03", None),
        (Kind.TIMESTAMPTZ, "0000-05-05T01:02:03+00:00", None),
        (Kind.TIMESTAMP, "10000-01-01 00:00:00", "10000-01-01 00:00:00"),
        (Kind.TIMESTAMP, "2024-01-01T10:00:00.1234567", None),
        (Kind.TIMESTAMP, "2024-01-01T10:00:00Z", None),
        (Kind.TIMESTAMP, "294276-12-31 23:59:59.999999", None),
        (Kind.TIME, "10:00:00+02", None),
        (Kind.BIGINT, " 5", None),
        (Kind.BIGINT, "1_000", None),
        (Kind.BIGINT, "5.5", None),
        (Kind.BIGINT, "5.0", "5"),
        (Kind.BOOLEAN, "yes", None),
        (Kind.UUID, "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", None),
        (Kind.JSON, "{bad", None),
        (Kind.BINARY, "***", None),
    ],
)
def test_the_edges_of_each_type(kind, text, shown):
    sql = f"select cast({exact('t', ColumnType(kind))} as varchar) from (select $1::varchar as t)"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        assert connection.execute(sql, [text]).fetchone() == (shown,)


@pytest.mark.parametrize(
    ("column_type", "text", "shown"),
    [
        (ColumnType(Kind.BIGINT), "9223372036854775807", "9223372036854775807"),
        (decimal(38, 2), "123456789012345678901234567890123456.70", None),
        (ColumnType(Kind.DOUBLE), "-0.0", "-0.0"),
        (ColumnType(Kind.DOUBLE), "0.1", "0.1"),
        (ColumnType(Kind.DOUBLE), "NaN", '"nan"'),
        (ColumnType(Kind.DOUBLE), "-Infinity", '"-inf"'),
        (ColumnType(Kind.BOOLEAN), "true", "true"),
        (ColumnType(Kind.TEXT), 'say "no"', r'"say \"no\""'),
        (ColumnType(Kind.JSON), '{"a":1.10}', '{"a":1.10}'),
        (ColumnType(Kind.BINARY), "AP8=", '"AP8="'),
        (ColumnType(Kind.DATE), "2024-02-29", '"2024-02-29"'),
        (ColumnType(Kind.TIME), "10:00:00.5", '"10:00:00.5"'),
        (ColumnType(Kind.TIMESTAMP), "2024-01-01 10:00:00.5", '"2024-01-01 10:00:00.5"'),
        (
            ColumnType(Kind.TIMESTAMPTZ),
            "2024-01-01 10:00:00.5+02",
            '"2024-01-01 08:00:00.5+00:00"',
        ),
        (ColumnType(Kind.TIMESTAMPTZ), "infinity", '"infinity"'),
        (
            ColumnType(Kind.TIMESTAMPTZ),
            "294246-12-31 23:59:59.999999+00",
            '"294246-12-31 23:59:59.999999+00:00"',
        ),
        (
            ColumnType(Kind.UUID),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
        ),
    ],
    ids=str,
)
def test_a_value_as_json_keeps_all_of_it(column_type, text, shown):
    shown = shown or text
    value = exact("t", column_type)
    sql = f"select {as_json('v', column_type)}::varchar, v from (select {value} as v"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'America/New_York'")
        written, before = connection.execute(
            f"{sql} from (select $1::varchar as t))", [text]
        ).fetchone()
        assert written == shown
        if column_type.kind not in {Kind.TEXT, Kind.JSON}:
            back = f"select {value} from (select $1::varchar as t)"
            told = json.loads(written) if written.startswith('"') else written
            (after,) = connection.execute(back, [told]).fetchone()
            assert str(after) == str(before), "and it can be had again"
