"""What a value becomes on Redshift: itself, exactly, or set aside in sight."""

import base64
import json

import duckdb
import pytest

from watershed_load_plan import QuarantineLimitError

pytestmark = pytest.mark.redshift

INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}
DOCUMENT = {"type": ["object", "array", "null"]}


def number(precision, scale):
    return {
        "type": ["string", "null"],
        "format": "singer.decimal",
        "precision": precision,
        "scale": scale,
    }


COLUMNS = {
    "truth": {"type": ["boolean", "null"]},
    "small": {"type": ["integer", "null"], "minimum": -32768, "maximum": 32767},
    "whole": {"type": ["integer", "null"], "minimum": -(2**31), "maximum": 2**31 - 1},
    "large": INTEGER,
    "price": number(12, 2),
    "nineteen": number(19, 0),
    "exact": number(38, 10),
    "share": {"type": ["number", "null"]},
    "name": TEXT,
    "raw": {"type": ["string", "null"], "contentEncoding": "base64"},
    "day": {"type": ["string", "null"], "format": "date"},
    "naive": {"type": ["string", "null"], "format": "date-time", "x-sql-datatype": "timestamp"},
    "moment": {"type": ["string", "null"], "format": "date-time"},
    "code": {"type": ["string", "null"], "format": "uuid"},
}
RAW = b"\x00\xff\n,"
VALUES = {
    "truth": True,
    "small": -32768,
    "whole": 2**31 - 1,
    "large": -(2**63),
    "price": "-9999999999.99",
    "nineteen": "9999999999999999999",
    "exact": "9999999999999999999999999999.0123456789",
    "share": 1.7976931348623157e308,
    "name": 'a "quoted", text\nof two lines \\N \U0001f600',
    "raw": base64.b64encode(RAW).decode(),
    "day": "9999-12-31",
    "naive": "0001-01-01T00:00:00",
    "moment": "2026-10-25T02:30:00.000001+02:00",
    "code": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
}
READ = {
    "truth": "case when truth then 'yes' end",
    "raw": "raw",
    "moment": "cast(moment as varchar)",
    "naive": "cast(naive as varchar)",
    "day": "cast(day as varchar)",
    "share": "cast(share as varchar)",
}
HELD = {
    **{name: str(value) for name, value in VALUES.items()},
    "truth": "yes",
    "raw": RAW.hex(),
    "naive": "0001-01-01 00:00:00",
    "moment": "2026-10-25 00:30:00.000001+00",
    "share": "1.7976931348623157e+308",
}
TYPES = {
    "truth": "boolean",
    "small": "smallint",
    "whole": "integer",
    "large": "bigint",
    "price": "numeric",
    "nineteen": "numeric",
    "exact": "numeric",
    "share": "double precision",
    "name": "varchar 256",
    "raw": "binary varying",
    "day": "date",
    "naive": "timestamp without time zone",
    "moment": "timestamp with time zone",
    "code": "varchar 36",
}


def held(loader, columns):
    selected = ", ".join(READ.get(name, f"cast({name} as varchar)") for name in columns)
    return loader.rows(f"select {selected} from {{raw}}.things order by id")


@pytest.mark.parametrize(
    "beside", [{}, {"doc": DOCUMENT, "clock": {"type": "string", "format": "time"}}]
)
def test_every_type_arrives_exactly_in_parquet_and_in_csv(loader, singer, beside):
    values = {"doc": {"a": [1.10, None]}, "clock": "23:59:59.999999"} if beside else {}
    loader.load(
        singer.schema("shop-things", id=INTEGER, **COLUMNS, **beside),
        singer.record("shop-things", id=1, **VALUES, **values),
        singer.record("shop-things", id=2),
        singer.record("shop-things", id=3, name=""),
    )
    full, empty, blank = held(loader, COLUMNS)
    found = dict(zip(COLUMNS, full, strict=True))
    assert found | {"raw": found["raw"].removeprefix("\\x")} == HELD
    assert set(empty) == {None}
    assert blank[list(COLUMNS).index("name")] == ""
    if beside:
        document, clock = loader.one(
            "select json_serialize(doc), cast(clock as varchar) from {raw}.things where id = 1"
        )
        assert json.loads(document) == {"a": [1.1, None]}
        assert clock == "23:59:59.999999"
    assert loader.staged() == []


def test_columns_have_the_types_that_are_declared(loader, singer):
    loader.load(singer.schema("shop-things", id=INTEGER, **COLUMNS, doc=DOCUMENT))
    found = loader.types("things")
    assert {name: found[name] for name in COLUMNS} == TYPES
    assert found["doc"] == "super"


def test_bytes_that_are_empty_are_not_null_beside_a_document_either(loader, singer):
    loader.load(
        singer.schema("shop-things", id=INTEGER, raw=COLUMNS["raw"], doc=DOCUMENT),
        singer.record("shop-things", id=1, raw="", doc={}),
        singer.record("shop-things", id=2, doc={}),
        singer.record("shop-things", id=3, raw="AAA=", doc={}),
    )
    found = loader.rows("select id, octet_length(raw) from {raw}.things order by id")
    assert found == [(1, 0), (2, None), (3, 2)]


def test_a_text_column_grows_by_the_bytes_that_come(loader, singer):
    for length, size in ((100, 256), (130, 1024), (20_000, 65535)):
        text = "ü" * length
        loader.load(
            singer.schema("shop-things", id=INTEGER, name=TEXT),
            singer.record("shop-things", id=length, name=text),
        )
        assert loader.types("things")["name"] == f"varchar {size}"
        assert loader.one(f"select name from {{raw}}.things where id = {length}") == text


def test_a_text_beyond_what_redshift_holds_is_set_aside_and_never_cut(loader, singer):
    loader.load(
        singer.schema("shop-things", id=INTEGER, name=TEXT),
        singer.record("shop-things", id=1, name="x" * 65_535),
        singer.record("shop-things", id=2, name="ü" * 32_768),
        singer.record("shop-things", id=3, name="nul \0"),
    )
    assert loader.rows("select id, len(name) from {raw}.things order by id") == [
        (1, 65_535),
        (2, None),
        (3, None),
    ]
    assert loader.rows(
        "select record_key, len(value), reason from ops.quarantine where {mine} order by record_key"
    ) == [
        (
            '{"id":2}',
            32_767,
            "does not fit text exactly; of its 65536 bytes the first 65534 are kept here",
        ),
        ('{"id":3}', 10, r"does not fit text exactly; NUL is written \u0000 here"),
    ]


def test_a_document_larger_than_a_text_may_be_is_super(loader, singer):
    loader.load(
        singer.schema("shop-things", id=INTEGER, doc=DOCUMENT),
        singer.record("shop-things", id=1, doc={"rows": ["x" * 60_000] * 20}),
    )
    assert loader.one("select get_array_length(t.doc.rows) from {raw}.things as t") == 20


def test_a_date_that_redshift_lacks_is_set_aside(loader, singer):
    loader.load(
        singer.schema("shop-things", id=INTEGER, day=COLUMNS["day"], moment=COLUMNS["moment"]),
        singer.record("shop-things", id=1, day="infinity", moment="infinity"),
        singer.record("shop-things", id=2, day="2026-01-01"),
    )
    assert loader.rows("select id, day is null from {raw}.things order by id") == [
        (1, True),
        (2, False),
    ]
    assert loader.one("select count(*) from ops.quarantine where {mine}") == 2


def test_above_the_limit_nothing_is_loaded(loader, singer):
    with pytest.raises(QuarantineLimitError, match="column name of key"):
        loader.load(
            singer.schema("shop-things", id=INTEGER, name=TEXT),
            singer.record("shop-things", id=1, name="x" * 65_536),
            quarantine_limit=0,
        )
    assert loader.one("select count(*) from {raw}.things") == 0
    assert loader.staged() == []


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ((INTEGER, 2**63 - 1), (INTEGER, 2**64 - 1), [str(2**63 - 1), str(2**64 - 1)]),
        ((number(5, 2), "999.99"), (number(6, 4), "0.0001"), ["999.9900", "0.0001"]),
    ],
)
def test_a_number_column_widens_and_keeps_what_it_holds(loader, singer, first, then, expected):
    for key, (schema, value) in enumerate((first, then)):
        loader.load(
            singer.schema("shop-things", id=INTEGER, x=schema),
            singer.record("shop-things", id=key, x=value),
        )
    found = loader.rows("select cast(x as varchar) from {raw}.things order by id")
    assert [text for (text,) in found] == expected


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (INTEGER, 7, "7"),
        (COLUMNS["truth"], True, "true"),
        (COLUMNS["moment"], "2026-01-01T00:00:00Z", '"2026-01-01 00:00:00+00"'),
        (COLUMNS["code"], VALUES["code"], f'"{VALUES["code"]}"'),
    ],
)
def test_a_column_becomes_super_and_keeps_what_it_holds(loader, singer, schema, value, expected):
    loader.load(
        singer.schema("shop-things", id=INTEGER, x=schema),
        singer.record("shop-things", id=1, x=value),
    )
    loader.load(
        singer.schema("shop-things", id=INTEGER, x=DOCUMENT),
        singer.record("shop-things", id=2, x={"a": 1}),
    )
    found = loader.rows("select json_serialize(x) from {raw}.things order by id")
    assert [json.loads(text) for (text,) in found] == [json.loads(expected), {"a": 1}]


def test_a_column_is_added_in_a_statement_of_its_own(loader, singer):
    loader.load(singer.schema("shop-things", id=INTEGER), singer.record("shop-things", id=1))
    loader.load(
        singer.schema("shop-things", id=INTEGER, a=TEXT, b=DOCUMENT),
        singer.record("shop-things", id=2, a="x", b=[1]),
    )
    assert loader.rows("select id, a, json_serialize(b) from {raw}.things order by id") == [
        (1, None, None),
        (2, "x", "[1]"),
    ]


def test_a_large_batch_of_files_is_loaded_in_slices(loader, singer, tmp_path):
    path = tmp_path / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select range::bigint as id, 'row ' || range as name from range(100000)) "
            f"to '{path}' (format parquet)"
        )
    loader.load(
        singer.schema("shop-things", id=INTEGER, name=TEXT),
        singer.batch("shop-things", path),
        singer.state(**{"shop-things": {"at": 1}}),
        slices=4,
    )
    assert loader.one("select count(*), count(distinct name) from {raw}.things") == (
        100_000,
        100_000,
    )
