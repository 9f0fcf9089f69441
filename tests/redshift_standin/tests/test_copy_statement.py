"""What a COPY statement may say."""

import re

import pytest

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import parse_copy
from redshift_standin.transfer.copy_statement import JsonMapping
from redshift_standin.transfer.statement import Compression, Format

pytestmark = pytest.mark.redshift

ROLE = "arn:aws:iam::123456789012:role/loader"


def copy(options):
    return parse_copy(f"copy orders from 's3://bucket/orders' iam_role default {options}")


def test_a_statement_is_read_with_all_its_options():
    statement = f"""
        COPY Raw_Shop."Orders" (id, "Total", at)  -- three of its columns
        FROM 's3://bucket/folder/orders.manifest'
        IAM_ROLE '{ROLE}'
        FORMAT AS CSV QUOTE AS '%' DELIMITER AS '\\t' NULL AS '\\\\N' IGNOREHEADER AS 1
        GZIP MANIFEST REGION 'eu-central-1' /* another one */
        DATEFORMAT 'auto' TIMEFORMAT 'epochmillisecs' ACCEPTINVCHARS AS '^' MAXERROR 10
        EMPTYASNULL BLANKSASNULL TRIMBLANKS TRUNCATECOLUMNS FILLRECORD ROUNDEC ACCEPTANYDATE
        IGNOREBLANKLINES ENCODING UTF8 COMPUPDATE OFF STATUPDATE ON;
    """
    read = parse_copy(statement)
    assert (read.table, read.table_name) == ('Raw_Shop."Orders"', "Orders")
    assert read.columns == ("id", "total", "at")
    assert read.source.url == "s3://bucket/folder/orders.manifest"
    assert read.authorization.roles == (ROLE,)
    assert (read.format, read.compression) == (Format.CSV, Compression.GZIP)
    assert (read.quote, read.delimiter, read.null_as, read.ignore_header) == ("%", "\t", r"\N", 1)
    assert (read.date_format, read.time_format) == ("auto", "epochmillisecs")
    assert (read.accept_invalid_characters, read.max_errors) == ("^", 10)
    assert (read.compupdate, read.statupdate, read.region) == ("OFF", True, "eu-central-1")
    assert all(
        (
            *(read.is_manifest, read.empty_as_null, read.blanks_as_null, read.trim_blanks),
            *(read.truncate_columns, read.fill_record, read.round_decimals),
            *(read.accept_any_date, read.ignore_blank_lines),
        )
    )


def test_without_options_a_file_is_text_with_bars():
    read = copy("")
    assert (read.format, read.delimiter, read.null_as) == (Format.DELIMITED, "|", r"\N")
    assert read.columns == ()
    assert (read.compupdate, read.statupdate, read.max_errors) == ("AUTO", None, 0)


@pytest.mark.parametrize("words", ["csv", "format csv", "format as csv"])
def test_csv_has_commas(words):
    assert copy(words).delimiter == ","


@pytest.mark.parametrize(
    ("words", "mapping"),
    [
        ("json", JsonMapping.AUTO),
        ("format json as 'auto'", JsonMapping.AUTO),
        ("format as json 'auto ignorecase'", JsonMapping.AUTO_IGNORE_CASE),
        ("json 'noshred'", JsonMapping.NO_SHRED),
    ],
)
def test_json_finds_its_columns_as_it_is_told(words, mapping):
    read = copy(f"{words} gzip")
    assert (read.format, read.json_mapping) == (Format.JSON, mapping)


@pytest.mark.parametrize(("text", "character"), [(r"\036", "\x1e"), (r"\t", "\t"), ("~", "~")])
def test_a_delimiter_may_be_octal(text, character):
    assert copy(f"delimiter '{text}'").delimiter == character


@pytest.mark.parametrize("table", ["#stage", "raw.orders", '"raw"."orders"', "Größe"])
def test_a_table_stays_as_it_is_written(table):
    assert parse_copy(f"copy {table} from 's3://bucket/a' iam_role default csv").table == table


@pytest.mark.parametrize(
    ("options", "roles", "key"),
    [
        ("iam_role default", ("default",), None),
        (f"iam_role '{ROLE},{ROLE}2'", (ROLE, f"{ROLE}2"), None),
        (f"with credentials as 'aws_iam_role={ROLE}'", (ROLE,), None),
        ("access_key_id 'AKIA' secret_access_key 'hush'", (), "AKIA"),
        ("access_key_id 'AKIA' secret_access_key 'hush' session_token 'mum'", (), "AKIA"),
        ("credentials 'aws_access_key_id=AKIA;aws_secret_access_key=hush;token=mum'", (), "AKIA"),
    ],
)
def test_every_kind_of_right_is_taken_and_no_secret_shown(options, roles, key):
    read = parse_copy(f"copy orders from 's3://bucket/a' {options} csv")
    assert (read.authorization.roles, read.authorization.access_key_id) == (roles, key)
    assert not re.search("hush|mum", repr(read))


@pytest.mark.parametrize(
    "options",
    [
        "",
        "iam_role loader",
        "iam_role 'loader'",
        "iam_role 'arn:aws:iam::12:role/loader'",
        f"iam_role '{ROLE}' access_key_id 'AKIA' secret_access_key 'hush'",
        f"iam_role default credentials 'aws_iam_role={ROLE}'",
        "access_key_id 'AKIA'",
        "session_token 'mum'",
        "credentials 'hush'",
        "credentials 'aws_access_key_id=AKIA'",
        "credentials 'aws_access_key_id=AKIA; aws_secret_access_key=hush'",
        f"credentials 'aws_iam_role={ROLE};aws_access_key_id=AKIA'",
        "with 'hush'",
        "access_key_id 'AKIA' 'hush'",
    ],
)
def test_a_right_of_no_known_form_is_refused_without_showing_it(options):
    with pytest.raises(RedshiftError) as refusal:
        parse_copy(f"copy orders from 's3://bucket/a' {options} csv")
    assert not re.search("hush|mum", refusal.value.message)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (option, f"{option.split()[0].upper()} argument is not supported for PARQUET based COPY")
        for option in (
            *("gzip", "zstd", "bzip2", "compupdate on", "compupdate off", "maxerror 5"),
            *("region 'eu-central-1'", "ignoreheader 1", "delimiter ','", "null as ''"),
            *("emptyasnull", "blanksasnull", "truncatecolumns", "dateformat 'auto'"),
            *("acceptanydate", "escape", "timeformat 'auto'", "encoding utf8", "roundec"),
        )
    ],
)
def test_a_columnar_copy_takes_few_options(option, message):
    with pytest.raises(RedshiftError, match=message):
        copy(f"format parquet {option}")


def test_a_columnar_copy_takes_these():
    read = copy("format as parquet manifest statupdate off fillrecord serializetojson")
    assert (read.format, read.statupdate, read.serialize_to_json) == (Format.PARQUET, False, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("csv escape", "CSV cannot be used with ESCAPE"),
        ("csv removequotes", "CSV cannot be used with REMOVEQUOTES"),
        ("json delimiter ','", "DELIMITER cannot be used with JSON"),
        ("json null as ''", "NULL cannot be used with JSON"),
        ("json fillrecord", "FILLRECORD cannot be used with JSON"),
        ("quote '%'", "QUOTE can only be used with CSV"),
        ("csv serializetojson", "SERIALIZETOJSON can only be used with PARQUET"),
        ("csv json", "conflicting or redundant options: JSON"),
        ("gzip zstd", "conflicting or redundant options: ZSTD"),
        ("csv manifest manifest", "conflicting or redundant options: MANIFEST"),
        ("csv delimiter ',,'", "a single ASCII character is needed"),
        ("csv delimiter 'é'", "a single ASCII character is needed"),
        ("maxerror 100001", "MAXERROR must be between 0 and 100000"),
        ("maxerror 1.5", 'syntax error at or near "1.5"'),
        ("json 'automatic'", "Invalid JSON option 'automatic'"),
        ("csv header", 'syntax error at or near "header"'),
        ("format xml", 'syntax error at or near "xml"'),
        ("format gzip", 'syntax error at or near "GZIP"'),
        ("csv dateformat 'AUTO'", "does not know AUTO"),
        ("csv timeformat 'YYYY-MM-DD HH:MI:SS TZ'", "does not know TZ"),
        ("csv dateformat 'YYYY-YYYY'", "says a part of a moment twice"),
        ("csv dateformat auto", 'syntax error at or near "auto"'),
        ("csv gzip 'hush'", "syntax error at or near \"'...'\""),
        ("csv ; select 1", 'syntax error at or near ";"'),
        ("csv delimiter", 'syntax error at or near "end of input"'),
    ],
)
def test_what_redshift_refuses_is_refused(options, message):
    with pytest.raises(RedshiftError, match=re.escape(message)):
        copy(options)


@pytest.mark.parametrize(
    "options",
    [
        *("format orc", "avro 'auto'", "fixedwidth '1:3'", "lzop", "noload", "explicit_ids"),
        *("encoding utf16", "json 's3://bucket/paths'", "format parquet acceptinvchars"),
        r"null as '\000'",
        *("comprows 1000", "ignoreallerrors", "encrypted", "ssh", "readratio 5"),
    ],
)
def test_what_only_redshift_has_is_refused_by_name(options):
    with pytest.raises(RedshiftError, match="the Redshift stand-in does not have") as refusal:
        copy(options)
    assert refusal.value.code == "0A000"


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "copy from 's3://bucket/a' iam_role default",
        "copy orders () from 's3://bucket/a' iam_role default",
        "copy orders (id from 's3://bucket/a' iam_role default",
        "copy orders to 's3://bucket/a' iam_role default",
        "copy orders from stdin",
        "copy orders from '/tmp/a' iam_role default",
        "copy orders from 's3://' iam_role default",
        "copy orders from 'dynamodb://a' iam_role default readratio 5",
        "",
    ],
)
def test_no_other_statement_is_taken_for_a_copy_from_s3(statement):
    with pytest.raises(RedshiftError):
        parse_copy(statement)
