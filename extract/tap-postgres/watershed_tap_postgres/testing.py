"""For tests: values of every type, ordinary and extreme, as PostgreSQL reads them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
JSON_TEXTS = st.builds(
    lambda value, indent: json.dumps(value, indent=indent, ensure_ascii=False),
    JSON_VALUES,
    st.sampled_from([None, 1]),
)
DECIMALS = st.builds(
    lambda digits, scale: format(Decimal(digits).scaleb(-scale), "f"),
    st.integers(-(10**120), 10**120),
    st.integers(0, 90),
)
SPECIAL_NUMBERS = st.sampled_from(["NaN", "Infinity", "-Infinity"])
SPECIAL_TIMES = st.sampled_from(
    [
        "infinity",
        "-infinity",
        "4714-11-24 00:00:00 BC",
        "0001-12-31 23:59:59.999999 BC",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999",
        "10000-01-01 00:00:00",
        "294276-12-31 23:59:59.999999",
    ]
)


@st.composite
def moments(draw: st.DrawFn) -> str:
    year = draw(st.integers(1, 9999) | st.integers(1900, 2100))
    month, day = draw(st.integers(1, 12)), draw(st.integers(1, 28))
    clock = draw(st.times()).isoformat()
    return f"{year:04}-{month:02}-{day:02} {clock}"


@st.composite
def intervals(draw: st.DrawFn) -> str:
    parts = [draw(st.integers(-5000, 5000)) for _ in range(3)]
    microseconds = draw(st.integers(-(10**14), 10**14))
    return "{} mons {} days {} hours {} microseconds".format(*parts, microseconds)


def array_text(values: list[Any]) -> str:
    """PostgreSQL's own literal of a text array."""

    def quote(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ",".join("NULL" if v is None else quote(v) for v in values) + "}"


# Column type -> texts that PostgreSQL reads as values of it.
VALUES: dict[str, st.SearchStrategy[str]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1).map(str),
    "integer": st.integers(-(2**31), 2**31 - 1).map(str),
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "numeric": DECIMALS | SPECIAL_NUMBERS,
    "numeric(12,2)": st.decimals(-(10**9), 10**9, places=2).map(str) | st.just("NaN"),
    "amount_domain": st.decimals(-(10**4), 10**4, places=4).map(str),
    "double precision": st.floats().map(repr),
    "real": st.floats(width=32).map(repr),
    "boolean": st.sampled_from(["true", "false"]),
    "text": TEXT,
    "varchar(40)": TEXT,
    "char(40)": TEXT,
    "name": st.text("abc $\"'", max_size=20),
    "date": moments() | SPECIAL_TIMES,
    "timestamp": moments() | SPECIAL_TIMES,
    "timestamptz": moments() | SPECIAL_TIMES,
    "time": st.times().map(str) | st.just("24:00:00"),
    "timetz": st.builds("{}{:+03}".format, st.times(), st.integers(-15, 15)),
    "interval": intervals(),
    "money": st.decimals(-(10**9), 10**9, places=2).map(str),
    "uuid": st.uuids().map(str),
    "json": JSON_TEXTS | st.just('"\\u0000"'),
    "jsonb": JSON_VALUES.filter(lambda v: "\\u0000" not in json.dumps(v)).map(json.dumps),
    "bytea": (st.binary(max_size=8) | st.binary(min_size=58, max_size=200)).map(
        lambda value: "\\x" + value.hex()
    ),
    "text[]": st.lists(st.none() | TEXT, max_size=4).map(array_text),
    "inet": st.ip_addresses().map(str),
    "cidr": st.ip_addresses(v=4).map(lambda address: f"{address}/32"),
    "macaddr": st.just("08:00:2b:01:02:03"),
    "bit(5)": st.text("01", min_size=5, max_size=5),
    "varbit": st.text("01", max_size=20),
    "oid": st.integers(0, 2**32 - 1).map(str),
    "xml": st.just("<a>1 &lt; 2</a>"),
    "int4range": st.just("[1,5)") | st.just("empty"),
    "tstzrange": st.just("[2026-01-01,infinity)"),
    "point": st.tuples(st.integers(), st.integers()).map(str),
    "tsvector": st.just("'a':1 'b':2"),
    "mood": st.sampled_from(["so so", "Great", ""]),
    "address": st.just('(1,"O\'Hara, ""x""")'),
}
SETUP = """
create type mood as enum ('so so', 'Great', '');
create type address as (number int, street text);
create domain small_amount as numeric(9,4) check (value < 1e9);
create domain amount_domain as small_amount;
"""
