"""UNLOAD: statements, files, and that a COPY reads back what was written."""

import bz2
import gzip
import io
import json
import re
from datetime import date, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import TargetColumn, parse_unload, write_unload
from redshift_standin.transfer.authorization import REFUSED_VARIABLE
from redshift_standin.transfer.statement import Compression, Format
from redshift_standin.transfer.unload_statement import LARGEST_FILE

pytestmark = pytest.mark.redshift

TYPES = {
    "id": "integer",
    "name": "character varying(40)",
    "amount": "numeric(12,2)",
    "flag": "boolean",
    "day": "date",
    "at": "timestamp with time zone",
    "naive": "timestamp without time zone",
    "doc": "jsonb",
}
ROWS = """
    select 1, 'a|b,"c"', 1.50::numeric(12,2), true, date '2024-02-29',
        timestamptz '2024-02-29 23:00:00.5+01', timestamp '2024-02-29 23:00:00', '{"a": 1}'::jsonb
    union all select 2, '', 0, false, null, null, null, null
    union all select null, null, null, null, null, null, null, '"x"'
    order by 1
"""


@pytest.fixture
def unload(bucket, warehouse):
    """Unload a query of PostgreSQL into a bucket."""

    def unload_query(options, query=ROWS, types=TYPES, prefix="out/"):
        statement = parse_unload(
            f"unload ('select 1') to '{bucket.url(prefix)}' iam_role default {options}"
        )
        columns = [TargetColumn(name, type_) for name, type_ in types.items()]
        with warehouse.cursor().copy(f"copy ({query}) to stdout (format csv)") as rows:
            write_unload(statement, (bytes(row) for row in rows), columns, bucket.s3)

    return unload_query


def parse(options):
    return parse_unload(f"unload ('select 1') to 's3://bucket/out_' iam_role default {options}")


def test_a_statement_is_read_with_all_its_options():
    read = parse_unload(
        """
        UNLOAD ('select ''a'' as x, \\'b\\' as y from (select 1 limit 1) one')
        TO 's3://bucket/folder/out_' IAM_ROLE default
        DELIMITER AS '\\t' ADDQUOTES ESCAPE NULL AS '\\\\N' HEADER GZIP MANIFEST VERBOSE
        ALLOWOVERWRITE PARALLEL OFF MAXFILESIZE AS 1.5 GB REGION 'eu-central-1';
        """
    )
    assert read.query == "select 'a' as x, 'b' as y from (select 1 limit 1) one"
    assert read.target.url == "s3://bucket/folder/out_"
    assert (read.delimiter, read.null_as, read.compression) == ("\t", r"\N", Compression.GZIP)
    assert (read.manifest, read.is_parallel) == ("VERBOSE", False)
    assert read.max_file_size == 1.5 * 1024**3
    assert all((read.add_quotes, read.is_escaped, read.has_header, read.allow_overwrite))


def test_without_options_files_are_text_with_bars():
    read = parse("")
    assert (read.format, read.delimiter, read.null_as) == (Format.DELIMITED, "|", "")
    assert (read.is_parallel, read.max_file_size, read.manifest) == (True, LARGEST_FILE, None)
    assert parse("format as csv").delimiter == ","


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("parquet header", "HEADER is not supported for UNLOAD to PARQUET"),
        ("parquet gzip", "GZIP is not supported for UNLOAD to PARQUET"),
        ("parquet delimiter ','", "DELIMITER is not supported for UNLOAD to PARQUET"),
        ("parquet null as ''", "NULL is not supported for UNLOAD to PARQUET"),
        ("csv addquotes", "ADDQUOTES is not supported for UNLOAD to CSV"),
        ("csv escape", "ESCAPE is not supported for UNLOAD to CSV"),
        ("cleanpath allowoverwrite", "CLEANPATH cannot be specified with ALLOWOVERWRITE"),
        ("maxfilesize 4 mb", "MAXFILESIZE must be between 5 MB and 6.2 GB"),
        ("maxfilesize 6.3 gb", "MAXFILESIZE must be between 5 MB and 6.2 GB"),
        ("gzip bzip2", "conflicting or redundant options: BZIP2"),
        ("verbose", 'syntax error at or near "verbose"'),
        ("partition by (a)", "the Redshift stand-in does not have PARTITION"),
        ("format json", "the Redshift stand-in does not have JSON"),
        ("encrypted", "the Redshift stand-in does not have ENCRYPTED"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(RedshiftError, match=re.escape(message)):
        parse(options)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("unload ('select 1') to 's3://bucket/a'", "No credentials were specified"),
        ("unload (select 1) to 's3://bucket/a' iam_role default", "syntax error"),
        ("unload ('select 1') to '/tmp/a' iam_role default", "Invalid S3 URI"),
        ("unload ('select 1 LIMIT 1') to 's3://bucket/a' iam_role default", "Limit clause"),
    ],
)
def test_a_statement_that_is_none_is_refused(statement, message):
    with pytest.raises(RedshiftError, match=message):
        parse_unload(statement)


def test_csv_quotes_what_needs_it_and_null_is_nothing(bucket, unload):
    unload("csv header parallel off")
    assert bucket.list_keys() == ["out/000"]
    assert bucket.get("out/000").decode().splitlines() == [
        "id,name,amount,flag,day,at,naive,doc",
        '1,"a|b,""c""",1.50,t,2024-02-29,2024-02-29 22:00:00.5+00,2024-02-29 23:00:00,"{""a"":1}"',
        '2,"",0,f,,,,null',
        ',,,,,,,"""x"""',
    ]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("", "a|b\\'|@"),
        ("delimiter ','", "a|b\\',@"),
        ("escape", "a\\|b\\\\'|@"),
        ("addquotes", '"a|b\\\'"|@'),
        ("addquotes escape", '"a\\|b\\\\\\\'"|@'),
        ("null as '~'", "a|b\\'|@~"),
    ],
)
def test_delimited_text_is_written_as_it_is_told(bucket, unload, options, line):
    types = {"text": "text", "none": "text"}
    unload(f"{options} parallel off", "select 'a|b\\''', null::text", types)
    assert bucket.get("out/000").decode() == line.replace("@", "") + "\n"


@pytest.mark.parametrize(
    ("unload_options", "copy_options"),
    [
        ("csv", "csv"),
        ("csv delimiter ';' gzip", "csv delimiter ';' gzip"),
        ("csv zstd", "csv zstd"),
        ("csv bzip2", "csv bzip2"),
        ("csv null as '~'", "csv null as '~'"),
        ("csv header", "csv ignoreheader 1"),
        ("escape null as '\\\\N'", "escape"),
        ("addquotes escape null as '~'", "removequotes escape null as '~'"),
        ("parquet", "parquet serializetojson"),
    ],
)
def test_a_copy_reads_back_what_was_written(unload, copied, unload_options, copy_options):
    query = """
        select n, 'line ' || n || E'\\n"|,;\\\\' as text, n / 3::numeric(12,2),
            jsonb_build_object('n', n, 'text', 'a,b')
        from generate_series(1, 1000) n
    """
    types = {"n": "integer", "text": "text", "third": "numeric(12,2)", "doc": "jsonb"}
    query = f"select n, text, third::numeric(12,2), doc from ({query}) q (n, text, third, doc)"
    unload(unload_options, query, types)
    rows = copied("out/", copy_options, types)
    assert sorted(row[0] for row in rows) == list(range(1, 1001))
    third = Decimal(7) / 3
    expected = (7, 'line 7\n"|,;\\', round(third, 2), {"n": 7, "text": "a,b"})
    assert expected in rows


def test_files_are_named_after_slices_and_compression(bucket, unload):
    query, types = "select generate_series(1, 10)", {"n": "integer"}
    for options, names in {
        "": ["0000_part_00", "0001_part_00"],
        "csv gzip": ["0000_part_00.gz", "0001_part_00.gz"],
        "bzip2": ["0000_part_00.bz2", "0001_part_00.bz2"],
        "zstd": ["0000_part_00.zst", "0001_part_00.zst"],
        "parquet": ["0000_part_00.parquet", "0001_part_00.parquet"],
        "parquet parallel off": ["000.parquet"],
        "gzip parallel off": ["000.gz"],
    }.items():
        unload(f"{options} cleanpath", query, types)
        assert bucket.list_keys() == [f"out/{name}" for name in names]


def test_files_are_compressed_as_their_names_say(bucket, unload):
    unload("gzip parallel off", "select 1", {"n": "integer"}, "a_")
    unload("bzip2 parallel off", "select 1", {"n": "integer"}, "b_")
    assert gzip.decompress(bucket.get("a_000.gz")) == b"1\n"
    assert bz2.decompress(bucket.get("b_000.bz2")) == b"1\n"


def test_one_slice_keeps_the_order_of_the_rows(bucket, unload):
    unload("parallel off", "select generate_series(10, 1, -1)", {"n": "integer"})
    assert bucket.get("out/000").split() == [str(n).encode() for n in range(10, 0, -1)]


def test_parquet_is_typed(bucket, unload):
    unload("parquet parallel off")
    file = pq.ParquetFile(io.BytesIO(bucket.get("out/000.parquet")))
    assert [str(field.type) for field in file.schema_arrow] == [
        *("int32", "string", "decimal128(12, 2)", "bool", "date32[day]"),
        *("timestamp[us]", "timestamp[us]", "extension<arrow.json>"),
    ]
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    first, second, third = (tuple(row.values()) for row in file.read().to_pylist())
    moment = datetime(2024, 2, 29, 22, 0, 0, 500000)
    naive = datetime(2024, 2, 29, 23)
    start = (1, 'a|b,"c"', Decimal("1.50"), True, date(2024, 2, 29), moment, naive)
    assert first == (*start, '{"a":1}')
    assert second == (2, "", Decimal(0), False, None, None, None, None)
    assert third == (*[None] * 7, '"x"')


def test_a_null_in_a_single_column_is_a_row(bucket, unload):
    unload("parallel off", "select null::int from generate_series(1, 3)", {"n": "integer"})
    assert bucket.get("out/000") == b"\n\n\n"


def test_bytes_are_written_in_hexadecimal_and_not_to_parquet(bucket, unload):
    unload("csv parallel off", r"select '\x00ff'::bytea", {"data": "bytea"})
    assert bucket.get("out/000") == b"00ff\n"
    with pytest.raises(RedshiftError, match="VARBYTE columns can only be unloaded to text or CSV"):
        unload("parquet cleanpath", r"select '\x00ff'::bytea", {"data": "bytea"})
    assert bucket.list_keys() == ["out/000"]


def test_a_type_that_parquet_would_not_get_is_refused(unload):
    with pytest.raises(RedshiftError, match="does not have UNLOAD of time without time zone"):
        unload("parquet", "select time '12:00'", {"at": "time without time zone"})


def test_a_result_without_rows_leaves_nothing(bucket, unload):
    unload("csv header manifest", "select 1 where false", {"n": "integer"})
    assert bucket.list_keys() == []


def test_what_is_there_is_not_overwritten_unless_told(bucket, unload):
    query, types = "select 1", {"n": "integer"}
    bucket.put("out/old", "x")
    bucket.put("other", "x")
    with pytest.raises(RedshiftError, match="Specified unload destination on S3 is not empty"):
        unload("parallel off", query, types)
    unload("parallel off allowoverwrite", query, types)
    assert bucket.list_keys() == ["other", "out/000", "out/old"]
    unload("parallel off cleanpath", query, types)
    assert bucket.list_keys() == ["other", "out/000"]


def test_a_manifest_lists_the_files_with_their_lengths(bucket, unload, copied):
    unload("parquet manifest", "select generate_series(1, 10)", {"n": "integer"})
    manifest = json.loads(bucket.get("out/manifest"))
    keys = ["out/0000_part_00.parquet", "out/0001_part_00.parquet"]
    assert manifest == {
        "entries": [
            {"url": bucket.url(key), "meta": {"content_length": len(bucket.get(key))}}
            for key in keys
        ]
    }
    rows = copied("out/manifest", "parquet manifest", {"n": "integer"})
    assert rows == [(n,) for n in range(1, 11)]


def test_a_verbose_manifest_says_more(bucket, unload):
    unload("csv header manifest verbose parallel off")
    manifest = json.loads(bucket.get("out/manifest"))
    size = len(bucket.get("out/000"))
    (entry,) = manifest["entries"]
    assert entry["meta"] == manifest["meta"] == {"content_length": size, "record_count": 4}
    elements = {element["name"]: element["type"] for element in manifest["schema"]["elements"]}
    assert elements["id"] == {"base": "integer"}
    assert elements["name"] == {"base": "character varying", "max_length": 40}
    assert elements["amount"] == {"base": "numeric", "precision": 12, "scale": 2}
    assert elements["doc"] == {"base": "super"}
    assert manifest["author"]["name"] == "Amazon Redshift"


@pytest.mark.parametrize("options", ["csv header", "parquet"])
def test_a_file_that_has_the_largest_size_is_followed_by_another(bucket, unload, options):
    query = """
        select n, (select string_agg(md5(concat(n, k)), '') from generate_series(1, 30) k)
        from generate_series(1, 14000) n
    """
    unload(f"{options} parallel off maxfilesize 5 mb", query, {"n": "integer", "text": "text"})
    files = [bucket.get(key) for key in bucket.list_keys()]
    assert [key[:7] for key in bucket.list_keys()] == ["out/000", "out/001"]
    assert 5 * 1024 * 1024 <= len(files[0]) <= 10 * 1024 * 1024
    if options == "csv header":
        assert all(file.startswith(b"n,text\n") for file in files)


def test_a_refused_role_and_a_missing_bucket_are_errors(s3, bucket, unload, monkeypatch):
    statement = parse_unload("unload ('x') to 's3://nobody-has-this/a' iam_role default")
    with pytest.raises(RedshiftError, match="Error NoSuchBucket"):
        write_unload(statement, [b"1\n"], [TargetColumn("n", "integer")], s3)
    monkeypatch.setenv(REFUSED_VARIABLE, "default")
    with pytest.raises(RedshiftError, match="is not authorized to assume IAM Role"):
        unload("csv", "select 1", {"n": "integer"})
    assert bucket.list_keys() == []
