"""What arrives in a RECORD is what the source itself says, for every type."""

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from watershed_tap.testing import Runner
from watershed_tap_postgres.column_types import column_type
from watershed_tap_postgres.testing import SETUP, VALUES

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]


def as_source_says(column_type: str, value: Any) -> str:
    """Write a RECORD's value as PostgreSQL's ``::text`` would, by rules of this test's own."""
    if column_type in {"timestamp", "timestamptz", "date"} and isinstance(value, str):
        value = value.replace("T", " ").replace("+00:00", "+00")
        head, dot, tail = value.partition(".")
        digits = tail[:6] if dot else ""
        assert len(digits) in (0, 6)
        fraction = digits.rstrip("0")
        return head + ("." + fraction if fraction else "") + tail[6:]
    if column_type == "bytea":
        return "\\x" + base64.b64decode(value, validate=True).hex()
    if column_type == "boolean":
        return {True: "true", False: "false"}[value]
    if column_type in {"smallint", "integer", "bigint"}:
        assert type(value) is int
    return str(value)


def assert_same(column_type: str, value: Any, source_text: str | None) -> None:
    if source_text is None:
        assert value is None
    elif column_type in {"double precision", "real"}:
        if isinstance(value, str):
            assert value == source_text
            assert not math.isfinite(float(value))
        else:
            assert value == float(source_text)
            assert math.copysign(1, value) == math.copysign(1, float(source_text))
    elif column_type == "text[]":
        return  # compared with the driver's own list
    else:
        assert as_source_says(column_type, value) == source_text, column_type


@pytest.fixture
def value_table(execute: Execute) -> str:
    """A table with a column of each type, called by the type's position."""
    execute(SETUP)
    execute("set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set intervalstyle = 'postgres'")
    columns = ", ".join(f'"{position}" {name}' for position, name in enumerate(VALUES))
    execute(f"create table value (row_number int primary key, {columns})")
    return "public-value"


ROWS = st.lists(
    st.tuples(*(st.none() | values for values in VALUES.values())), min_size=1, max_size=6
)


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=list(HealthCheck),
    # A value that fails says enough; to find the smallest such rows would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(rows=ROWS)
def test_every_value_arrives_as_the_source_says_it(
    tap: Runner, execute: Execute, value_table: str, rows: list[tuple[str | None, ...]]
) -> None:
    execute("truncate value")
    casts = ", ".join(f"%s::text::{name}" for name in VALUES)
    for number, row in enumerate(rows):
        execute(f"insert into value values ({number}, {casts})", row)
    texts = ", ".join(f'"{position}"::text' for position in range(len(VALUES)))
    words = list(VALUES).index("text[]")
    said = execute(f'select "{words}", {texts} from value order by row_number')
    records = tap.sync().records(value_table)
    records.sort(key=lambda record: record["row_number"])
    for record, (list_of_driver, *source_texts) in zip(records, said, strict=True):
        for position, (name, text) in enumerate(zip(VALUES, source_texts, strict=True)):
            assert_same(name, record[str(position)], text)
        assert json.loads(record[str(words)] or "null") == list_of_driver


def test_arrays_arrive_as_json(tap: Runner, execute: Execute) -> None:
    execute(SETUP)
    expected = {
        "'{{1,2},{3,4}}'::int[]": [[1, 2], [3, 4]],
        "'{}'::int[]": [],
        "'{NULL}'::int[]": [None],
        "array['\\x00ff'::bytea]": ["\\x00ff"],
        "array['NaN', 'Infinity']::float8[]": ["NaN", "Infinity"],
        "array['null', '\"x\"']::jsonb[]": [None, "x"],
        "array['2026-01-02 03:04:05+02']::timestamptz[]": ["2026-01-02T01:04:05+00:00"],
        "array['so so']::mood[]": ["so so"],
        "array[row(1, 'a')::address]": [{"number": 1, "street": "a"}],
        "array[null, '', 'NULL']::text[]": [None, "", "NULL"],
    }
    columns = ", ".join(f"{literal} as c{n}" for n, literal in enumerate(expected))
    execute(f"create table arrays as select {columns}")
    [record] = tap.sync().records("public-arrays")
    assert [json.loads(value) for value in record.values()] == list(expected.values())


def test_numbers_inside_arrays_and_json_keep_every_digit(tap: Runner, execute: Execute) -> None:
    number = "12345678901234567890.12345678901234567890"
    execute(f"create table digits as select array[{number}] as a, '{number}'::jsonb as j")
    [record] = tap.sync().records("public-digits")
    assert record == {"a": f"[{number}]", "j": number}


def test_nothing_and_the_word_null_and_an_empty_text_are_three_things(
    tap: Runner, execute: Execute
) -> None:
    execute("create table nothing (j jsonb, t text)")
    execute("insert into nothing values (null, null), ('null', ''), ('\"\"', 'null')")
    assert tap.sync().records("public-nothing") == [
        {"j": None, "t": None},
        {"j": "null", "t": ""},
        {"j": '""', "t": "null"},
    ]


def test_padding_of_char_is_left_off_as_postgresql_does_in_text(
    tap: Runner, execute: Execute
) -> None:
    execute("create table padded as select 'ab  '::char(6) as c, 'ab  '::varchar(6) as v")
    assert tap.sync().records("public-padded") == [{"c": "ab", "v": "ab  "}]


def test_each_type_is_announced_by_its_hint(tap: Runner, execute: Execute) -> None:
    execute(SETUP)
    text = {"type": ["string", "null"]}
    decimal = text | {"format": "singer.decimal"}
    expected = {
        "smallint": {"type": ["integer", "null"], "minimum": -(2**15), "maximum": 2**15 - 1},
        "bigint": {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1},
        "numeric": decimal,
        "numeric(12,2)": decimal | {"precision": 12, "scale": 2},
        "amount_domain": decimal | {"precision": 9, "scale": 4},
        "real": {"type": ["number", "null"]},
        "boolean": {"type": ["boolean", "null"]},
        "date": text | {"format": "date"},
        "timestamptz": text | {"format": "date-time"},
        "timestamp": text | {"format": "date-time", "x-sql-datatype": "timestamp"},
        "time": text | {"format": "time"},
        "uuid": text | {"format": "uuid"},
        "jsonb": text | {"contentMediaType": "application/json"},
        "bytea[]": text | {"contentMediaType": "application/json"},
        "bytea": text | {"contentEncoding": "base64"},
        "timetz": text,
        "mood": text,
    }
    columns = ", ".join(f'"{name}" {name}' for name in expected)
    execute(f"create table typed ({columns})")
    assert tap.sync().schema("public-typed") == expected


@pytest.mark.parametrize(
    ("precision", "scale", "expected"),
    [(2, -3, (5, 0)), (3, 5, (5, 5)), (12, 2, (12, 2)), (1000, -1000, (2000, 0))],
)
def test_precision_and_scale_that_only_postgresql_knows_are_widened(
    precision: int, scale: int, expected: tuple[int, int]
) -> None:
    modifier = (precision << 16 | scale & 0x7FF) + 4  # as PostgreSQL 15 and later pack them
    schema = column_type("numeric", is_array=False, modifier=modifier).schema
    assert (schema["precision"], schema["scale"]) == expected


def test_rows_that_are_large_are_fetched_by_the_megabyte(tap: Runner, execute: Execute) -> None:
    execute(
        "create table wide as select i, repeat(md5(i::text), 65536) as t"
        " from generate_series(1, 30) i"
    )
    records = tap.sync().records("public-wide")
    assert [len(record["t"]) for record in records] == [2**21] * 30
