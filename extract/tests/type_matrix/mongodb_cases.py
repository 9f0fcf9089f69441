"""Every type of BSON; values are what the driver takes and gives."""

import datetime as dt
from decimal import Decimal
from typing import Any

from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.json_util import CANONICAL_JSON_OPTIONS, dumps

from type_matrix.cases import MEGABYTE_OF_TEXT, WIDEST_CHARACTERS, TypeCase

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
NOT_FINITE = (float("nan"), float("inf"), float("-inf"))
ALL = "all, as canonical Extended JSON"


def decimal(text: str) -> Decimal128:
    return Decimal128(Decimal(text))


def date(iso: str) -> DatetimeMS:
    return DatetimeMS((dt.datetime.fromisoformat(iso) - _EPOCH) // _MILLISECOND)


# What is beyond Python, and so is refused by the tests' server; from the proleptic calendar.
FAR_DATES = {
    "0001-12-31 BC (year 0)": (DatetimeMS(-62_135_596_800_001), "0001-12-31 23:59:59.999+00 BC"),
    "10000-01-01": (DatetimeMS(253_402_300_800_000), "10000-01-01 00:00:00+00"),
    "292278994-08-17": (DatetimeMS(2**63 - 1), "292278994-08-17 07:12:55.807+00"),
}
_FAR_TEXTS = {int(moment): text for moment, text in FAR_DATES.values()}


def others(name: str, *values: Any) -> TypeCase:
    return TypeCase(name, values[0], values[1:], range=ALL)


MONGODB = [
    TypeCase(
        "int",
        7,
        (-(2**31), 2**31 - 1),
        outside={
            "a long": Int64(2**31),
            "a double": 1.5,
            "a decimal": decimal("1.5"),
            "a string": "7",
            "an array": [7],
        },
    ),
    TypeCase(
        "long",
        Int64(7),
        (Int64(-(2**63)), Int64(2**63 - 1)),
        outside={"an int": 7, "a double": 1.5},
    ),
    TypeCase(
        "double",
        0.1,
        (-1.7976931348623157e308, 1.7976931348623157e308, 5e-324, -0.0, *NOT_FINITE),
        range="±1.7976931348623157e308, NaN, infinities",
        outside={"an int": 7},
    ),
    TypeCase(
        "decimal",
        decimal("12.50"),
        (decimal("-9999999999.99"), decimal("9999999999.99")),
        range="the digits that its values have, to 38; here -9999999999.99 to 9999999999.99",
        outside={
            "34 digits": decimal("9" * 34),
            "1e-36": decimal("1e-36"),
            "1e-37": decimal("1e-37"),
            "1e6000": decimal("1e6000"),
            "-0": decimal("-0"),
            "NaN": decimal("NaN"),
            "Infinity": decimal("Infinity"),
        },
    ),
    TypeCase(
        "string",
        "text",
        ("", WIDEST_CHARACTERS),
        huge=(MEGABYTE_OF_TEXT,),
        range="all that the source holds",
        outside={"an int": 7},
    ),
    TypeCase(
        "objectId",
        ObjectId("65f000000000000000000001"),
        (ObjectId(b"\0" * 12),),
        range="all, as 24 hexadecimal digits",
        outside={"a string": "65f000000000000000000001"},
    ),
    TypeCase("bool", ordinary=True, extremes=(False, True), outside={"an int": 1}),
    TypeCase(
        "date",
        date("2026-01-02 03:04:05.100+00"),
        (
            date("0001-01-01 00:00:00+00"),
            date("9999-12-31 23:59:59.999+00"),
            date("2026-03-29 00:59:59.999+00"),  # here clocks in Zurich go forward
            date("2026-10-25 00:30:00+00"),  # and these two they show alike
            date("2026-10-25 01:30:00+00"),
        ),
        outside={name: moment for name, (moment, _) in FAR_DATES.items()} | {"a string": "never"},
    ),
    TypeCase(
        "binData",
        b"\x00\xff",
        (b"",),
        huge=(b"\xab" * 2**20,),
        name="binData of subtype 0",
        range="all that the source holds",
        outside={"subtype 5": Binary(b"\xff" * 16, 5), "a UUID": Binary(b"\xff" * 16, 4)},
    ),
    TypeCase(
        "uuid",
        Binary(b"\x12" * 16, 4),
        (Binary(b"\0" * 16, 4), Binary(b"\xff" * 16, 4)),
        name="UUID (binData of subtype 4)",
        range="all that the source holds",
        outside={"subtype 3": Binary(b"\xff" * 16, 3), "15 bytes": Binary(b"\xff" * 15, 4)},
    ),
    others("object", {"a": 1, "b": {"c": None}}, {}, {"": [1.5, WIDEST_CHARACTERS]}),
    others("array", [1, Int64(1), 1.0, "1"], [], [[None]]),
    others("timestamp", Timestamp(1, 2), Timestamp(2**32 - 1, 2**32 - 1)),
    others("regex", Regex("^a", "im")),
    others("javascript", Code("f()")),
    others("binData of other subtypes", Binary(b"\xff", 128), Binary(b"", 3)),
    others("DBRef", DBRef("c", 1)),
    others("minKey, maxKey", MinKey(), MaxKey()),
]


def is_far(value: Any) -> bool:
    """Whether it is one of :data:`FAR_DATES`."""
    return isinstance(value, DatetimeMS) and int(value) in _FAR_TEXTS


def text_of(value: Any, column_type: str) -> str | None:
    """The text of a value, by the driver and by rules of these tests' own."""
    if value is None:
        return None
    if column_type == "JSON":
        return dumps(
            value, json_options=CANONICAL_JSON_OPTIONS, ensure_ascii=False, separators=(",", ":")
        )
    match value:
        case bool():
            return str(value).lower()
        case DatetimeMS() if is_far(value):
            return _FAR_TEXTS[int(value)]
        case DatetimeMS():
            return (_EPOCH + int(value) * _MILLISECOND).isoformat()
        case Decimal128():
            return format(value.to_decimal(), "f")
        case Binary() if value.subtype == 4:
            return str(value.as_uuid())
        case bytes():
            return value.hex()
    return str(value)
