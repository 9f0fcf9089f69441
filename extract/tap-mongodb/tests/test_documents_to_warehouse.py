"""From documents to rows: what the DuckDB target makes of this tap's messages."""

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, Int64
from bson.datetime_ms import DatetimeMS

from watershed_duckdb import connect
from watershed_tap.testing import Output, Runner
from watershed_tap_mongodb.source import MongoSource
from watershed_tap_mongodb.testing import told_by_bson, told_by_json
from watershed_target_duckdb.target import TargetDuckDB

pytestmark = pytest.mark.extract

BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "at"}


class Warehouse:
    """Loads what runs of the tap say, and is asked for rows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"
        self._config = {
            "warehouse": str(self.path),
            "spool_directory": str(folder / "batches"),
            "default_target_schema": "raw_web",
        }

    def load(self, output: Output) -> None:
        with redirect_stdout(io.StringIO()):
            TargetDuckDB(config=self._config).listen(io.StringIO(output.stdout))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.path, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


def test_a_field_that_breaks_its_type_is_json_in_every_row(
    tap: Runner, db, warehouse: Warehouse
) -> None:
    """Old rows, too, and those that were loaded before the break of the same run."""
    values: dict[str, list[Any]] = {
        "number": [1, Int64(2**40), 2.5, "four"],
        "at": [DatetimeMS(n * 86_400_000) for n in range(4)],
        "moment": [DatetimeMS(0), DatetimeMS(-1), None, "never"],
        "money": [Decimal128("1.50"), Decimal128("123.456"), Decimal128("NaN"), Decimal128("0")],
        "text": ["a", "b", 3, None],
        "blob": [b"\x00\xff", b"", b"x", 7],
    }
    documents = [{"_id": n, **{name: of[n] for name, of in values.items()}} for n in range(4)]
    db.things.create_index("at")
    db.things.insert_many(documents[:2])
    catalog = tap.catalog(**{f"{db.name}_things": BY_TIME})
    first = tap.sync(catalog=catalog)
    warehouse.load(first)
    db.things.insert_many(documents[2:])
    second = tap.sync(catalog=catalog, state=first.state)
    warehouse.load(second)

    names = [name for name in values if name != "at"]
    rows = warehouse.rows(
        f"select _id, _id_type, {', '.join(names)} from raw_web.things order by _id"
    )
    assert [row[:2] for row in rows] == [(str(n), "int") for n in range(4)]
    for row in rows:
        for name, told in zip(names, row[2:], strict=True):
            assert told_by_json(told) == told_by_bson(values[name][int(row[0])]), name
    types = dict(warehouse.rows("select column_name, column_type from (describe raw_web.things)"))
    assert {types[name] for name in names} == {"JSON", "VARCHAR"}
    assert types["text"] == "VARCHAR", "a column of text holds JSON as it is"
    assert types["at"] == "TIMESTAMP WITH TIME ZONE"
    assert warehouse.rows("select count(*) from ops.quarantine") == [(0,)]

    third = tap.sync(catalog=catalog, state=second.state)
    warehouse.load(third)
    ((changed,),) = warehouse.rows(
        "select rows_inserted + rows_updated from ops.loads order by committed_at desc limit 1"
    )
    assert changed == 0, "the form of a column is settled"


def test_typed_columns_hold_what_the_source_holds(tap: Runner, db, warehouse: Warehouse) -> None:
    db.things.insert_many(
        [
            {"_id": 1, "d": float("nan"), "i": 1, "m": Decimal128("1E+3"), "b": b"\x00\xff"},
            {"_id": 2, "d": -0.0, "i": 2**31 - 1, "m": Decimal128("0.001"), "b": b""},
            {"_id": "2", "d": None, "i": None, "m": None, "b": None},
        ]
    )
    warehouse.load(tap.sync())
    assert warehouse.rows(
        "select _id, _id_type, d::varchar, i, m::varchar, hex(b) from raw_web.things order by all"
    ) == [
        ("1", "int", "nan", 1, "1000.000", "00FF"),
        ("2", "int", "-0.0", 2**31 - 1, "0.001", ""),
        ("2", "string", None, None, None, None),
    ]


def test_a_document_that_is_gone_is_marked_and_one_of_another_type_of_id_is_not_it(
    tap: Runner, db, warehouse: Warehouse
) -> None:
    db.things.insert_many([{"_id": 7}, {"_id": "7"}])
    first = tap.sync()
    warehouse.load(first)
    db.things.delete_one({"_id": 7})
    catalog = tap.catalog(**{f"{db.name}_things": {}})
    warehouse.load(tap.sync(catalog=catalog, state=first.state))
    assert warehouse.rows(
        "select _id_type, _sdc_deleted_at is not null from raw_web.things order by 1"
    ) == [("int", True), ("string", False)]


def test_a_view_whose_field_breaks_its_type_is_not_doubled(
    tap: Runner, db, warehouse: Warehouse
) -> None:
    db.things.insert_one({"_id": 1, "x": 1})
    db.command({"create": "seen", "viewOn": "things", "pipeline": []})
    catalog = tap.catalog(**{f"{db.name}_seen": {}})
    db.things.insert_one({"_id": 2, "x": "two"})
    warehouse.load(tap.sync(catalog=catalog))
    assert warehouse.rows("select _id, x from raw_web.seen order by 1") == [
        ("1", '{"$numberInt":"1"}'),
        ("2", '"two"'),
    ]


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (253_402_300_800_000, "10000-01-01 00:00:00+00"),
        (-62_135_596_800_001, "0001-12-31 (BC) 23:59:59.999+00"),
        (2**63 - 1, None),
    ],
)
def test_a_date_beyond_python_is_loaded_or_set_aside(  # noqa: PLR0913, PLR0917  # fixtures
    tap: Runner, db, warehouse, milliseconds: int, shown: str | None, monkeypatch
) -> None:
    """The server here refuses such dates, so it is put on its way to the target."""
    db.things.insert_one({"_id": 1, "at": DatetimeMS(0)})
    document = {"_id": 1, "at": DatetimeMS(milliseconds)}
    catalog = tap.catalog(**{f"{db.name}_things": {}})
    monkeypatch.setattr(MongoSource, "documents", lambda *_: iter([[document]]))
    warehouse.load(tap.sync(catalog=catalog))
    assert warehouse.rows(
        "select cast(timezone('UTC', things.at) as varchar) || '+00' from raw_web.things"
    ) == [(shown,)]
    quarantined = warehouse.rows("select value from ops.quarantine")
    assert quarantined == ([] if shown else [("292278994-08-17T07:12:55.807+00:00",)])
