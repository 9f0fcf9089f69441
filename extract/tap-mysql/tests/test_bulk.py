"""Record batches: what no random value meets, and how reading them ends."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from watershed_tap.exceptions import SetupError, SourceUnavailableError
from watershed_tap_mysql.column_types import ImpossibleDateError
from watershed_tap_mysql.queries import select_all
from watershed_tap_mysql.tap import TapMySQL

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Bulk = Any  # of conftest.py

LONGEST_PACKET = 2**24 - 1


class TestDatesThatNoCalendarHas:
    @pytest.fixture(autouse=True)
    def rows(self, execute: Execute) -> None:
        execute("set sql_mode = 'allow_invalid_dates'")
        execute("create table t (id int, d date, m datetime(3), s timestamp(6) null)")
        for date in ("0000-00-00", "2024-00-15", "2024-02-31", "0000-05-05", "2023-02-29"):
            execute(f"insert into t values (1, '{date}', '{date} 01:02:03.4', 0)")
        execute("insert into t values (1, '2024-02-29', '2024-02-29', '2024-02-29')")

    def test_make_their_columns_the_texts_of_the_source(self, bulk: Bulk, tap: Runner) -> None:
        rows = bulk.read("t")
        assert [rows[2]["d"], rows[2]["m"]] == ["2024-02-31", "2024-02-31 01:02:03.400"]
        names = ("id", "d", "m", "s")
        read = [{name: row[name] for name in names} for row in rows]
        assert read == tap.sync().records(tap.stream("t"))

    def test_become_null(self, bulk: Bulk) -> None:
        *impossible, good = bulk.read("t", zero_dates="null")
        assert {row[name] for row in impossible for name in "dms"} == {None}
        assert good["d"] == dt.date(2024, 2, 29)
        assert good["m"] == dt.datetime(2024, 2, 29)  # it has no zone

    def test_stop_the_run(self, bulk: Bulk) -> None:
        with pytest.raises(ImpossibleDateError, match="column 'd' holds '0000-00-00'"):
            bulk.read("t", zero_dates="fail")


def test_bytes_that_are_no_text_arrive_as_in_a_record(
    tap: Runner, bulk: Bulk, execute: Execute
) -> None:
    execute(
        "set sql_mode = ''",
        "create table t (id int, a varchar(9) character set ascii,"
        " b varchar(9) character set latin1, c varchar(9) character set cp1251)",
        "insert into t values (1, x'6361e9', _latin1 x'4dc3bc81', _cp1251 x'9861'),"
        " (2, x'610062', _latin1 x'00', _cp1251 x'cff0e8'), (3, null, null, null), (4, '', '', '')",
    )
    names = ("id", "a", "b", "c")
    read = [{name: row[name] for name in names} for row in bulk.read("t")]
    assert read == tap.sync().records(tap.stream("t"))
    assert [row["a"] for row in read] == ["ca\\xe9", "a\0b", None, ""]


@pytest.mark.parametrize(
    "length", [250, 251, 2**16 - 1, 2**16, LONGEST_PACKET - 7, LONGEST_PACKET, 2 * LONGEST_PACKET]
)
def test_values_of_any_length_arrive(bulk: Bulk, execute: Execute, length: int) -> None:
    execute("create table t (id int, a longtext, b varchar(300))")
    execute(f"insert into t values (1, repeat('x', {length}), 'after'), (2, '', null)")
    execute("insert into t select seq, repeat('y', seq % 300), seq from seq_3_to_300")
    first, second, *others = bulk.read("t")
    assert len(first["a"]) == length
    assert set(first["a"]) == {"x"}
    assert [first["b"], second["a"], second["b"]] == ["after", "", None]
    assert [(row["a"], row["b"]) for row in others] == [
        ("y" * (number % 300), str(number)) for number in range(3, 301)
    ]


def source_of(tap: Runner, statement_of: str, **settings: Any) -> tuple[Any, str, list[Any]]:
    source = TapMySQL(config=tap.config | settings).connector
    table = source.tables[tap.stream(statement_of)]
    columns = list(table.columns.values())
    return source, select_all(table, columns), columns


def test_a_table_takes_no_more_memory_than_a_batch(tap: Runner, execute: Execute) -> None:
    execute("create table t (id int primary key, a varchar(1000))")
    execute("insert into t select seq, repeat('z', 1000) from seq_1_to_60000")
    source, statement, columns = source_of(tap, "t")
    sizes = [
        batch.nbytes for batch in source.batches(statement, columns, source.tables[tap.stream("t")])
    ]
    assert len(sizes) > 5
    assert max(sizes) < 10 * 2**20
    source.close()


def test_a_batch_is_the_snapshot_of_all_the_others(tap: Runner, execute: Execute) -> None:
    execute("create table a (i int)", "insert into a values (1)", "create table b (i int)")
    source, statement, columns = source_of(tap, "a")
    [batch] = source.batches(statement, columns, source.tables[tap.stream("a")])
    assert batch.to_pydict() == {"i": [1]}
    execute("insert into b values (1)", "alter table a add column j int")
    table = source.tables[tap.stream("b")]
    statement = select_all(table, table.columns.values())
    assert list(source.batches(statement, list(table.columns.values()), table)) == []
    source.close()


def test_the_connection_breaks_between_two_rows(tap: Runner, execute: Execute) -> None:
    execute("create table t (id int primary key, a varchar(1000))")
    execute("insert into t select seq, repeat('z', 1000) from seq_1_to_60000")
    source, statement, columns = source_of(tap, "t")
    [(identifier,)] = source._query("select connection_id()")
    batches = source.batches(statement, columns, source.tables[tap.stream("t")])
    next(batches)
    execute(f"kill {identifier}")
    with pytest.raises(SourceUnavailableError, match=r"stream .*-t: it broke off") as raised:
        list(batches)
    assert str(raised.value).endswith("run again: the last STATE is safe")


def test_a_statement_takes_too_long(tap: Runner, execute: Execute) -> None:
    execute("create view slow as select sleep(10) as nap")
    source, statement, columns = source_of(tap, "slow", statement_timeout_seconds=1)
    with pytest.raises(SetupError, match="raise statement_timeout_seconds"):
        list(source.batches(statement, columns, source.tables[tap.stream("slow")]))


def test_who_stops_reading_leaves_the_rest_behind(tap: Runner, execute: Execute) -> None:
    execute("create table t (id int primary key, a varchar(1000))")
    execute("insert into t select seq, repeat('z', 1000) from seq_1_to_60000")
    source, statement, columns = source_of(tap, "t")
    batches = source.batches(statement, columns, source.tables[tap.stream("t")])
    next(batches)
    batches.close()
    assert [len(row) for row in source.rows("select 1, 2", "t")] == [2], "it connects again"
    source.close()


def test_a_column_became_wider_since_it_was_discovered(tap: Runner, execute: Execute) -> None:
    execute("create table t (i smallint)", "create table later (i int)")
    execute("insert into later values (7), (40000)")
    source, statement, columns = source_of(tap, "t")
    source._query("select 1")
    with pytest.raises(SetupError, match=r"stream .*-t: the table was altered meanwhile"):
        list(
            source.batches(
                statement.replace("`t`", "`later`"), columns, source.tables[tap.stream("t")]
            )
        )


def test_the_rows_come_over_the_verified_connection(tap: Runner, execute: Execute) -> None:
    execute(
        "create view me as select variable_value as cipher"
        " from information_schema.session_status where variable_name = 'SSL_CIPHER'"
    )
    source, statement, columns = source_of(tap, "me")
    [batch] = source.batches(statement, columns, source.tables[tap.stream("me")])
    assert batch.to_pydict()["cipher"][0].startswith("TLS_")
    source.close()
