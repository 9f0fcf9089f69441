"""CSV and delimited text: fields, NULL, options, and the rows that cannot be loaded."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import LoadError, TargetColumn, parse_copy
from redshift_standin.transfer.delimited import DelimitedRows

pytestmark = pytest.mark.redshift

TEXT = {"id": "integer", "name": "character varying(20)"}


def test_csv_fields_may_hold_delimiters_quotes_and_lines(bucket, copied):
    bucket.put("a", '1,"a, ""b""\nc"\r\n2,d\n')
    assert copied("a", "csv", TEXT) == [(1, 'a, "b"\nc'), (2, "d")]


def test_csv_may_have_another_quote_and_delimiter(bucket, copied):
    bucket.put("a", '1;%a;"b%%%\n')
    assert copied("a", "csv quote '%' delimiter ';'", TEXT) == [(1, 'a;"b%')]


def test_headers_are_skipped_in_every_file(bucket, copied):
    bucket.put("a/1", "id,name\n1,x\n")
    bucket.put("a/2", "id,name\n2,y\n")
    assert copied("a/", "csv ignoreheader 1", TEXT) == [(1, "x"), (2, "y")]


def test_text_stays_text_and_of_other_types_nothing_is_null(bucket, copied):
    bucket.put("a", '1,\n , \n2,""\n\\N,\\N\n')
    assert copied("a", "csv", TEXT) == [(1, ""), (None, " "), (2, ""), (None, None)]


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ("null as 'none'", ["", "  ", None, r"\N"]),
        ("null as ''", [None, "  ", "none", r"\N"]),
        ("emptyasnull", [None, "  ", "none", None]),
        ("blanksasnull", ["", None, "none", None]),
        ("trimblanks", ["", "", "none", None]),
    ],
)
def test_options_say_what_else_is_null(bucket, copied, option, names):
    bucket.put("a", "1,\n2,  \n3,none\n4,\\N\n")
    assert [name for _, name in copied("a", f"csv {option}", TEXT)] == names


def test_fillrecord_completes_rows_that_end_early(bucket, copied):
    bucket.put("a", "1\n")
    columns = {**TEXT, "at": "date"}
    assert copied("a", "csv fillrecord", columns) == [(1, "", None)]
    assert copied("a", "csv fillrecord emptyasnull", columns) == [(1, None, None)]


def test_blank_lines_are_skipped_on_demand(bucket, copied):
    bucket.put("a", "1,x\n\n2,y\n")
    assert copied("a", "csv ignoreblanklines", TEXT) == [(1, "x"), (2, "y")]
    with pytest.raises(LoadError) as error:
        bucket.copy("a", "csv", TEXT)
    assert error.value.line_number == 2


def test_truncatecolumns_cuts_at_a_character_within_the_bytes(bucket, copied):
    bucket.put("a", "1,aéé\n")
    columns = {"id": "integer", "name": "character varying(4)"}
    assert copied("a", "csv truncatecolumns", columns) == [(1, "aé")]


def test_acceptinvchars_replaces_each_byte_of_an_invalid_character(bucket, copied):
    bucket.put("a", b"1,a\xff\xfeb\n")
    assert copied("a", "csv acceptinvchars", TEXT) == [(1, "a??b")]
    assert copied("a", "csv acceptinvchars '^'", TEXT) == [(1, "a^^b")]


def test_super_and_bytes_are_read_from_csv(bucket, copied):
    bucket.put("a", '"{""a"": [1, ""b""]}",c0ffee\n"""text""",\n,00\n')
    columns = {"doc": "jsonb", "data": "bytea"}
    rows = [({"a": [1, "b"]}, b"\xc0\xff\xee"), ("text", None), (None, b"\0")]
    assert copied("a", "csv", columns) == rows


def test_delimited_text_takes_quotes_as_they_are(bucket, copied):
    bucket.put("a", '1|"x"\n2|\\N\n3|\n')
    assert copied("a", "", TEXT) == [(1, '"x"'), (2, None), (3, "")]


def test_escape_lets_a_field_hold_anything(bucket, copied):
    bucket.put("a", "1|a\\|b\\\\c\\\nd\n2|\\N\n3|\\\\N\n4|\\t\n")
    rows = [(1, "a|b\\c\nd"), (2, None), (3, None), (4, "t")]
    assert copied("a", "escape", TEXT) == rows


def test_removequotes_takes_a_pair_of_quotes_away(bucket, copied):
    bucket.put("a", "1|\"a|b\"\n2|'c'\n3|d'e\n")
    assert copied("a", "removequotes", TEXT) == [(1, "a|b"), (2, "c"), (3, "d'e")]


def test_removequotes_and_escape_keep_a_quote(bucket, copied):
    bucket.put("a", "1|'A Midsummer Night\\'s'\n")
    assert copied("a", "removequotes escape", TEXT) == [(1, "A Midsummer Night's")]


@pytest.mark.parametrize(
    ("line", "options", "err_code", "reason"),
    [
        ("1,x,y", "csv", 1202, "Extra column(s) found"),
        ("1", "csv", 1214, "Delimiter not found"),
        ('1,"x"y', "csv", 1216, "Invalid quote formatting for CSV"),
        ('1,"x', "csv", 1216, "Invalid quote formatting for CSV"),
        ("1|'x", "removequotes", 1216, "Invalid quote formatting"),
        ("1|x\\", "escape", 1216, "Escape character at end of file"),
        ("1," + "x" * 5_000_000, "csv", 1216, "Input row is too large"),
    ],
    ids=["extra", "missing", "stray quote", "open quote", "unpaired", "escape", "large"],
)
def test_a_malformed_row_is_told_by_file_and_line(bucket, line, options, err_code, reason):
    delimiter = "," if options == "csv" else "|"
    url = bucket.put("a.csv", f"1{delimiter}a\n{line}\n")
    with pytest.raises(LoadError) as error:
        bucket.copy("a.csv", options, TEXT)
    failure = error.value
    assert (failure.filename, failure.line_number) == (url, 2)
    assert (failure.err_code, failure.reason) == (err_code, reason)


def test_a_field_that_does_not_fit_is_told_with_column_type_and_value(bucket):
    url = bucket.put("a.csv", 'id,name\n1,"two\nlines"\n2,abcdefghijklmnopqrstu\n')
    with pytest.raises(LoadError) as error:
        bucket.copy("a.csv", "csv ignoreheader 1", TEXT)
    failure = error.value
    assert failure.message == (
        "Load into table 'loaded' failed.  Check 'stl_load_errors' system table for details."
    )
    assert failure.code == "XX000"
    assert (failure.filename, failure.line_number, failure.column) == (url, 4, "name")
    assert (failure.type, failure.raw_value) == ("character varying(20)", "abcdefghijklmnopqrstu")
    assert (failure.err_code, failure.reason) == (1204, "String length exceeds DDL length")


def test_a_raw_value_can_be_kept_in_a_table_whatever_it_was(bucket):
    bucket.put("a.csv", b"1,\xff" + b"x" * 2000 + b"\n")
    with pytest.raises(LoadError) as error:
        bucket.copy("a.csv", "csv", TEXT)
    assert len(error.value.raw_value) == 1024
    assert error.value.raw_value.startswith(r"\udcffx")
    assert error.value.raw_value.encode()


def test_null_in_a_column_that_may_not_hold_it_is_an_error(bucket):
    bucket.put("a", "1,x\n,y\n")
    with pytest.raises(LoadError) as error:
        bucket.copy("a", "csv", {"id": "integer not null", "name": "text"})
    assert (error.value.err_code, error.value.column) == (1213, "id")
    assert error.value.line_number == 2


def test_maxerror_lets_fewer_errors_pass_and_reports_each(bucket, copied):
    bucket.put("a", "1,a\nx,b\n3,c\ny,d\n5,e\n")
    reported = []
    rows = copied("a", "csv maxerror 3", TEXT, reported.append)
    assert rows == [(1, "a"), (3, "c"), (5, "e")]
    assert [(error.line_number, error.raw_value) for error in reported] == [(2, "x"), (4, "y")]


@pytest.mark.parametrize("allowed", [0, 1])
def test_maxerror_of_0_or_1_fails_at_the_first_error(bucket, allowed):
    bucket.put("a", "1,a\nx,b\n")
    with pytest.raises(LoadError):
        bucket.copy("a", f"csv maxerror {allowed}", TEXT)


def test_maxerror_counts_over_all_files_and_fails_at_its_number(bucket):
    for name in "abc":
        bucket.put(f"n/{name}", "x,a\n")
    reported = []
    with pytest.raises(LoadError) as error:
        bucket.copy("n/", "csv maxerror 3", TEXT, reported.append)
    assert error.value.filename == bucket.url("n/c")
    assert len(reported) == 2


def test_a_row_malformed_by_a_quote_can_be_left_out(bucket, copied):
    bucket.put("a", '1,a\n2,"b"x\n3,c\n')
    assert copied("a", "csv maxerror 2", TEXT) == [(1, "a"), (3, "c")]


def test_nul_is_refused_because_postgresql_cannot_hold_it(bucket):
    bucket.put("a", "1|a\0b\n")
    with pytest.raises(RedshiftError, match="the character NUL") as error:
        bucket.copy("a", "", TEXT)
    assert error.value.code == "0A000"


@pytest.mark.parametrize("type_", ["uuid", "integer[]", "interval", "super"])
def test_a_type_that_redshift_has_not_is_refused(bucket, type_):
    bucket.put("a", "1\n")
    with pytest.raises(RedshiftError, match="does not have columns of type"):
        bucket.copy("a", "csv", {"value": type_})


TEXTS = st.lists(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10),
        min_size=2,
        max_size=2,
    ),
    max_size=10,
)


def read_text(text, options):
    """Read rows of two texts, as a COPY does."""
    copy = parse_copy(
        f"copy t from 's3://bucket/a' iam_role default null as 'longer than any' {options}"
    )
    rows = DelimitedRows(copy, [TargetColumn(name, "character varying(40)") for name in "ab"])
    records = rows.records(io.BufferedReader(io.BytesIO(text.encode())))
    return [rows.row(record.content) for record in records if not record.problem]


@given(texts=TEXTS)
def test_any_text_is_read_from_csv_as_python_wrote_it(texts):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(texts)
    assert read_text(out.getvalue(), "csv") == texts


@given(texts=TEXTS)
def test_any_text_is_read_from_escaped_text_as_it_was_escaped(texts):
    def escape(text):
        return re.sub(r"([\\|\n\r\"'])", r"\\\1", text)

    plain = "".join("|".join(map(escape, row)) + "\n" for row in texts)
    assert read_text(plain, "escape") == texts
    quoted = "".join("|".join(f'"{escape(field)}"' for field in row) + "\n" for row in texts)
    assert read_text(quoted, "escape removequotes") == texts
