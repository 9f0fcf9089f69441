"""Every type of PostgreSQL; values are texts that it reads."""

from type_matrix.cases import MEGABYTE_OF_TEXT, WIDEST_CHARACTERS, TypeCase

SETUP = """
create type mood as enum ('so so', '');
create type address as (number int, street text);
create domain amount as numeric(9,4);
"""
ANYTHING = "all that the source holds"
MOMENTS_OUTSIDE = {
    "infinity": "infinity",
    "-infinity": "-infinity",
    "0001-12-31 BC (year 0)": "0001-12-31 23:59:59.999999 BC",
    "4714-11-24 BC": "4714-11-24 00:00:00 BC",
    "10000-01-01": "10000-01-01 00:00:00",
    "294246-12-31": "294246-12-31 23:59:59.999999",
    "294276-12-31": "294276-12-31 23:59:59.999999",
}
DATES_OUTSIDE = {
    "infinity": "infinity",
    "-infinity": "-infinity",
    "0001-12-31 BC (year 0)": "0001-12-31 BC",
    "4714-11-24 BC": "4714-11-24 BC",
    "10000-01-01": "10000-01-01",
    "5874897-12-31": "5874897-12-31",
}
NOT_FINITE = {"NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity"}
FLOATS = ("NaN", "Infinity", "-Infinity", "-0.0")
JSONS = ('"\\ud83d\\ude00"', "null", '""', '{"n": 12345678901234567890.12345678901234567890}')
# Those that are text everywhere, each with a value or two.
AS_TEXT = {
    "interval": ("-178000000 years", "1 mon -1 days +02:03:04.5"),
    "money": ("-92233720368547758.08", "92233720368547758.07"),
    "timetz": ("24:00:00-15:59", "00:00:00+15:59"),
    "inet": ("::ffff:1.2.3.4/96", "10.0.0.1"),
    "cidr": ("10.0.0.0/8",),
    "macaddr": ("08:00:2b:01:02:03",),
    "macaddr8": ("08:00:2b:01:02:03:04:05",),
    "bit(5)": ("10101",),
    "varbit": ("", "1" * 200),
    "oid": ("4294967295",),
    "regclass": ("pg_class",),
    "xid8": ("18446744073709551615",),
    "tid": ("(4294967295,65535)",),
    "pg_lsn": ("FFFFFFFF/FFFFFFFF",),
    "pg_snapshot": ("10:20:10,14,15",),
    "xml": ("<a>1 &lt; 2</a>",),
    "jsonpath": ('$."a"[*] ? (@ > 5)',),
    "int4range": ("empty", "[-2147483648,)"),
    "int8range": ("[1,5)",),
    "numrange": ("[1.50,NaN]",),
    "daterange": ("[-infinity,infinity]",),
    "tsrange": ('["4714-11-24 00:00:00 BC","294276-12-31 23:59:59"]',),
    "tstzrange": ("[2026-10-25 00:30:00+00,infinity)",),
    "int4multirange": ("{[1,3),[5,9)}",),
    "point": ("(NaN,Infinity)",),
    "line": ("{1,2,3}",),
    "lseg": ("[(0,0),(1,1)]",),
    "box": ("(1,1),(0,0)",),
    "path": ("[(0,0),(1,1)]",),
    "polygon": ("((0,0),(1,1),(2,0))",),
    "circle": ("<(0,0),1e-300>",),
    "tsvector": ("'a':1A 'b':2",),
    "tsquery": ("'a' & !'b'",),
    "mood": ("so so", ""),
    "address": ('(1,"O\'Hara, ""x""")',),
}
NAMES = {"mood": "enums", "address": "composite types"}

POSTGRES = [
    TypeCase("boolean", "true", ("false", "true")),
    TypeCase("smallint", "7", ("-32768", "32767")),
    TypeCase("integer", "7", ("-2147483648", "2147483647")),
    TypeCase("bigint", "7", ("-9223372036854775808", "9223372036854775807")),
    TypeCase("numeric(12,2)", "12.50", ("-9999999999.99", "9999999999.99"), outside={"NaN": "NaN"}),
    TypeCase(
        "numeric(38,10)",
        "1.5",
        (f"-{'9' * 28}.{'9' * 10}", f"{'9' * 28}.{'9' * 10}"),
        range="28 digits, 10 after the point",
        outside={"NaN": "NaN"},
    ),
    TypeCase(
        "numeric(65,30)",
        "1.5",
        ("-999999999999.999999", "999999999999.999999"),
        range="±999999999999.999999",
        outside={
            "20 digits, 6 after the point": "12345678901234567890.123456",
            "32 digits": "9" * 32,
            "35 digits, 30 after the point": f"{'9' * 35}.{'9' * 30}",
            "NaN": "NaN",
        },
    ),
    TypeCase(
        "numeric",
        "1.5",
        ("-999999999999.999999", "999999999999.999999"),
        range="±999999999999.999999",
        outside={
            "38 digits": f"{'9' * 26}.{'9' * 12}",
            "65 digits": "9" * 65,
            "1e-16383": f"0.{'0' * 16382}1",
            **NOT_FINITE,
        },
    ),
    TypeCase(
        "amount",
        "1.5",
        ("-99999.9999", "99999.9999"),
        outside={"NaN": "NaN"},
        name="domains, as what they are made of: here numeric(9,4)",
    ),
    TypeCase(
        "real",
        "0.1",
        ("-3.4028235e+38", "3.4028235e+38", "1e-45", *FLOATS),
        range="±3.4028235e38, NaN, infinities",
    ),
    TypeCase(
        "double precision",
        "0.1",
        ("-1.7976931348623157e+308", "1.7976931348623157e+308", "5e-324", *FLOATS),
        range="±1.7976931348623157e308, NaN, infinities",
    ),
    TypeCase("text", "text", ("", WIDEST_CHARACTERS), huge=(MEGABYTE_OF_TEXT,), range=ANYTHING),
    TypeCase("varchar(40)", "text", ("", WIDEST_CHARACTERS, "ß" * 40), range=ANYTHING),
    TypeCase("char(5)", "char", ("", "ß😀"), range="all, without its padding"),
    TypeCase("name", "text", ("", "ß" * 31), range=ANYTHING),
    TypeCase(
        "bytea",
        "\\x00ff",
        ("\\x",),
        huge=("\\x" + "ab" * 2**20,),
        range=ANYTHING,
        asked="encode({}, 'hex')",
    ),
    TypeCase(
        "uuid",
        "123e4567-e89b-12d3-a456-426614174000",
        ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        range=ANYTHING,
    ),
    TypeCase("json", '{"a" : 1.0, "a": 2}', (*JSONS, '"\\u0000"'), range=ANYTHING),
    TypeCase("jsonb", '{"a": 1.0}', JSONS, range=ANYTHING),
    TypeCase(
        "text[]",
        '{"a", NULL, ""}',
        ("{}", "{{1,2},{3,4}}"),
        name="arrays of any type",
        range="all, but for lower bounds other than 1",
        asked="to_json({})::text",
    ),
    TypeCase(
        "date", "2026-02-28", ("0001-01-01", "9999-12-31", "2024-02-29"), outside=DATES_OUTSIDE
    ),
    TypeCase("time", "12:34:56.7", ("00:00:00", "24:00:00", "23:59:59.999999")),
    TypeCase(
        "timestamp",
        "2026-01-02 03:04:05.1",
        (
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59.999999",
            "2026-03-29 02:30:00",  # a clock in Zurich never shows this
            "2026-10-25 02:30:00",  # and this one twice
        ),
        outside=MOMENTS_OUTSIDE,
    ),
    TypeCase(
        "timestamptz",
        "2026-01-02 03:04:05.1+00",
        (
            "0001-01-01 00:00:00+00",
            "9999-12-31 23:59:59.999999+00",
            "2026-03-29 01:59:59.999999+01",
            "2026-03-29 03:00:00+02",
            "2026-10-25 02:30:00+02",
            "2026-10-25 02:30:00+01",
        ),
        outside=MOMENTS_OUTSIDE,
    ),
    *(
        TypeCase(
            declared, first, tuple(others), name=NAMES.get(declared, ""), range="all, as its text"
        )
        for declared, (first, *others) in AS_TEXT.items()
    ),
]
