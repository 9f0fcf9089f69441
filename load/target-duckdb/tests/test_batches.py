"""BATCH messages: files of JSON lines and of Parquet."""

import gzip
import json

import duckdb
import pytest

from watershed_load_plan import LoadError, RecordError

pytestmark = pytest.mark.load

INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}
PRICE = {"type": ["string", "null"], "format": "singer.decimal", "precision": 12, "scale": 2}


@pytest.fixture
def parquet(tmp_path):
    """Write the rows of a query to a Parquet file."""

    def write(name, query):
        path = tmp_path / f"{name}.parquet"
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"copy ({query}) to '{path}' (format parquet)")
        return path

    return write


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_json_lines_load_like_records(loader, singer, tmp_path, compression):
    lines = [json.dumps({"id": n, "name": f"ü {n}"}) for n in range(3)]
    path = tmp_path / "lines.jsonl"
    packed = gzip.compress if compression else bytes
    path.write_bytes(packed("\n".join(lines).encode()))
    loader.load(
        singer.schema("shop-names", id=INTEGER, name=TEXT),
        singer.batch("shop-names", path, format="jsonl", compression=compression),
        singer.state(**{"shop-names": {}}),
    )
    assert loader.rows("select id, name from shop.names order by id") == [
        (n, f"ü {n}") for n in range(3)
    ]


def test_parquet_columns_of_the_right_type_pass_as_they_are(loader, singer, parquet):
    path = parquet(
        "rows",
        'select range::bigint as "Id", (range / 4)::decimal(12,2) as price, '
        "timestamptz '2026-01-01 00:00:00.000001+00' as at, '{\"a\": 1.10}'::json as doc, "
        "'x'::blob as raw from range(3)",
    )
    loader.load(
        singer.schema(
            "shop-rows",
            keys=("Id",),
            Id=INTEGER,
            price=PRICE,
            at={"type": "string", "format": "date-time"},
            doc={"type": "object"},
            raw={"type": "string", "contentEncoding": "base64"},
        ),
        singer.batch("shop-rows", path, format="parquet"),
        singer.state(**{"shop-rows": {}}),
    )
    assert loader.rows(
        'select id, price::varchar, "at"::varchar, doc::varchar, raw from shop.rows order by id'
    ) == [
        (n, price, "2026-01-01 00:00:00.000001+00", '{"a": 1.10}', b"x")
        for n, price in enumerate(["0.00", "0.25", "0.50"])
    ]
    assert loader.one("select rows_inserted, bytes from ops.loads") == (3, path.stat().st_size)


def test_parquet_columns_of_another_type_are_read_exactly_or_set_aside(loader, singer, parquet):
    path = parquet(
        "rows",
        "select 1 as id, '1.5' as price, 7::utinyint as n, [1, 2] as list union all "
        "select 2, '1.005', 8, [] union all select 3, null, null, null",
    )
    loader.load(
        singer.schema("shop-rows", id=INTEGER, price=PRICE, n=INTEGER, list={"type": "array"}),
        singer.batch("shop-rows", path, format="parquet"),
    )
    assert loader.rows(
        "select id, price::varchar, n, list::varchar from shop.rows order by id"
    ) == [(1, "1.500", 7, "[1,2]"), (2, "1.005", 8, "[]"), (3, None, None, None)]
    assert loader.types("shop.rows")["price"] == "DECIMAL(13,3)"


def test_of_one_key_the_last_row_in_the_order_of_files_stays(loader, singer, parquet):
    first = parquet("first", "select 1::bigint as id, 'first' as name")
    second = parquet("second", "select 1::bigint as id, 'second' as name")
    loader.load(
        singer.schema("shop-names", id=INTEGER, name=TEXT),
        singer.batch("shop-names", first, second, format="parquet"),
    )
    assert loader.rows("select id, name from shop.names") == [(1, "second")]


def test_a_keyless_version_in_parquet_is_swapped_like_one_in_records(loader, singer, parquet):
    for version, lines in ((10, "'a', 'a'"), (20, "'b'")):
        rows = f"select unnest([{lines}]) as line, {version}::bigint as _sdc_table_version"
        loader.load(
            singer.schema("shop-log", keys=(), line=TEXT),
            singer.batch("shop-log", parquet(f"v{version}", rows), format="parquet"),
            singer.activate("shop-log", version),
        )
    assert loader.rows("select line, _sdc_table_version from shop.log") == [("b", 20)]


def test_a_column_that_the_files_lack_is_null(loader, singer, parquet):
    path = parquet("rows", "select 1::bigint as id")
    loader.load(
        singer.schema("shop-names", id=INTEGER, name=TEXT),
        singer.batch("shop-names", path, format="parquet"),
    )
    assert loader.rows("select id, name from shop.names") == [(1, None)]


def test_a_file_that_is_no_parquet_is_one_line(loader, singer, tmp_path):
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(RecordError, match=r"shop-names: BATCH file .* cannot be read as Par"):
        loader.load(
            singer.schema("shop-names", id=INTEGER),
            singer.batch("shop-names", path, format="parquet"),
        )


def test_an_encoding_we_do_not_read_is_one_line(loader, singer, tmp_path):
    with pytest.raises(LoadError, match=r"BATCH format 'avro' is not jsonl or parquet"):
        loader.load(
            singer.schema("shop-names", id=INTEGER),
            singer.batch("shop-names", tmp_path / "x", format="avro"),
        )


def test_a_stream_map_never_lets_parquet_pass_untransformed(loader, singer, parquet):
    path = parquet("rows", "select 1::bigint as id, 'secret' as name")
    with pytest.raises(LoadError, match="stream map cannot reach into Parquet batches"):
        loader.load(
            singer.schema("shop-names", id=INTEGER, name=TEXT),
            singer.batch("shop-names", path, format="parquet"),
            stream_maps={"shop-names": {"name": "__NULL__"}},
        )


def test_a_stream_map_reaches_records(loader, singer):
    loader.load(
        singer.schema("shop-names", id=INTEGER, name=TEXT),
        singer.record("shop-names", id=1, name="secret"),
        stream_maps={"shop-names": {"name": "__NULL__"}},
    )
    assert "name" not in loader.types("shop.names")
    assert loader.rows("select id from shop.names") == [(1,)]
