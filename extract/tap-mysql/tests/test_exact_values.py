"""What arrives in a RECORD is what the source itself says, for every type."""

import base64
import datetime as dt
import json
import math
import string
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Bulk = Any  # of conftest.py

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
BASIC_PLANE = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=30)
# Windows-1252, and the five bytes that it leaves open, which the server reads as control codes.
LATIN1 = st.text([bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(256)], max_size=30)
CYRILLIC = st.text("Привет, мир! ёЁ№ abc?", max_size=30)
JSON_TEXTS = TEXT.map(lambda text: json.dumps({"k": text}, ensure_ascii=False)) | st.sampled_from(
    ["null", '"null"', "{}", ' {"a" : 1.0} ', '{"a":12345678901234567890.123456789012345678}']
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
FLOATS32 = st.floats(allow_nan=False, allow_infinity=False, width=32)


def integers(bits: int, *, unsigned: bool = False) -> st.SearchStrategy[int]:
    low, high = (0, 2**bits) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    return st.sampled_from([low, low + 1, high - 1]) | st.integers(low, high - 1)


def decimals(digits: int, scale: int) -> st.SearchStrategy[str]:
    most = 10**digits - 1
    numbers = st.sampled_from([most, -most, 0, 1]) | st.integers(-most, most)
    return numbers.map(lambda number: format(Decimal(f"{number}e-{scale}"), "f"))


def moments(low: str, high: str) -> st.SearchStrategy[str]:
    first, last = dt.datetime.fromisoformat(low), dt.datetime.fromisoformat(high)
    return (st.sampled_from([first, last]) | st.datetimes(first, last)).map(str)


@st.composite
def times(draw: st.DrawFn) -> str:
    microseconds = draw(st.integers(0, 839 * 3600 * 10**6 - 1) | st.just(839 * 3600 * 10**6 - 1))
    seconds, fraction = divmod(microseconds, 10**6)
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"
    return draw(st.sampled_from(["", "-"])) + clock


LONG_AGO, FAR_AHEAD = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"
EPOCH, END_OF_EPOCH = "1970-01-01 00:00:01", "2038-01-19 03:14:07.999999"
DATES = st.dates().map(str) | st.sampled_from(["0001-01-01", "9999-12-31"])
POINTS = st.tuples(FLOATS, FLOATS, st.sampled_from([0, 4326]))

# Column type -> values that MySQL's driver hands over.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "tinyint": integers(8),
    "tinyint(1)": integers(8),
    "tinyint unsigned": integers(8, unsigned=True),
    "smallint": integers(16),
    "smallint unsigned": integers(16, unsigned=True),
    "mediumint": integers(24),
    "mediumint unsigned": integers(24, unsigned=True),
    "int": integers(32),
    "int(8) unsigned zerofill": integers(32, unsigned=True),
    "bigint": integers(64),
    "bigint unsigned": integers(64, unsigned=True),
    "decimal(65,30)": decimals(65, 30),
    "decimal(65)": decimals(65, 0),
    "decimal(38,38)": decimals(38, 38),
    "decimal(12,2)": decimals(12, 2),
    "decimal(12,2) unsigned zerofill": decimals(12, 2).map(lambda text: text.lstrip("-")),
    "float": FLOATS32,
    "float(10,2)": st.floats(-(10**7), 10**7, width=32),
    "double": FLOATS,
    "double(20,2)": st.floats(-(10**17), 10**17),
    "bit(1)": integers(1, unsigned=True),
    "bit(12)": integers(12, unsigned=True),
    "bit(64)": integers(64, unsigned=True),
    "year": st.integers(1901, 2155) | st.just("0000"),
    "date": DATES,
    "datetime": moments(LONG_AGO, "9999-12-31 23:59:59"),
    "datetime(3)": moments(LONG_AGO, "9999-12-31 23:59:59.999"),
    "datetime(6)": moments(LONG_AGO, FAR_AHEAD),
    "timestamp null": moments(EPOCH, "2038-01-19 03:14:07"),
    "timestamp(6) null": moments(EPOCH, END_OF_EPOCH),
    "time": times().map(lambda text: text.partition(".")[0]),
    "time(6)": times(),
    "char(36)": TEXT,
    "varchar(40)": TEXT,
    "varchar(40) character set utf8mb3": BASIC_PLANE,
    "varchar(40) character set latin1": LATIN1,
    "varchar(40) character set cp1251": CYRILLIC,
    "varchar(40) character set utf16": TEXT,
    "char(40) character set ascii": st.text(string.printable, max_size=30),
    "longtext": TEXT,
    "enum('small', 'größer', '')": st.sampled_from(["small", "größer", ""]),
    "set('new', 'réseau', '3')": st.sampled_from(["", "new", "new,réseau", "new,réseau,3"]),
    "json": JSON_TEXTS,
    "uuid": st.uuids(version=4).map(str),
    "inet6": st.ip_addresses(v=6).map(str),
    "binary(16)": st.binary(max_size=16),
    "varbinary(64)": st.binary(max_size=64),
    "longblob": st.binary(max_size=200),
    "point": POINTS,
}
# How the source is asked what it holds: as texts that say all of it.
ASKED = {
    "float": "cast({} as double)",
    "float(10,2)": "cast({} as double)",
    "bit(1)": "cast({} as unsigned)",
    "bit(12)": "cast({} as unsigned)",
    "bit(64)": "cast({} as unsigned)",
    "binary(16)": "hex({})",
    "varbinary(64)": "hex({})",
    "longblob": "hex({})",
    "point": "concat(hex(st_asbinary({0})), ' ', st_srid({0}))",
}


def as_source_says(column_type: str, value: Any) -> Any:
    """Write a RECORD's value as the source was asked for it, by rules of this test's own."""
    kind = column_type.split("(", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    if kind in {"float", "double"}:
        return float(value)
    if kind in {"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"}:
        assert type(value) is int
        return value
    if kind in {"binary", "varbinary", "longblob"}:
        return base64.b64decode(value, validate=True).hex().upper()
    if kind == "timestamp":
        assert value.endswith("+00:00")
        return moment(value.removesuffix("+00:00"))
    if kind == "datetime":
        return moment(value)
    if kind == "point":
        return point(bytes.fromhex(value))
    return value


def moment(iso: str) -> str:
    day, clock = iso.split("T")
    assert len(clock.split(".")[1]) == 6
    return f"{day} {clock}"


def point(ewkb: bytes) -> str:
    order, kind = struct.unpack_from("<BI", ewkb)
    srid = struct.unpack_from("<I", ewkb, 5)[0] if kind & 0x20000000 else 0
    plain = struct.pack("<BI", order, kind & ~0x20000000) + ewkb[-16:]
    return f"{plain.hex().upper()} {srid}"


def as_asked(column_type: str, answer: Any) -> Any:
    """Bring the source's answer into the form that its type has in every case."""
    kind = column_type.split("(", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    if kind in {"float", "double"}:
        return float(answer)
    if kind in {"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"}:
        return int(answer)
    if kind in {"datetime", "timestamp"}:
        head, _, fraction = answer.partition(".")
        return f"{head}.{fraction:0<6}"
    if "zerofill" in column_type:
        return format(Decimal(answer), "f")
    return answer


def placeholder(column_type: str) -> str:
    if column_type == "point":
        return "st_geomfromwkb(unhex(%s), %s)"
    return "%s"


def parameters_of(column_type: str, value: Any) -> list[Any]:
    if column_type != "point":
        return [value]
    if value is None:
        return [None, 0]
    x, y, srid = value
    return [struct.pack("<BIdd", 1, 1, x, y).hex(), srid]


@pytest.fixture
def value_table(tap: Runner, execute: Execute) -> str:
    """A table with a column of each type, called by the type's position."""
    columns = ", ".join(f"`{position}` {name}" for position, name in enumerate(VALUES))
    execute(f"create table samples (id int primary key, {columns})")
    return tap.stream("samples")


ROWS = st.lists(
    st.tuples(*(st.none() | values for values in VALUES.values())), min_size=1, max_size=6
)


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_every_value_arrives_as_the_source_says_it(
    tap: Runner, bulk: Bulk, execute: Execute, value_table: str, rows: list[tuple[Any, ...]]
) -> None:
    execute("delete from samples")
    holders = ", ".join(map(placeholder, VALUES))
    for number, row in enumerate(rows):
        values = [
            parameter
            for name, value in zip(VALUES, row, strict=True)
            for parameter in parameters_of(name, value)
        ]
        execute(f"insert into samples values ({number}, {holders})", parameters=values)
    asked = ", ".join(
        f"cast({ASKED.get(name, '{}').format(f'`{position}`')} as char character set utf8mb4)"
        for position, name in enumerate(VALUES)
    )
    said = execute(f"select {asked} from samples order by id")
    records = tap.sync().records(value_table)
    records.sort(key=lambda record: record["id"])
    for record, answers in zip(records, said, strict=True):
        for position, name in enumerate(VALUES):
            value, answer = record[str(position)], answers[position]
            if value is not None and answer is not None:
                value, answer = as_source_says(name, value), as_asked(name, answer)
            assert value == answer, name
    assert as_records(bulk.read("samples")) == records


def as_records(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write what the bulk path made as RECORDs have it; texts of values are compared here."""
    records = []
    for row in rows:
        record = {name: value for name, value in row.items() if not name.endswith(" as text")}
        for name, value in record.items():
            record[name] = recorded = as_recorded(value)
            text = row[f"{name} as text"]
            if isinstance(recorded, float):
                text = float(text)
            assert text == (recorded if isinstance(recorded, float | None) else str(recorded))
        records.append(record)
    return sorted(records, key=lambda record: record["id"])


def as_recorded(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return int(value) if value.as_tuple().exponent == 0 and value >= 0 else f"{value:f}"
        case dt.datetime():
            utc = value.astimezone(dt.UTC) if value.tzinfo else value
            return utc.isoformat(timespec="microseconds")
        case dt.date():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
    return value


def test_types_are_declared_as_wide_as_they_are(tap: Runner, execute: Execute) -> None:
    execute(
        "create table t (a bigint unsigned, b tinyint(1), c decimal(65,30), d bit(12), e year,"
        " f json, g datetime(6), h timestamp(6) null, i time(6), j uuid, k varbinary(9), l float)"
    )
    schema = tap.sync().schema(tap.stream("t"))
    nullable = {name: schema[name].pop("type")[0] for name in schema}
    assert nullable == dict.fromkeys("abde", "integer") | dict.fromkeys("cfghijk", "string") | {
        "l": "number"
    }
    assert schema == {
        "a": {"minimum": 0, "maximum": 2**64 - 1},
        "b": {"minimum": -128, "maximum": 127},
        "c": {"format": "singer.decimal", "precision": 65, "scale": 30},
        "d": {"minimum": 0, "maximum": 4095},
        "e": {"minimum": 0, "maximum": 2155},
        "f": {"contentMediaType": "application/json"},
        "g": {"format": "date-time", "x-sql-datatype": "timestamp"},
        "h": {"format": "date-time"},
        "i": {},
        "j": {"format": "uuid"},
        "k": {"contentEncoding": "base64"},
        "l": {},
    }


def test_the_sessions_zone_and_the_servers_do_not_shift_a_timestamp(
    tap: Runner, execute: Execute
) -> None:
    execute(
        "set time_zone = '-07:00'",
        "create table t (moment timestamp(3), naive datetime)",
        "insert into t values ('2026-07-01 12:00:00.5', '2026-07-01 12:00:00')",
    )
    [record] = tap.sync().records(tap.stream("t"))
    assert record == {
        "moment": "2026-07-01T19:00:00.500000+00:00",
        "naive": "2026-07-01T12:00:00.000000",
    }


def test_a_float_is_all_that_it_holds(tap: Runner, execute: Execute) -> None:
    execute("create table t (f float)", "insert into t values (16777215), (0.1), (-1e38), (1e-38)")
    shown = [float(value) for (value,) in execute("select cast(f as char) from t")]
    values = [record["f"] for record in tap.sync().records(tap.stream("t"))]
    assert values[:2] == [16777215.0, struct.unpack("f", struct.pack("f", 0.1))[0]]
    assert [value for value in values if value in shown] == [], "the source's text is rounded"
    assert all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(values, shown, strict=True))


class TestZeroDates:
    IMPOSSIBLE = ("0000-00-00", "2024-00-15", "2024-02-31", "0000-05-05")

    @pytest.fixture(autouse=True)
    def rows(self, execute: Execute) -> None:
        execute("set sql_mode = 'allow_invalid_dates'")
        execute("create table t (id int primary key, d date, m datetime(6), s timestamp null)")
        for number, date in enumerate(self.IMPOSSIBLE):
            execute(f"insert into t values ({number}, '{date}', '{date} 01:02:03.4', null)")
        execute("insert into t values (9, '2026-01-01', '2026-01-01', '0000-00-00 00:00:00')")

    def test_travel_as_the_sources_text_to_be_set_aside(self, tap: Runner) -> None:
        *impossible, good = tap.sync().records(tap.stream("t"))
        for date, record in zip(self.IMPOSSIBLE, impossible, strict=True):
            assert record["d"] == date
            assert record["m"] == f"{date} 01:02:03.400000"
        assert good["d"] == "2026-01-01"
        assert good["m"] == "2026-01-01T00:00:00.000000"
        assert good["s"] == "0000-00-00 00:00:00"

    def test_travel_as_null_if_so_chosen(self, tap: Runner) -> None:
        *impossible, good = tap.sync(settings={"zero_dates": "null"}).records(tap.stream("t"))
        assert {(record["d"], record["m"]) for record in impossible} == {(None, None)}
        assert good["d"] == "2026-01-01"
        assert good["s"] is None

    def test_fail_the_run_if_so_chosen(self, tap: Runner) -> None:
        error = tap(settings={"zero_dates": "fail"}).error
        assert f"stream {tap.stream('t')}: column 'd' holds '0000-00-00'" in error
        assert error.endswith("or set zero_dates to quarantine or null")


class TestBrokenTexts:
    def test_bytes_that_are_no_utf8_are_written_out(self, tap: Runner, execute: Execute) -> None:
        execute(
            "set sql_mode = ''",
            "create table t (a varchar(9) character set ascii)",
            "insert into t values (x'6361e9')",
        )
        assert tap.sync().records(tap.stream("t")) == [{"a": "ca\\xe9"}]

    def test_utf8_that_was_declared_latin1_arrives_as_the_source_reads_it(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute(
            "create table t (a varchar(9) character set latin1)",
            "insert into t values (_latin1 x'4dc3bc6c6c6572'), (_latin1 x'81'), (_latin1 x'80')",
        )
        records = tap.sync().records(tap.stream("t"))
        assert [record["a"] for record in records] == ["MÃ¼ller", "\x81", "€"]
        assert records[0]["a"].encode("cp1252").decode() == "Müller", "nothing is lost"

    def test_bytes_that_mean_nothing_in_their_character_set_arrive_in_hexadecimal(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute(
            "set sql_mode = ''",
            "create table t (a varchar(9) character set cp1251)",
            "insert into t values (_cp1251 x'cff0e8'), (_cp1251 x'9861'), (_cp1251 x'3f')",
        )
        values = [record["a"] for record in tap.sync().records(tap.stream("t"))]
        assert values == ["При", "\\x9861", "?"]


def test_json_of_mariadb_is_known_by_its_constraint(tap: Runner, execute: Execute) -> None:
    execute(
        "create table t (`a``b` json, longer longtext, checked text check (json_valid(checked)),"
        " other json check (length(other) < 100), either text check (json_valid(either) or 1))",
        "insert into t values ('{\"x\": null}', '{}', 'null', null, 'no')",
    )
    output = tap.sync()
    kinds = {
        name: schema.get("contentMediaType")
        for name, schema in output.schema(tap.stream("t")).items()
    }
    assert [name for name, kind in kinds.items() if kind] == ["a`b", "checked"]
    assert output.records(tap.stream("t"))[0]["a`b"] == '{"x": null}'
