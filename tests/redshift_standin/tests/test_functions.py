"""Each function that is on the list means what it means in Redshift."""

import datetime as dt
from decimal import Decimal

import psycopg
import pytest

pytestmark = pytest.mark.redshift

VALUES = [
    # Text: characters are counted by len, bytes by octet_length; case is Unicode's.
    ("len('äb')", 2),
    ("octet_length('äb')", 3),
    ("upper('straße ä')", "STRASSE Ä"),
    ("lower('ÄÖ')", "äö"),
    ("initcap('élan vital')", "Élan Vital"),
    ("left('abc', 2) || right('abc', 1)", "abc"),
    ("left('abc', -1)", ""),
    ("split_part('a-b-c', '-', 2)", "b"),
    ("split_part('a-b-c', '-', 4)", ""),
    ("charindex('b', 'abc')", 2),
    ("concat('a', null)", None),
    ("'a' || 'b'", "ab"),
    ("regexp_replace('a1b22', '[0-9]')", "ab"),
    ("regexp_replace('a1b22', '[0-9]', 'x')", "axbxx"),
    ("regexp_substr('ab12', '[0-9]+')", "12"),
    ("regexp_substr('ab', '[0-9]+')", ""),
    ("regexp_count('a1b2', '[0-9]')", 2),
    ("translate('abc', 'ab', 'xy')", "xyc"),
    ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("strtol('ff', 16)", 255),
    ("strtol('fffffffffffff', 16)", 4503599627370495),
    # A backslash escapes.
    (r"'a\\b'", "a\\b"),
    # Null.
    ("nvl(null, 2)", 2),
    ("nvl2(null, 1, 2)", 2),
    ("decode(2, 1, 'one', 2, 'two', 'more')", "two"),
    ("decode(3, 1, 'one', 2, 'two', 'more')", "more"),
    ("decode(3, 1, 'one')", None),
    ("decode(null::int, null, 'nothing', 'something')", "nothing"),
    # Numbers.
    ("trunc(-1.57)", Decimal(-1)),
    ("trunc(1.57, 1)", Decimal("1.5")),
    ("round(2.567::float8, 2)", 2.57),
    ("12.5::numeric", Decimal(13)),
    ("convert(integer, '7')", 7),
    # Moments: datediff counts boundaries.
    ("datediff(year, '2020-12-31', '2021-01-01')", 1),
    ("datediff(qtr, '2020-01-01'::date, '2021-01-01'::date)", 4),
    ("datediff('month', '2020-01-31'::date, '2020-02-01'::date)", 1),
    ("datediff(week, '2024-01-06'::date, '2024-01-07'::date)", 1),
    ("datediff(week, '2024-01-07'::date, '2024-01-13'::date)", 0),
    ("datediff(day, '2020-03-01'::date, '2020-02-28'::date)", -2),
    ("datediff(hour, '2020-01-01 00:59:59', '2020-01-01 01:00:00')", 1),
    ("datediff(second, '2020-01-01 00:00:00.9', '2020-01-01 00:00:01.1')", 1),
    ("datediff(ms, '2020-01-01 00:00:00', '2020-01-01 00:00:01.5')", 1500),
    ("dateadd(day, 1, '2020-02-28'::date)", dt.datetime(2020, 2, 29)),
    ("dateadd(month, 1, '2020-02-29'::timestamp)", dt.datetime(2020, 3, 31)),
    ("dateadd(month, 1, '2020-01-30'::timestamp)", dt.datetime(2020, 2, 29)),
    ("dateadd(h, -1, '2020-01-01')", dt.datetime(2019, 12, 31, 23)),
    ("last_day('2024-02-05'::date)", dt.date(2024, 2, 29)),
    ("trunc('2020-01-02 03:04:05'::timestamp)", dt.date(2020, 1, 2)),
    ("date_trunc('month', '2020-05-06'::date)", dt.datetime(2020, 5, 1)),
    ("convert_timezone('Europe/Berlin', '2020-06-01 12:00')", dt.datetime(2020, 6, 1, 14)),
    ("convert_timezone('EST', 'UTC', '2020-06-01 12:00')", dt.datetime(2020, 6, 1, 17)),
    ("to_char('2020-05-06'::date, 'YYYY-MM-DD')", "2020-05-06"),
    ("to_char(12.5, 'FM990.00')", "12.50"),
    ("extract(year from '2020-05-06'::date)::int", 2020),
    ("to_date('06.05.2020', 'DD.MM.YYYY')", dt.date(2020, 5, 6)),
    # JSON in texts.
    ("""json_extract_path_text('{"a": {"b": "c"}}', 'a', 'b')""", "c"),
    ("""json_extract_path_text('{"a": {"b": 1}}', 'a')""", '{"b": 1}'),
    ("json_extract_path_text('{', 'a', true)", None),
    ("json_array_length('[1, 2]')", 2),
    ("json_extract_array_element_text('[1, \"x\"]', 1)", "x"),
    ("is_valid_json('{}')", True),
    ("is_valid_json('{')", False),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_an_expression_has_redshifts_value(ask, expression, value):
    assert ask(f"select {expression}") == [(value,)]


def test_the_clock_has_no_zone_and_getdate_no_fraction(ask):
    ((now, precise),) = ask("select getdate(), sysdate")
    assert now.tzinfo is None
    assert precise.tzinfo is None
    assert now.microsecond == 0
    assert abs(dt.datetime.now(dt.UTC).replace(tzinfo=None) - now) < dt.timedelta(minutes=1)


def test_aggregates_that_postgresql_has_not(ask):
    values = "(select 'b' as v, 1 as n union all select 'a', 2 union all select 'a', 6)"
    assert ask(
        "select listagg(v, ',') within group (order by n desc), listagg(distinct v) within group "
        f"(order by v), median(n), approximate count(distinct v) from {values}"
    ) == [("a,a,b", "ab", 2.0, 2)]
    assert ask(f"select v, any_value(n) from {values} where n < 3 group by v order by v") == [
        ("a", 2),
        ("b", 1),
    ]


@pytest.mark.parametrize(
    "call",
    [
        "string_agg('a', ',')",
        "array_agg(1)",
        "jsonb_build_object('a', 1)",
        "to_jsonb(1)",
        "generate_series(1, 3)",
        "gen_random_uuid()",
        "concat('a', 'b', 'c')",
        "pg_sleep(1)",
        "regexp_matches('a', 'a')",
        "format('%s', 1)",
        "pg_read_file('x')",
        "redshift.json_parse('1')",
        "make_interval(1)",
    ],
)
def test_a_function_that_redshift_has_not_is_refused(ask, call):
    with pytest.raises(psycopg.errors.UndefinedFunction, match="does not exist"):
        ask(f"select {call}")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("split_part('a', '-', 0)", "greater than zero"),
        ("regexp_replace('ab', '(a)', '$1$1')", "without references"),
        ("json_parse('{')", "Invalid JSON"),
        ("json_extract_path_text('{', 'a')", "JSON parsing error"),
        ("datediff(fortnight, '2020-01-01', '2020-01-02')", "datepart"),
        ("strtol('g', 16)", "not valid"),
    ],
)
def test_a_value_that_redshift_refuses_is_refused(ask, call, reason):
    with pytest.raises(psycopg.Error, match=reason):
        ask(f"select {call}")
