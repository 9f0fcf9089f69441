"""For tests: strategies of hypothesis for BSON values of every type, and for documents of them."""

import datetime as dt
from decimal import Decimal

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import strategies as st

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
INTS = st.integers(-(2**31), 2**31 - 1)
LONGS = st.integers(-(2**63), 2**63 - 1).map(Int64)
DOUBLES = st.floats() | st.sampled_from([-0.0, 5e-324, 2.0**53 + 2, 1e300])
DECIMALS = st.builds(
    lambda digits, exponent: Decimal128(Decimal(digits).scaleb(exponent)),
    st.integers(-(10**34) + 1, 10**34 - 1),
    st.integers(-40, 10),
)
SMALL_DECIMALS = st.decimals(-(10**9), 10**9, places=2).map(Decimal128)
SPECIAL_DECIMALS = st.sampled_from(["NaN", "-NaN", "Infinity", "-Infinity", "-0.0", "1E+6000"]).map(
    Decimal128
)
# The server here refuses dates beyond Python's; those are tested without it below.
DATES = st.datetimes().map(
    lambda moment: DatetimeMS((moment.replace(tzinfo=dt.UTC) - EPOCH) // MILLISECOND)
)
OBJECT_IDS = st.binary(min_size=12, max_size=12).map(ObjectId)
BINARIES = st.binary(max_size=40)
UUIDS = st.uuids().map(Binary.from_uuid)
OTHERS = (
    st.builds(Binary, BINARIES, st.sampled_from([3, 5, 6, 128]))
    | st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    | st.builds(Regex, NAMES, st.sampled_from(["", "i", "imsx"]))
    | TEXT.map(Code)
    | st.sampled_from([MinKey(), MaxKey()])
)
SCALARS = (
    st.none() | st.booleans() | INTS | LONGS | DOUBLES | DECIMALS | SPECIAL_DECIMALS | TEXT
) | (DATES | OBJECT_IDS | BINARIES | UUIDS | OTHERS)
# A document whose first name begins with a dollar may read as one of Extended JSON's own words.
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES.filter(lambda name: not name.startswith("$")), inner, max_size=3)
    ),
    max_leaves=6,
)
TYPED = {
    "int": INTS,
    "long": LONGS,
    "double": DOUBLES,
    "decimal": SMALL_DECIMALS,
    "string": TEXT,
    "objectId": OBJECT_IDS,
    "bool": st.booleans(),
    "date": DATES,
    "binData": BINARIES,
    "uuid": UUIDS,
}
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.none() | values for name, values in TYPED.items()},
        "anything": ANYTHING,
        "any_decimal": DECIMALS | SPECIAL_DECIMALS,
        "nested.with dots": st.dictionaries(NAMES, ANYTHING, max_size=3),
        "$list": st.lists(ANYTHING, max_size=3),
    },
)
