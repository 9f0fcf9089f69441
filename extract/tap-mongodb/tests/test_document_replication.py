"""What each run reads of a collection, and how far it says that it got."""

import datetime as dt
import math
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId

from watershed_tap.testing import Output, Runner

pytestmark = pytest.mark.extract

BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "at"}


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture
def stream(db) -> str:
    return f"{db.name}-visits"


@pytest.fixture
def catalog(tap: Runner, db) -> Any:
    def of(**metadata: Any) -> dict[str, Any]:
        return tap.catalog(**{f"{db.name}_visits": BY_TIME | metadata})

    return of


def ids(output: Output, stream: str) -> list[str]:
    return [record["_id"] for record in output.records(stream)]


def bookmark(output: Output, stream: str) -> dict[str, Any]:
    return output.state["bookmarks"][stream]


class TestIncremental:
    @pytest.fixture(params=["unsorted", "sorted"], autouse=True)
    def index(self, request: pytest.FixtureRequest, db) -> None:
        if request.param == "sorted":
            db.visits.create_index("at")

    def test_reads_all_then_what_changed_and_what_came_late(
        self, tap: Runner, db, stream: str, catalog
    ) -> None:
        db.visits.insert_many(
            [
                {"_id": "1", "at": utc("2026-01-01 10:00")},
                {"_id": "2", "at": utc("2026-01-01 12:00")},
                {"_id": "missing"},
                {"_id": "null", "at": None},
                {"_id": "text", "at": "2026-01-01"},
            ]
        )
        given = catalog()
        first = tap.sync(catalog=given)
        assert sorted(ids(first, stream)) == ["1", "2", "missing", "null", "text"]
        assert bookmark(first, stream)["replication_key_value"] == "2026-01-01T12:00:00.000+00:00"
        assert "has 3 documents without a at that is a date" in first.stderr

        db.visits.insert_many(
            [
                {"_id": "late", "at": utc("2026-01-01 11:00")},
                {"_id": "too late", "at": utc("2026-01-01 10:59:59.999")},
                {"_id": "new", "at": utc("2026-01-01 12:00:00.001")},
            ]
        )
        second = tap.sync(catalog=given, state=first.state)
        assert sorted(ids(second, stream)) == ["2", "late", "missing", "new", "null", "text"]
        assert bookmark(second, stream)["replication_key_value"] == "2026-01-01T12:00:00.001+00:00"

        wider = tap.sync(catalog=given, state=first.state, settings={"overlap_seconds": 7200})
        assert len(ids(wider, stream)) == 8

    def test_never_goes_back(self, tap: Runner, db, stream: str, catalog) -> None:
        db.visits.insert_many(
            [{"_id": 1, "at": utc("2026-01-01 10:00")}, {"_id": 2, "at": utc("2026-01-01 12:00")}]
        )
        given = catalog()
        first = tap.sync(catalog=given)
        db.visits.delete_one({"_id": 2})
        second = tap.sync(catalog=given, state=first.state)
        assert ids(second, stream) == []
        assert bookmark(second, stream) == bookmark(first, stream)

    def test_a_date_in_the_future_hides_no_change(
        self, tap: Runner, db, stream: str, catalog
    ) -> None:
        db.visits.insert_many(
            [
                {"_id": 1, "at": utc("2026-01-01")},
                {"_id": 2, "at": utc("2999-01-01")},
                {"_id": 3, "at": utc("0001-01-01")},
            ]
        )
        given = catalog()
        first = tap.sync(catalog=given)
        assert bookmark(first, stream)["replication_key_value"] == "2026-01-01T00:00:00.000+00:00"
        assert "lies in the source's future" in first.stderr
        db.visits.insert_one({"_id": 4, "at": utc("2026-01-02")})
        second = tap.sync(catalog=given, state=first.state)
        assert sorted(ids(second, stream)) == ["1", "2", "4"]

    def test_says_where_it_stands_also_when_nothing_came(self, tap: Runner, db, catalog) -> None:
        db.visits.insert_one({"_id": 1, "at": utc("2026-01-01")})
        given = catalog()
        first = tap.sync(catalog=given)
        db.visits.delete_many({})
        second = tap.sync(catalog=given, state=first.state)
        assert [message["type"] for message in second.messages] == ["STATE", "SCHEMA", "STATE"]
        assert second.state == first.state

    def test_the_key_comes_whatever_is_selected(
        self, tap: Runner, db, stream: str, catalog
    ) -> None:
        db.visits.insert_one({"_id": 1, "at": utc("2026-01-01"), "name": "Ann"})
        given = catalog()
        for stream_entry in given["streams"]:
            for entry in stream_entry["metadata"]:
                if entry["breadcrumb"]:
                    entry["metadata"]["selected"] = False
        [record] = tap.sync(catalog=given).records(stream)
        assert set(record) == {"_id", "_id_type", "at"}


@dataclass(frozen=True)
class KeyCase:
    key_type: str
    values: tuple[Any, ...]
    bookmark: Any
    read_again: int


SECONDS = [ObjectId(f"{second:08x}0000000000000000") for second in (1_000, 5_000, 8_000)]
KEY_CASES = [
    KeyCase("number", (1, Int64(2), Int64(9007199254740993)), 9007199254740993, 1),
    KeyCase("number", (1, 2.5, 3.5), 3.5, 1),
    KeyCase("number", (1, Decimal128("2.50"), Decimal128("2.51")), "2.51", 1),
    KeyCase("number", (1, 2, math.inf), 2, 2),
    KeyCase("number", (1, 2, math.nan), 2, 2),
    KeyCase("string", ("2026-01-01", "2026-01-02", "é"), "é", 1),
    KeyCase("objectId", tuple(SECONDS), str(SECONDS[2]), 2),
    KeyCase(
        "date",
        (utc("1969-12-31 10:00"), utc("1969-12-31 11:30"), utc("1969-12-31 12:00:00.007")),
        "1969-12-31T12:00:00.007+00:00",
        2,
    ),
]


@pytest.mark.parametrize("index", ["indexed", "not indexed"])
@pytest.mark.parametrize("case", KEY_CASES, ids=lambda case: f"{case.key_type} {case.bookmark}")
def test_keys_of_every_type_resume_where_they_ended(  # noqa: PLR0913, PLR0917  # fixtures
    tap: Runner, db, stream: str, catalog, case: KeyCase, index: str
) -> None:
    db.visits.insert_many([{"at": value} for value in case.values])
    if index == "indexed":
        db.visits.create_index("at")
    given = catalog()
    first = tap.sync(catalog=given)
    assert len(ids(first, stream)) == 3
    assert bookmark(first, stream)["replication_key_type"] == case.key_type
    assert bookmark(first, stream)["replication_key_value"] == case.bookmark
    second = tap.sync(catalog=given, state=first.state)
    assert len(ids(second, stream)) == case.read_again
    assert bookmark(second, stream) == bookmark(first, stream)


def test_id_itself_is_a_key(tap: Runner, db, stream: str, catalog) -> None:
    db.visits.insert_many([{"_id": number} for number in range(3)])
    given = catalog(**{"replication-key": "_id"})
    first = tap.sync(catalog=given)
    assert bookmark(first, stream)["replication_key_value"] == 2
    assert "no index begins with" not in first.stderr
    db.visits.insert_one({"_id": 5})
    assert ids(tap.sync(catalog=given, state=first.state), stream) == ["2", "5"]


def test_of_a_key_of_several_types_the_likeliest_counts_for_ever(
    tap: Runner, db, stream: str, catalog
) -> None:
    db.visits.insert_many(
        [{"_id": 1, "at": 5}, {"_id": 2, "at": "x"}, {"_id": 3, "at": utc("2026-01-01")}]
    )
    given = catalog()
    first = tap.sync(catalog=given)
    assert bookmark(first, stream)["replication_key_type"] == "date"
    db.visits.delete_one({"_id": 3})
    second = tap.sync(catalog=given, state=first.state)
    assert ids(second, stream) == ["1", "2"]
    assert bookmark(second, stream) == bookmark(first, stream)


def test_a_key_without_index_is_said(tap: Runner, db, catalog) -> None:
    db.visits.insert_one({"at": utc("2026-01-01")})
    assert (
        "no index begins with at, so each run makes the source look at"
        in tap.sync(catalog=catalog()).stderr
    )
    db.visits.create_index([("at", -1), ("x", 1)])
    assert "no index" not in tap.sync(catalog=catalog()).stderr


def test_bookmarks_of_other_taps_are_understood(tap: Runner, db, stream: str, catalog) -> None:
    db.visits.insert_many(
        [{"_id": 1, "at": utc("2026-01-01 10:00")}, {"_id": 2, "at": utc("2026-01-01 12:00")}]
    )
    given = catalog()
    for theirs in ("2026-01-01T13:00:00+02:00", "2026-01-01 11:00:00", "2026-01-01T11:00:00Z"):
        state = {"replication_key": "at", "replication_key_value": theirs}
        output = tap.sync(
            catalog=given, state={"bookmarks": {stream: state}}, settings={"overlap_seconds": 0}
        )
        assert ids(output, stream) == ["2"]


def test_another_replication_key_starts_anew(tap: Runner, db, stream: str, catalog) -> None:
    db.visits.insert_one({"_id": 1, "at": utc("2026-01-01"), "number": 5})
    first = tap.sync(catalog=catalog())
    second = tap.sync(catalog=catalog(**{"replication-key": "number"}), state=first.state)
    assert ids(second, stream) == ["1"]
    assert bookmark(second, stream)["replication_key_value"] == 5


def test_a_sorted_stream_gives_states_to_resume_from_on_its_way(
    tap: Runner, db, stream: str, catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watershed_tap.record_stream.ROWS_PER_STATE", 3)
    db.visits.create_index("at")
    day = dt.timedelta(days=1)
    db.visits.insert_many([{"_id": n, "at": utc("2026-01-01") - n * day} for n in range(10)])
    db.visits.insert_one({"_id": 10})
    given = catalog()
    output = tap.sync(catalog=given)
    seen: set[str] = set()
    states = 0
    for message in output.messages:
        if message["type"] == "RECORD":
            seen.add(message["record"]["_id"])
        elif message["type"] == "STATE" and seen:
            states += 1
            rest = ids(tap.sync(catalog=given, state=message["value"]), stream)
            assert seen | set(rest) == {str(n) for n in range(11)}
            assert len(rest) <= 12 - len(seen) + 1, "no more than needed comes again"
    assert states == 4


class TestFullTable:
    def test_activates_its_version_after_the_last_document(
        self, tap: Runner, db, stream: str
    ) -> None:
        db.visits.insert_many([{"n": 1}, {"n": 2}])
        before = time.time_ns() // 1_000_000
        output = tap.sync()
        types = [message["type"] for message in output.messages]
        assert types == ["SCHEMA", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE"]
        [version] = {m["version"] for m in output.messages if "version" in m}
        assert before <= version <= time.time_ns() // 1_000_000
        assert bookmark(output, stream) == {"version": version, "fields": {"n": "int"}}

    def test_its_version_always_grows(self, tap: Runner, db, stream: str) -> None:
        db.visits.insert_one({"n": 1})
        ahead = time.time_ns() // 1_000_000 + 10**9
        state = {"bookmarks": {stream: {"version": ahead}}}
        output = tap.sync(catalog=tap.catalog(**{f"{db.name}_visits": {}}), state=state)
        assert bookmark(output, stream)["version"] == ahead + 1

    def test_an_empty_collection_is_activated_too(self, tap: Runner, db, stream: str) -> None:
        db.create_collection("visits")
        output = tap.sync()
        types = [message["type"] for message in output.messages]
        assert types == ["SCHEMA", "ACTIVATE_VERSION", "STATE"]
        assert set(output.schema(stream)) == {"_id", "_id_type"}


def test_decimal_bookmarks_keep_every_digit(tap: Runner, db, stream: str, catalog) -> None:
    number = Decimal("1234567890123456789012345678901.234")
    db.visits.insert_many([{"_id": 1, "at": Decimal128(number)}])
    given = catalog()
    first = tap.sync(catalog=given)
    assert bookmark(first, stream)["replication_key_value"] == str(number)
    # The server here compares decimals as doubles, so that the next one would be too close.
    db.visits.insert_one({"_id": 2, "at": Decimal128(number - Decimal(10**16))})
    assert ids(tap.sync(catalog=given, state=first.state), stream) == ["1"]
