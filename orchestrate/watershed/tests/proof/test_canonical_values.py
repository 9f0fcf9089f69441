"""R-3.4.1: a value has the same text at its source and in the warehouse, whatever its type."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.trust

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
MOMENTS = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))
DECIMALS = st.decimals(-(10**12), 10**12, places=4, allow_nan=False)
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
ROW = st.tuples(
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | DECIMALS,
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | SINGLES,
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    st.none() | st.binary(max_size=20),
)
POSTGRES_TYPES = (
    "text",
    "varchar(40)",
    "bigint",
    "numeric(18,4)",
    "double precision",
    "real",
    "timestamp",
    "timestamptz",
    "bytea",
)
EXTREMES = """
create table extremes (
    id int primary key, f float8, n numeric, d date, t time, z timestamptz, u uuid, b boolean,
    j json, jb jsonb, a text[], c char(5), i interval, small numeric(5,5)
);
insert into extremes values
(1, 'NaN', 1.50, '0001-01-01', '24:00', '0001-01-01 00:00:00+00', gen_random_uuid(), true,
 '{"b" :1,  "a": 1.0}', '{"b" :1,  "a": 1.0}', '{a,NULL,""}', 'ab', '1 day 2 hours', 0.5),
(2, 'Infinity', 0, 'infinity', '00:00', 'infinity', null, false, '1', 'null', '{}', '', '0', -0.5),
(3, '-Infinity', -0.000001, '9999-12-31', '12:34:56.1', '-infinity', null, null, null, null, null,
 null, null, 0),
(4, '-0', 'NaN', '5874897-12-31', '12:34:56.123456', '294246-12-31 00:00:00+00', null, null,
 null, null, null, null, null, 0.00001),
(5, 1e15, 100, '-infinity', null, null, null, null, null, null, null, null, null, null),
(6, 1e16, 1e10, '0044-03-15 BC', null, null, null, null, null, null, null, null, null, null),
(7, 5e-324, null, null, null, null, null, null, null, null, null, null, null, null),
(8, 0.0001, null, null, null, null, null, null, null, null, null, null, null, null),
(9, 0.00001, null, null, null, null, null, null, null, null, null, null, null, null),
(10, 123456789012345680, null, null, null, null, null, null, null, null, null, null, null, null)
"""
MYSQL_EXTREMES = (
    """
    create table extremes (
        id int primary key, f float, d double, n decimal(65,30), z int(8) unsigned zerofill,
        b bit(12), bu bigint unsigned, y year, dt datetime(6), ts timestamp(6) null, t time(6),
        day date, e enum('größer', ''), l varchar(40) character set latin1, j json, u uuid,
        bin binary(4), dz decimal(8,2) zerofill
    )
    """,
    """
    insert into extremes values
    (1, 0.1, 1.7976931348623157e308, 1.5, 12, b'101', 18446744073709551615, 0,
     '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', '-838:59:59', '0001-01-01', '',
     'größer €', '{"b" :1,  "a": 1.0}', uuid(), 'a', 12.5),
    (2, 3.4e38, -5e-324, -0.000001, 0, b'0', 0, 2155, '0001-01-01', null, '0', '9999-12-31',
     'größer', '', '1', null, x'00000000', 0),
    (3, -0.0, 1e15, 0, 99999999, null, null, null, null, null, null, null, null, null, null, null,
     null, null),
    (4, 16777216, 1e16, 100, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null),
    (5, 1e-5, 0.00001, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null),
    (6, null, 123456789012345680, null, null, null, null, null, null, null, null, null, null,
     null, null, null, null, null)
    """,
)

examples = settings(
    max_examples=4,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
        HealthCheck.too_slow,
    ],
)


def drawn(count):
    """Many rows in one example, since each load takes seconds."""
    return given(st.lists(ROW, min_size=count, max_size=count))


def assert_all_proved(found, *streams):
    assert {name: (each.state, each.reason) for name, each in found.items()} == dict.fromkeys(
        streams, ("proved", None)
    )


@examples
@drawn(60)
def test_of_postgresql(shop, rows):
    shop.forget()
    columns = ", ".join(f"c{place} {of}" for place, of in enumerate(POSTGRES_TYPES))
    with shop.tap.database.connect(autocommit=True) as connection:
        connection.execute("drop table if exists drawn, extremes")
        connection.execute(f"create table drawn (id int primary key, {columns})")
        connection.execute("set timezone = 'UTC'")
        marks = ", ".join(["%s"] * len(POSTGRES_TYPES))
        for number, row in enumerate(rows):
            connection.execute(f"insert into drawn values ({number}, {marks})", row)
        connection.execute(EXTREMES)
    shop.load()
    assert_all_proved(shop.reconcile(deep=True), "drawn", "extremes")


@examples
@drawn(60)
def test_of_mariadb(crm, rows):
    crm.forget()
    columns = (
        "c0 text, c1 varchar(40), c2 bigint, c3 decimal(18,4), c4 double, c5 float, "
        "c6 datetime(6), c7 datetime(6), c8 blob"
    )
    with crm.tap.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists drawn, extremes")
        cursor.execute(f"create table drawn (id int primary key, {columns}) charset utf8mb4")
        for number, row in enumerate(rows):
            marks = ", ".join(["%s"] * len(row))
            cursor.execute(f"insert into drawn values ({number}, {marks})", row)
        for statement in MYSQL_EXTREMES:
            cursor.execute(statement)
        connection.commit()
    crm.load()
    assert_all_proved(crm.reconcile(deep=True), "drawn", "extremes")
