"""Every type of MySQL and MariaDB; values are what the driver hands over."""

from type_matrix.cases import MEGABYTE_OF_TEXT, WIDEST_CHARACTERS, TypeCase

ANYTHING = "all that the source holds"
HEX = "hex({})"
NUMBER = "cast({} as unsigned)"
DOUBLE = "cast({} as double)"
WITH_ZONE = "concat({}, '+00')"  # the session's zone is UTC
NO_DATES = {
    "0000-00-00": "0000-00-00",
    "2024-00-15": "2024-00-15",
    "2024-02-31": "2024-02-31",
    "0000-05-05 (year 0)": "0000-05-05",
}
_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
POINT = "0101000000000000000000F03F0000000000000040"  # (1 2)


def integers(name: str, bits: int) -> list[TypeCase]:
    return [
        TypeCase(name, 7, (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)),
        TypeCase(f"{name} unsigned", 7, (0, 2**bits - 1)),
    ]


def texts(declared: str, *huge: str) -> TypeCase:
    return TypeCase(declared, "text", ("", WIDEST_CHARACTERS), huge=huge, range=ANYTHING)


def binaries(declared: str, *huge: bytes) -> TypeCase:
    return TypeCase(declared, b"\x00\xff", (b"", b"\xff" * 4), huge=huge, range=ANYTHING, asked=HEX)


def moments(declared: str, low: str, high: str, *others: str, asked: str = "") -> TypeCase:
    outside = {name: f"{date} 01:02:03" for name, date in NO_DATES.items()}
    if declared.startswith("timestamp"):
        outside = {"0000-00-00 00:00:00": "0000-00-00 00:00:00"}
    return TypeCase(
        declared, "2026-01-02 03:04:05", (low, high, *others), outside=outside, asked=asked
    )


MYSQL = [
    *(case for name, bits in _INTEGERS.items() for case in integers(name, bits)),
    TypeCase("tinyint(1)", 2, (-128, 127)),
    TypeCase("int(8) unsigned zerofill", 7, (0, 2**32 - 1), range="0 to 4294967295"),
    TypeCase("bit(1)", 1, (0, 1), asked=NUMBER),
    TypeCase("bit(12)", 1, (0, 2**12 - 1), asked=NUMBER),
    TypeCase("bit(64)", 1, (0, 2**64 - 1), asked=NUMBER),
    TypeCase("year", 2026, ("0000", 1901, 2155), range="0000, 1901 to 2155"),
    TypeCase("decimal(12,2)", "12.50", ("-9999999999.99", "9999999999.99")),
    TypeCase(
        "decimal(38,10)",
        "1.5",
        (f"-{'9' * 28}.{'9' * 10}", f"{'9' * 28}.{'9' * 10}"),
        range="28 digits, 10 after the point",
    ),
    TypeCase(
        "decimal(65,30)",
        "1.5",
        ("-999999999999.999999", "999999999999.999999"),
        range="±999999999999.999999",
        outside={
            "20 digits, 6 after the point": "12345678901234567890.123456",
            "32 digits": "9" * 32,
            "65 digits, 30 after the point": f"{'9' * 35}.{'9' * 30}",
        },
    ),
    TypeCase(
        "decimal(65)",
        "15",
        ("-999999999999999999", "999999999999999999"),
        outside={"38 digits": "9" * 38, "65 digits": "9" * 65},
    ),
    TypeCase(
        "float",
        "0.1",
        ("-3.40282e38", "3.40282e38", "-0.0", "1e-45"),
        range="±3.4e38, as the number that it is: 0.1 is 0.10000000149011612",
        asked=DOUBLE,
    ),
    TypeCase(
        "double",
        "0.1",
        ("-1.7976931348623157e308", "1.7976931348623157e308", "5e-324", "-0.0"),
        range="±1.7976931348623157e308",
    ),
    TypeCase("date", "2026-02-28", ("0001-01-01", "9999-12-31", "2024-02-29"), outside=NO_DATES),
    moments("datetime", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-03-29 02:30:00"),
    moments(
        "datetime(6)",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999",
        "2026-03-29 02:30:00",  # a clock in Zurich never shows this
        "2026-10-25 02:30:00",  # and this one twice
    ),
    moments(
        "timestamp(6) null",
        "1970-01-01 00:00:01",
        "2038-01-19 03:14:07.999999",
        "2026-03-29 00:59:59.999999",  # here clocks in Zurich go forward
        "2026-03-29 01:00:00",
        "2026-10-25 00:30:00",  # and these two they show alike
        "2026-10-25 01:30:00",
        asked=WITH_ZONE,
    ),
    TypeCase(
        "time(6)",
        "12:34:56.7",
        ("-838:59:59.999999", "838:59:59.999999", "00:00:00"),
        asked="cast({} as char)",
    ),
    TypeCase("char(36)", "text", ("", WIDEST_CHARACTERS), range="all, without its padding"),
    texts("varchar(40)"),
    texts("tinytext"),
    texts("text"),
    texts("mediumtext", MEGABYTE_OF_TEXT),
    texts("longtext", MEGABYTE_OF_TEXT),
    TypeCase(
        "varchar(40) character set latin1",
        "größer",
        ("", "€", "\x81"),
        range="all, as the Unicode that it means",
    ),
    TypeCase(
        "varchar(40) character set utf16",
        "größer",
        ("", WIDEST_CHARACTERS),
        range="all, as the Unicode that it means",
    ),
    TypeCase("enum('größer', '')", "größer", ("",), range=ANYTHING),
    TypeCase("set('new', 'réseau')", "new", ("", "new,réseau"), range=ANYTHING),
    TypeCase(
        "json",
        '{"a" : 1.10}',
        ("null", '""', '"😀"', '{"n":12345678901234567890.1234567890}'),
        range=ANYTHING,
    ),
    TypeCase(
        "uuid",
        "123e4567-e89b-12d3-a456-426614174000",
        ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        range=ANYTHING,
    ),
    TypeCase("inet4", "10.0.0.1", ("255.255.255.255",), range=ANYTHING),
    TypeCase("inet6", "::1", ("::ffff:1.2.3.4",), range=ANYTHING),
    binaries("binary(4)"),
    binaries("varbinary(64)"),
    binaries("tinyblob"),
    binaries("blob"),
    binaries("mediumblob", b"\xab" * 2**20),
    binaries("longblob", b"\xab" * 2**20),
    *(
        TypeCase(
            declared,
            text,
            range="all, as hexadecimal EWKB",
            asked="hex(st_asbinary({}))",
        )
        for declared, text in {
            "point": "POINT(1 2)",
            "linestring": "LINESTRING(0 0,1 1)",
            "polygon": "POLYGON((0 0,1 0,1 1,0 0))",
            "multipoint": "MULTIPOINT(0 0,1 1)",
            "multilinestring": "MULTILINESTRING((0 0,1 1))",
            "multipolygon": "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
            "geometrycollection": "GEOMETRYCOLLECTION(POINT(1 2))",
            "geometry": "POINT(1 2)",
        }.items()
    ),
]
