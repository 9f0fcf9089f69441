"""What each run reads, and how far it says that it has got."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from watershed_tap.exceptions import SetupError
from watershed_tap_mysql.tap import TapMySQL

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py

BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "updated_at"}
BY_NUMBER = {"replication-method": "INCREMENTAL", "replication-key": "number"}


def ids(output: Any) -> list[int]:
    return [message["record"]["id"] for message in output.of("RECORD")]


def bookmark(output: Any) -> Any:
    [state] = output.state["bookmarks"].values()
    return state["replication_key_value"]


@pytest.fixture
def visits(execute: Execute) -> None:
    execute(
        "set sql_mode = 'allow_invalid_dates'",
        "create table visits (id int primary key, updated_at datetime(6), number bigint unsigned)",
    )


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize("is_indexed", [False, True])
class TestIncremental:
    @pytest.fixture(autouse=True)
    def index(self, execute: Execute, visits: None, is_indexed: bool) -> None:  # noqa: ARG002, FBT001
        if is_indexed:
            execute("create index by_time on visits (updated_at)")

    def test_reads_all_then_what_changed_and_what_came_late(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute(
            "insert into visits (id, updated_at) values"
            " (1, '2026-01-01 10:00'), (2, '2026-01-01 12:00'), (3, null)"
        )
        catalog = tap.catalog(visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        assert sorted(ids(first)) == [1, 2, 3]
        assert bookmark(first) == "2026-01-01T12:00:00.000000"

        execute(
            "insert into visits (id, updated_at) values"
            " (4, '2026-01-01 11:00'),"  # committed late, within the overlap of an hour
            " (5, '2026-01-01 10:59:59.999999'),"  # too late
            " (6, '2026-01-01 12:00:00.000001')"
        )
        second = tap.sync(catalog=catalog, state=first.state)
        assert sorted(ids(second)) == [2, 3, 4, 6], "the row without a time always comes again"
        assert bookmark(second) == "2026-01-01T12:00:00.000001"

        wider = tap.sync(catalog=catalog, state=first.state, settings={"overlap_seconds": 7200})
        assert sorted(ids(wider)) == [1, 2, 3, 4, 5, 6]

    def test_never_goes_back(self, tap: Runner, execute: Execute) -> None:
        execute("insert into visits values (1, '2026-01-01 10:00', 1), (2, '2026-01-01 12:00', 2)")
        catalog = tap.catalog(visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        execute("delete from visits where id = 2")
        second = tap.sync(catalog=catalog, state=first.state)
        assert ids(second) == []
        assert bookmark(second) == bookmark(first)

    @pytest.mark.parametrize("zero_dates", ["quarantine", "null"])
    def test_a_row_from_the_future_or_from_no_time_hides_no_change(
        self, tap: Runner, execute: Execute, zero_dates: str
    ) -> None:
        tap.config["zero_dates"] = zero_dates
        execute(
            "insert into visits (id, updated_at) values (1, '2026-01-01'), (2, '2999-01-01'),"
            " (3, '0000-00-00'), (4, '2026-00-15'), (5, '2026-02-31'), (6, '0001-01-01')"
        )
        catalog = tap.catalog(visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        assert sorted(ids(first)) == [1, 2, 3, 4, 5, 6]
        assert bookmark(first) == "2026-01-01T00:00:00.000000"
        assert "has rows whose updated_at lies in the source's future" in first.stderr
        execute("insert into visits (id, updated_at) values (7, '2026-01-02')")
        second = tap.sync(catalog=catalog, state=first.state)
        assert sorted(ids(second)) == [1, 2, 3, 4, 5, 7], "all but what lies before the overlap"
        assert bookmark(second) == "2026-01-02T00:00:00.000000"

    def test_a_table_of_nothing_but_zero_dates_has_no_bookmark(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute("insert into visits (id, updated_at) values (1, '0000-00-00'), (2, '2026-00-00')")
        catalog = tap.catalog(visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        assert first.state == {"bookmarks": {tap.stream("visits"): {}}}
        assert sorted(ids(tap.sync(catalog=catalog, state=first.state))) == [1, 2]

    def test_says_where_it_stands_also_when_nothing_came(
        self, tap: Runner, execute: Execute
    ) -> None:
        execute("insert into visits (id, updated_at) values (1, '2026-01-01')")
        catalog = tap.catalog(visits=BY_TIME)
        first = tap.sync(catalog=catalog)
        execute("delete from visits")
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
        "timestamp(6) null",
        ("2026-01-01 09:59", "2026-01-01 10:00", "2026-01-01 11:00"),
        "2026-01-01T11:00:00.000000+00:00",
        2,
    ),
    KeyCase(
        "datetime",
        ("2026-01-01 09:59", "2026-01-01 10:00", "2026-01-01 11:00"),
        "2026-01-01T11:00:00.000000",
        2,
    ),
    KeyCase("date", ("2026-01-01", "2026-01-02", "2026-01-03"), "2026-01-03", 2),
    KeyCase("bigint unsigned", ("1", "2", "18446744073709551615"), 2**64 - 1, 1),
    KeyCase("tinyint", ("-3", "-2", "-1"), -1, 1),
    KeyCase(
        "datetime(6)", ("0001-01-01 00:00:00", "0001-01-01 00:30"), "0001-01-01T00:30:00.000000", 2
    ),
)


@pytest.mark.parametrize("case", KEY_CASES, ids=lambda case: case.column_type)
def test_keys_of_every_type_resume_where_they_ended(
    tap: Runner, execute: Execute, case: KeyCase
) -> None:
    execute(f"create table visits (id serial primary key, updated_at {case.column_type})")
    for value in case.values:
        execute(f"insert into visits (updated_at) values ('{value}')")
    catalog = tap.catalog(visits=BY_TIME)
    first = tap.sync(catalog=catalog)
    assert bookmark(first) == case.bookmark
    second = tap.sync(catalog=catalog, state=first.state)
    assert len(ids(second)) == case.rows_read_again
    assert bookmark(second) == case.bookmark


@pytest.mark.usefixtures("visits")
def test_bookmarks_of_other_taps_are_understood(tap: Runner, execute: Execute) -> None:
    execute("insert into visits values (1, '2026-01-01 10:00', 1), (2, '2026-01-01 12:00', 2)")
    catalog = tap.catalog(visits=BY_TIME)
    for theirs in ("2026-01-01T13:00:00+02:00", "2026-01-01 11:00:00", "2026-01-01T11:00:00Z"):
        state = {"replication_key": "updated_at", "replication_key_value": theirs}
        output = tap.sync(
            catalog=catalog,
            state={"bookmarks": {tap.stream("visits"): state}},
            settings={"overlap_seconds": 0},
        )
        assert ids(output) == [2]


@pytest.mark.usefixtures("visits")
def test_another_replication_key_starts_anew(tap: Runner, execute: Execute) -> None:
    execute("insert into visits values (1, '2026-01-01 10:00', 5)")
    first = tap.sync(catalog=tap.catalog(visits=BY_TIME))
    second = tap.sync(catalog=tap.catalog(visits=BY_NUMBER), state=first.state)
    assert ids(second) == [1]
    assert bookmark(second) == 5


@pytest.mark.usefixtures("visits")
def test_a_sorted_stream_gives_states_to_resume_from_on_its_way(
    tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watershed_tap.record_stream.ROWS_PER_STATE", 3)
    execute(
        "create index by_time on visits (updated_at)",
        "insert into visits (id, updated_at)"
        " select seq, '2026-01-01' - interval seq day from seq_1_to_10 union all select 11, null",
    )
    catalog = tap.catalog(visits=BY_TIME)
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
        execute("create table visits as select seq as i from seq_1_to_3")
        before = time.time_ns() // 1_000_000
        output = tap.sync()
        types = [message["type"] for message in output.messages]
        assert types == ["SCHEMA", "RECORD", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE"]
        [version] = {m["version"] for m in output.messages if "version" in m}
        assert before <= version <= time.time_ns() // 1_000_000
        assert output.state == {"bookmarks": {tap.stream("visits"): {"version": version}}}

    def test_an_empty_table_is_activated_too(self, tap: Runner, execute: Execute) -> None:
        execute("create table visits (i int)")
        output = tap.sync()
        types = [message["type"] for message in output.messages]
        assert types == ["SCHEMA", "ACTIVATE_VERSION", "STATE"]


class TestSnapshot:
    """All streams are read as of one moment, and nobody there has to wait for us."""

    @pytest.fixture
    def meanwhile(
        self, tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., None]:
        """Run statements after the first table, a, was read and before the second, b."""
        from watershed_tap_mysql.stream import MySQLStream  # noqa: PLC0415

        execute("create table a as select 1 as n", "create table b as select 1 as n")
        begin = MySQLStream.begin

        def run(*statements: str) -> None:
            def begin_after_them(stream: MySQLStream) -> None:
                if stream.name == tap.stream("b"):
                    execute("set lock_wait_timeout = 5", *statements)
                begin(stream)

            monkeypatch.setattr(MySQLStream, "begin", begin_after_them)

        return run

    def test_is_one_moment(
        self, tap: Runner, execute: Execute, meanwhile: Callable[..., None]
    ) -> None:
        meanwhile("update b set n = 2", "insert into b values (3)")
        output = tap.sync()
        assert output.records(tap.stream("b")) == [{"n": 1}]
        assert execute("select count(*) from b") == [(2,)]
        assert len({message["time_extracted"] for message in output.of("RECORD")}) == 1

    def test_locks_no_table_that_has_been_read(
        self, tap: Runner, execute: Execute, meanwhile: Callable[..., None]
    ) -> None:
        meanwhile("alter table a add more int")
        assert tap.sync().records(tap.stream("b")) == [{"n": 1}]
        assert execute("select count(more) from a") == [(0,)]

    def test_does_not_read_a_table_that_was_altered_since(
        self, tap: Runner, meanwhile: Callable[..., None]
    ) -> None:
        meanwhile("alter table b add more int, algorithm = copy")
        error = tap().error
        assert f"stream {tap.stream('b')}: the table was altered meanwhile" in error
        assert error.endswith("run again")

    def test_can_change_nothing(self, tap: Runner, execute: Execute) -> None:
        execute("create table t (i int)")
        source = TapMySQL(config=tap.config).connector
        with pytest.raises(SetupError, match="READ ONLY transaction"):
            source._query("insert into t values (1)")
        source.close()
        assert execute("select * from t") == []
