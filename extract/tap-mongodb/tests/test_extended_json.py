"""Our writer of Extended JSON says, to the last byte, what the driver's says."""

from typing import Any

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.json_util import CANONICAL_JSON_OPTIONS, dumps
from hypothesis import given, settings
from hypothesis import strategies as st

from watershed_tap_mongodb.extended_json import canonical_json, exact_decimal
from watershed_tap_mongodb.values import CODEC_OPTIONS

pytestmark = pytest.mark.extract

many = settings(max_examples=400, deadline=None)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
BITS_OF_DECIMALS = st.binary(min_size=16, max_size=16)
DECIMALS = BITS_OF_DECIMALS.map(Decimal128.from_bid) | st.decimals(
    allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12
).map(Decimal128)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
    | st.floats()
    | st.sampled_from([-0.0, 5e-324, 1e16, 1e22, 2.0**53, 0.1])
    | DECIMALS
    | TEXT
    | st.sampled_from(["\x00", '"\\/\x1f\x7f', "\u2028\u2029", "</script>", "\U0001f600", "\ufeff"])
    | st.binary(min_size=12, max_size=12).map(ObjectId)
    | st.integers(-(2**63), 2**63 - 1).map(DatetimeMS)
    | st.binary(max_size=8)
    | st.builds(Binary, st.binary(max_size=8), st.integers(0, 255))
    | st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    | st.builds(Regex, NAMES, st.sampled_from(["", "i", "imsx"]))
    | TEXT.map(Code)
    | st.builds(Code, TEXT, st.dictionaries(NAMES, st.integers(0, 9), max_size=1))
    | st.builds(DBRef, NAMES, st.integers(0, 9) | TEXT, st.none() | NAMES)
    | st.sampled_from([MinKey(), MaxKey()])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


def by_driver(value: Any) -> str:
    return dumps(
        value, json_options=CANONICAL_JSON_OPTIONS, ensure_ascii=False, separators=(",", ":")
    )


@many
@given(value=VALUES)
def test_a_value_is_written_as_the_driver_writes_it(value: Any) -> None:
    assert canonical_json(value) == by_driver(value)


@many
@given(value=VALUES)
def test_so_is_what_the_driver_decodes(value: Any) -> None:
    [document] = bson.decode_all(bson.encode({"x": value}), CODEC_OPTIONS)
    assert canonical_json(document) == by_driver(document)


@many
@given(value=DECIMALS)
def test_a_decimal_of_any_bits_is_the_number_that_the_driver_tells(value: Decimal128) -> None:
    assert exact_decimal(value).as_tuple() == value.to_decimal().as_tuple()


@pytest.mark.parametrize(
    "text",
    [
        *("0", "-0", "0E-6176", "0E+6111", "1E-6176", "9999999999999999999999999999999999E+6111"),
        *("-1.50", "1E+3", "0.000001", "0.0000001", "NaN", "-NaN", "sNaN", "Infinity", "-Infinity"),
    ],
)
def test_decimals_at_the_ends(text: str) -> None:
    value = Decimal128(text)
    assert exact_decimal(value).as_tuple() == value.to_decimal().as_tuple()
    assert canonical_json(value) == by_driver(value)


def test_a_hundred_levels_of_documents() -> None:
    value: Any = 7
    for level in range(100):
        value = {f"level{level}": value} if level % 2 else [value]
    assert canonical_json(value) == by_driver(value)
