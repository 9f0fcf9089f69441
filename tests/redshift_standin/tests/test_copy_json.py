"""JSON: documents, their keys and values, and SUPER."""

from decimal import Decimal

import pytest

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import LoadError

pytestmark = pytest.mark.redshift

COLUMNS = {"id": "integer", "name": "character varying(20)", "doc": "jsonb"}


def test_keys_find_their_columns_and_others_are_left_out(bucket, copied):
    bucket.put("a", '{"name": "x", "id": 1, "doc": {"a": [1]}, "more": 2}\n{"id": 2}\n')
    assert copied("a", "json 'auto'", COLUMNS) == [(1, "x", {"a": [1]}), (2, None, None)]


def test_keys_must_be_lower_case_unless_case_is_ignored(bucket, copied):
    bucket.put("a", '{"ID": 1, "Name": "x"}')
    assert copied("a", "json 'auto'", COLUMNS) == [(None, None, None)]
    assert copied("a", "json 'auto ignorecase'", COLUMNS) == [(1, "x", None)]


def test_documents_need_nothing_between_them_and_may_have_lines(bucket, copied):
    bucket.put("a", '{"id":1}{"id":2}\n\n {\n "id":\n 3}\t{"id":4}')
    assert [row[0] for row in copied("a", "json", COLUMNS)] == [1, 2, 3, 4]


def test_documents_are_read_across_buffers(bucket, copied):
    text = "é" * 30_000
    bucket.put("a", "".join(f'{{"id": {n}, "doc": "{text}"}}\n' for n in range(100)))
    assert copied("a", "json", COLUMNS) == [(n, None, text) for n in range(100)]


def test_noshred_takes_each_document_whole(bucket, copied):
    bucket.put("a", '{"A": 1}\n[1, "b"]\n')
    assert copied("a", "json 'noshred'", {"doc": "jsonb"}) == [({"A": 1},), ([1, "b"],)]


@pytest.mark.parametrize("columns", [{"doc": "text"}, {"doc": "jsonb", "id": "integer"}, COLUMNS])
def test_noshred_needs_one_super_column(bucket, columns):
    bucket.put("a", "{}")
    with pytest.raises(RedshiftError, match="needs a table of one SUPER column"):
        bucket.copy("a", "json 'noshred'", columns)


@pytest.mark.parametrize(
    ("type_", "value", "arrives"),
    [
        ("integer", "1", 1),
        ("integer", '"1"', 1),
        ("integer", '""', None),
        ("numeric(12,2)", "1.50", Decimal("1.50")),
        ("numeric(38,0)", "9" * 38, Decimal("9" * 38)),
        ("numeric(38,10)", "0.0000000001", Decimal("0.0000000001")),
        ("double precision", "1e-5", 1e-5),
        ("character varying(10)", "1e5", "1e5"),
        ("boolean", "true", True),
        ("boolean", '"f"', False),
        ("character varying(10)", "1.50", "1.50"),
        ("character varying(10)", "true", "true"),
        ("character varying(10)", '""', ""),
        ("character varying(10)", '"\\u00e9\\n"', "é\n"),
        ("character varying(10)", '{"a": [1]}', '{"a":[1]}'),
        ("jsonb", '"text"', "text"),
        ("jsonb", '"1"', "1"),
        ("jsonb", "1.50", 1.5),
        ("jsonb", "null", None),
    ],
)
def test_a_value_is_read_as_its_column_wants(bucket, copied, type_, value, arrives):
    bucket.put("a", f'{{"value": {value}}}')
    assert copied("a", "json", {"value": type_}) == [(arrives,)]


def test_numbers_in_super_keep_their_digits(bucket, copied):
    bucket.put("a", '{"doc": {"n": [12345678901234567890.123456789, 1e2]}}')
    (line,) = copied("a", "json", {"doc": "jsonb"})
    assert bucket.copy("a", "json", {"doc": "jsonb"}) == (
        b'"{""n"":[12345678901234567890.123456789,1E+2]}"\n'
    )
    assert line[0]["n"][1] == 100


def test_options_make_null_of_empty_text(bucket, copied):
    bucket.put("a", '{"name": "", "id": 1}\n{"name": " ", "id": 2}')
    assert [row[1] for row in copied("a", "json emptyasnull", COLUMNS)] == [None, " "]
    assert [row[1] for row in copied("a", "json blanksasnull", COLUMNS)] == ["", None]


@pytest.mark.parametrize(
    ("document", "err_code", "reason"),
    [
        ("{", 1216, "Invalid JSON"),
        ("{'id': 1}", 1216, "Invalid JSON"),
        ('{"id": NaN}', 1216, "Invalid JSON"),
        ("[1]", 1216, "a document must be an object"),
        ("1", 1216, "a document must be an object"),
        ('{"id": "x"}', 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
        ('{"id": 1.5}', 1207, "Invalid digit, Value '.', Pos 1, Type: Integer"),
        ('{"doc": 1e-999}', 1224, "Number is out of range"),
        ('{"id": ' + "9" * 5000 + "}", 1216, "too many digits"),
        ('{"id": [1]}', 1216, "an object or array for a scalar column"),
        ('{"name": "abcdefghijklmnopqrstu"}', 1204, "String length exceeds DDL length"),
        ('{"doc": {"a": ["' + "é" * 32768 + '"]}}', 1224, "exceeds the max size of 65535 bytes"),
        ('{"doc": "\\ud800"}', 1220, "invalid or unsupported UTF8"),
        ('{"name": "\\ud800"}', 1220, "invalid or unsupported UTF8"),
        ('{"doc": "' + "x" * 4_200_000 + '"}', 1216, "larger than 4 MB"),
        ("[" * 100_000, 1216, "Invalid JSON"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_loaded_is_told_by_file_and_line(bucket, document, err_code, reason):
    url = bucket.put("a.json", f'{{"id": 1}}\n{document}\n')
    with pytest.raises(LoadError) as error:
        bucket.copy("a.json", "json", COLUMNS)
    assert (error.value.filename, error.value.line_number) == (url, 2)
    assert error.value.err_code == err_code
    assert reason in error.value.reason


def test_the_line_told_is_the_last_of_the_document(bucket):
    bucket.put("a", '\n{"id": 1}\n{\n"id":\n"x"\n}\n')
    with pytest.raises(LoadError) as error:
        bucket.copy("a", "json", COLUMNS)
    assert (error.value.line_number, error.value.column) == (6, "id")


def test_after_a_malformed_document_the_next_line_is_read(bucket, copied):
    bucket.put("a", '{"id": 1}\n{"id": 2\n{"id": 3}\n')
    reported = []
    rows = copied("a", "json maxerror 5", COLUMNS, reported.append)
    assert [row[0] for row in rows] == [1, 3]
    assert [error.line_number for error in reported] == [2]


def test_null_in_a_column_that_may_not_hold_it_is_an_error(bucket):
    bucket.put("a", '{"name": "x"}')
    with pytest.raises(LoadError) as error:
        bucket.copy("a", "json", {"id": "integer not null"})
    assert (error.value.err_code, error.value.column) == (1213, "id")


@pytest.mark.parametrize(
    ("type_", "name"), [("bytea", "VARBYTE"), ("time without time zone", "TIME")]
)
def test_some_types_cannot_come_as_json(bucket, type_, name):
    bucket.put("a", "{}")
    with pytest.raises(RedshiftError, match=f"cannot load a column of type {name}"):
        bucket.copy("a", "json", {"value": type_})
