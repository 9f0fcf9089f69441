"""What each run reads, and how far it says that it got."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]

BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "updated_at"}
BY_NUMBER = {"replication-method": "INCREMENTAL", "replication-key": "number"}
INDEX = "create index on visits (updated_at)"


@pytest.fixture
def visits(execute: Execute) -> None:
    execute("create table visits (id int primary key, updated_at timestamptz, number bigint)")


def ids(output: Any, stream: str = "public-visits") -> list[int]:
    return [record["id"] for record in output.records(stream)]


def bookmark(output: Any, stream: str = "public-visits") -> Any:
    return output.state["bookmarks"][stream]["replication_key_value"]


class TestIncremental:
    @pytest.fixture(params=["", INDEX], ids=["unsorted", "sorted"], autouse=True)
    def table(self, request: pytest.FixtureRequest, execute: Execute) -> None:
        request.getfixturevalue("visits")
        if request.param:
            execute(request.param)

    def test_reads_all_then_what_changed_and_what_came_late(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute(
            "insert into visits values (1, '2026-01-01 10:00+00'), (2, '2026-01-01 12:00+00'),"
            " (3, null)"
        )
        catalog = tap.catalog(public_visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        assert sorted(ids(first)) == [1, 2, 3]
        assert bookmark(first) == "2026-01-01T12:00:00.000000+00:00"

        execute(
            "insert into visits values"
            " (4, '2026-01-01 11:00:00+00'),"  # committed late, within the overlap of an hour
            " (5, '2026-01-01 10:59:59.999999+00'),"  # too late
            " (6, '2026-01-01 12:00:00.000001+00')"
        )
        second = tap.sync(catalog=catalog, state=first.state)
        assert sorted(ids(second)) == [2, 3, 4, 6], "the row without a time always comes again"
        assert bookmark(second) == "2026-01-01T12:00:00.000001+00:00"

        wider = tap.sync(catalog=catalog, state=first.state, settings={"overlap_seconds": 7200})
        assert sorted(ids(wider)) == [1, 2, 3, 4, 5, 6]

    def test_never_goes_back(self, tap: Runner, execute: Execute) -> None:
        execute("insert into visits values (1, '2026-01-01 10:00+00'), (2, '2026-01-01 12:00+00')")
        catalog = tap.catalog(public_visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        execute("delete from visits where id = 2")
        second = tap.sync(catalog=catalog, state=first.state)
        assert ids(second) == []
        assert bookmark(second) == bookmark(first)

    def test_a_row_from_the_future_or_from_no_time_hides_no_change(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute(
            "insert into visits values (1, '2026-01-01+00'), (2, '2999-01-01+00'),"
            " (3, 'infinity'), (4, '-infinity'), (5, '0044-01-01 BC'), (6, '12000-01-01+00')"
        )
        catalog = tap.catalog(public_visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        assert sorted(ids(first)) == [1, 2, 3, 4, 5, 6]
        assert bookmark(first) == "2026-01-01T00:00:00.000000+00:00"
        assert "public-visits has rows whose updated_at lies in the source's future" in first.stderr
        execute("insert into visits values (7, '2026-01-02+00')")
        second = tap.sync(catalog=catalog, state=first.state)
        assert sorted(ids(second)) == [1, 2, 3, 4, 6, 7]
        assert bookmark(second) == "2026-01-02T00:00:00.000000+00:00"

    def test_says_where_it_stands_also_when_nothing_came(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute("insert into visits values (1, '2026-01-01+00')")
        catalog = tap.catalog(public_visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        execute("truncate visits")
        second = tap.sync(catalog=catalog, state=first.state)
        assert [message["type"] for message in second.messages] == ["STATE", "SCHEMA", "STATE"]
        assert second.state == first.state


@dataclass(frozen=True)
class KeyCase:
    column_type: str
    values: tuple[str, ...]
    bookmark: Any
    rows_read_again: int


KEY_CASES = (
    KeyCase(
        "timestamp",
        ("2026-01-01 09:59", "2026-01-01 10:00", "2026-01-01 11:00"),
        "2026-01-01T11:00:00.000000",
        2,
    ),
    KeyCase("date", ("2026-01-01", "2026-01-02", "2026-01-03"), "2026-01-03", 2),
    KeyCase("bigint", ("1", "2", "9007199254740993"), 9007199254740993, 1),
    KeyCase("smallint", ("-3", "-2", "-1"), -1, 1),
)


@pytest.mark.parametrize("case", KEY_CASES, ids=lambda case: case.column_type)
def test_keys_of_every_type_resume_where_they_ended(
    tap: Runner, execute: Execute, case: KeyCase
) -> None:
    execute(f"create table visits (id serial primary key, updated_at {case.column_type})")
    for value in case.values:
        execute(f"insert into visits (updated_at) values ('{value}')")
    catalog = tap.catalog(public_visits=BY_TIME)
    first = tap.sync(catalog=catalog)
    assert bookmark(first) == case.bookmark
    second = tap.sync(catalog=catalog, state=first.state)
    assert len(ids(second)) == case.rows_read_again
    assert bookmark(second) == case.bookmark


@pytest.mark.usefixtures("visits")
def test_bookmarks_of_other_taps_are_understood(tap: Runner, execute: Execute) -> None:
    execute("insert into visits values (1, '2026-01-01 10:00+00'), (2, '2026-01-01 12:00+00')")
    catalog = tap.catalog(public_visits=BY_TIME)
    for theirs in ("2026-01-01T13:00:00+02:00", "2026-01-01 11:00:00", "2026-01-01T11:00:00Z"):
        state = {"replication_key": "updated_at", "replication_key_value": theirs}
        output = tap.sync(
            catalog=catalog,
            state={"bookmarks": {"public-visits": state}},
            settings={"overlap_seconds": 0},
        )
        assert ids(output) == [2]


@pytest.mark.usefixtures("visits")
def test_another_replication_key_starts_anew(tap: Runner, execute: Execute) -> None:
    execute("insert into visits values (1, '2026-01-01 10:00+00', 5)")
    first = tap.sync(catalog=tap.catalog(public_visits=BY_TIME))
    second = tap.sync(catalog=tap.catalog(public_visits=BY_NUMBER), state=first.state)
    assert ids(second) == [1]
    assert bookmark(second) == 5


@pytest.mark.usefixtures("visits")
def test_a_sorted_stream_gives_states_to_resume_from_on_its_way(
    tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watershed_tap.record_stream.ROWS_PER_STATE", 3)
    execute(INDEX)
    execute(
        "insert into visits select i, timestamptz '2026-01-01+00' - i * interval '1 day'"
        " from generate_series(1, 10) i union all select 11, null"
    )
    catalog = tap.catalog(public_visits=BY_TIME)
    output = tap.sync(catalog=catalog)
    seen: set[int] = set()
    states = 0
    for message in output.messages:
        if message["type"] == "RECORD":
            seen.add(message["record"]["id"])
        elif message["type"] == "STATE" and seen:
            states += 1
            rest = tap.sync(catalog=catalog, state=message["value"])
            assert seen | set(ids(rest)) == set(range(1, 12))
            assert len(ids(rest)) <= 12 - len(seen) + 1, "no more than needed comes again"
    assert states == 4


class TestFullTable:
    def test_activates_its_version_after_the_last_row(self, tap: Runner, execute: Execute) -> None:
        execute("create table rows as select i from generate_series(1, 3) i")
        before = time.time_ns() // 1_000_000
        output = tap.sync()
        types = [message["type"] for message in output.messages]
        assert types == ["SCHEMA", "RECORD", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE"]
        [version] = {m["version"] for m in output.messages if "version" in m}
        assert before <= version <= time.time_ns() // 1_000_000
        assert output.state == {"bookmarks": {"public-rows": {"version": version}}}

    def test_its_version_always_grows(self, tap: Runner, execute: Execute) -> None:
        execute("create table rows as select 1 as i")
        ahead = time.time_ns() // 1_000_000 + 10**9
        state = {"bookmarks": {"public-rows": {"version": ahead}}}
        output = tap.sync(catalog=tap.catalog(public_rows={}), state=state)
        assert output.state["bookmarks"]["public-rows"]["version"] == ahead + 1

    def test_an_empty_table_is_activated_too(self, tap: Runner, execute: Execute) -> None:
        execute("create table rows (i int)")
        output = tap.sync()
        types = [message["type"] for message in output.messages]
        assert types == ["SCHEMA", "ACTIVATE_VERSION", "STATE"]


def test_all_streams_are_read_as_of_one_moment(
    tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("create table a as select 1 as n; create table b as select 1 as n")
    from watershed_tap_postgres.stream import PostgresStream  # noqa: PLC0415

    begin = PostgresStream.begin

    def change_the_other_table_first(stream: PostgresStream) -> None:
        if stream.name == "public-b":
            execute("update b set n = 2; insert into b values (3)")
        begin(stream)

    monkeypatch.setattr(PostgresStream, "begin", change_the_other_table_first)
    output = tap.sync()
    assert output.records("public-b") == [{"n": 1}]
    assert execute("select count(*) from b") == [(2,)]
    assert len({message["time_extracted"] for message in output.of("RECORD")}) == 1
