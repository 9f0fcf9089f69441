"""Every type of every source: what becomes of its values is what docs/types.md says."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bson
import duckdb
import pytest
from type_matrix.cases import Sheet, TypeCase, laid_out
from type_matrix.judged import Arrival, Row, row_of
from type_matrix.mongodb_cases import MONGODB, is_far, text_of
from type_matrix.mysql_cases import MYSQL
from type_matrix.page import settle
from type_matrix.postgres_cases import POSTGRES, SETUP
from type_matrix.redshift import RedshiftTables

from redshift_standin.standin import Standin
from watershed_tap.testing import Output, Runner
from watershed_tap_mongodb.source import MongoSource
from watershed_tap_mongodb.values import CODEC_OPTIONS

pytestmark = [pytest.mark.extract, pytest.mark.redshift]

# DuckDB's own text of a time with zone is a millisecond off after the year 285,000.
_TEXTS = {
    "BLOB": "hex({})",
    "TIMESTAMP WITH TIME ZONE": "case when isfinite({0})"
    " then cast(make_timestamp(epoch_us({0})) as varchar) || '+00' else cast({0} as varchar) end",
}

Said = list[list[str | None]]  # rows of texts


class Matrix:
    """Loads the sheets of a source by files, into both warehouses, and judges what arrived."""

    def __init__(
        self, warehouse: Any, on_redshift: RedshiftTables, in_files: dict[str, Any]
    ) -> None:
        self._warehouse = warehouse
        self._on_redshift = on_redshift
        self._settings = in_files
        self._in_files: dict[str, dict[str, str]] = {}
        in_files["batch_config"]["storage"]["root"] = warehouse.batches.as_uri()

    def load(self, tap: Runner) -> None:
        output = tap.sync(settings=self._settings)
        assert output.of("RECORD") == []
        self._in_files = types_in_files(output)
        self._on_redshift.load(output)
        self._warehouse.load(output)  # it deletes the files, which are in its folder

    def rows(self, cases: Sequence[TypeCase], said: Callable[[Sheet], Said]) -> Iterator[Row]:
        arrivals = {
            sheet.name: iter(self._arrivals(sheet, said(sheet))) for sheet in laid_out(cases)
        }
        for case in cases:
            yield row_of(
                case,
                held=next(arrivals["held"]),
                huge=next(arrivals["huge"]) if case.huge else [],
                outside=[next(arrivals["beyond"]) for _ in case.outside],
            )

    def types(self, table: str) -> dict[str, str]:
        """Of the raw table's columns."""
        found: dict[str, str] = self._warehouse.types(f"raw.{table}")
        return found

    def _arrivals(self, sheet: Sheet, said: Said) -> list[list[Arrival]]:
        """All values of each column."""
        types, in_file = self.types(sheet.name), self._in_files[sheet.name]
        texts = ", ".join(
            _TEXTS.get(types[name], "cast({} as varchar)").format(name) for name in sheet.columns
        )
        key = "_id" if "_id" in types else "id"
        found = self._warehouse.rows(
            f"select {texts} from raw.{sheet.name} order by cast({key} as int)"
        )
        assert len(found) == len(sheet.rows)
        aside = {
            (int(row), column): value
            for row, column, value in self._warehouse.rows(
                f"select record_key ->> '{key}', column_name, value from ops.quarantine"
                f" where stream like '%-{sheet.name}'"
            )
        }
        names = self._on_redshift.types(sheet.name)
        assert {name: of for name, (_, of) in names.items()} == types
        there = self._on_redshift.texts(sheet.name, sheet.columns, key)
        assert len(there) == len(sheet.rows)
        aside_there = {
            (int(json.loads(record)[key]), column): value
            for record, column, value in self._on_redshift.aside(sheet.name)
        }
        return [
            [
                Arrival(
                    said=said[row][position],
                    arrived=found[row][position],
                    aside=aside.get((row, name)),
                    in_file=in_file[name],
                    in_warehouse=types[name],
                    on_redshift=there[row][position],
                    redshift_aside=aside_there.get((row, name)),
                    in_redshift=names[name][0],
                )
                for row in range(len(found))
            ]
            for position, name in enumerate(sheet.columns)
        ]


def types_in_files(output: Output) -> dict[str, dict[str, str]]:
    """Types of the columns of each table, which came in one file."""
    found = {}
    for message in output.of("BATCH"):
        [file] = message["manifest"]
        table = message["stream"].rpartition("-")[2]
        assert table not in found
        with duckdb.connect() as engine:
            described = engine.execute(
                "select column_name, column_type from (describe from read_parquet($file))",
                {"file": file.removeprefix("file://")},
            )
            found[table] = dict(described.fetchall())
    return found


@pytest.fixture
def matrix(
    make_warehouse: Callable[[str], Any], redshift_tables: RedshiftTables, in_files: dict[str, Any]
) -> Matrix:
    return Matrix(make_warehouse("types"), redshift_tables, in_files)


@pytest.fixture
def redshift_tables(
    redshift: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedshiftTables]:
    monkeypatch.setenv("SSL_CERT_FILE", str(redshift.ca_file))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "emulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulated")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    tables = RedshiftTables(redshift, tmp_path / "redshift")
    yield tables
    tables.close()


def test_types_of_postgresql(postgres_tap: Runner, matrix: Matrix) -> None:
    """R-3.1.3, and extremes that the page names."""
    with postgres_tap.database.connect(autocommit=True) as connection:
        connection.execute(SETUP)
        connection.execute("set timezone = 'UTC'")
        for sheet in laid_out(POSTGRES):
            columns = ", ".join(
                f"{name} {case.declared}"
                for name, case in zip(sheet.columns, sheet.cases, strict=True)
            )
            connection.execute(f"create table {sheet.name} (id int primary key, {columns})")
            holders = ", ".join(f"%s::text::{case.declared}" for case in sheet.cases)
            for row, values in enumerate(sheet.rows):
                connection.execute(f"insert into {sheet.name} values ({row}, {holders})", values)
        matrix.load(postgres_tap)

        def said(sheet: Sheet) -> Said:
            asked = ", ".join(
                (case.asked or "{}::text").format(name)
                for name, case in zip(sheet.columns, sheet.cases, strict=True)
            )
            return connection.execute(f"select {asked} from {sheet.name} order by id").fetchall()

        settle("PostgreSQL", matrix.rows(POSTGRES, said))


def test_types_of_mysql(mysql_tap: Runner, matrix: Matrix) -> None:
    """R-3.1.3, and extremes that the page names."""
    with mysql_tap.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "set sql_mode = 'strict_all_tables,allow_invalid_dates', time_zone = '+00:00'"
        )
        for sheet in laid_out(MYSQL):
            columns = ", ".join(
                f"{name} {case.declared}"
                for name, case in zip(sheet.columns, sheet.cases, strict=True)
            )
            cursor.execute(f"create table {sheet.name} (id int primary key, {columns})")
            holders = ", ".join(
                "st_geomfromtext(%s)" if "st_" in case.asked else "%s" for case in sheet.cases
            )
            for row, values in enumerate(sheet.rows):
                cursor.execute(f"insert into {sheet.name} values ({row}, {holders})", values)
        connection.commit()
        matrix.load(mysql_tap)

        def said(sheet: Sheet) -> Said:
            asked = ", ".join(
                f"cast({(case.asked or '{}').format(name)} as char character set utf8mb4)"
                for name, case in zip(sheet.columns, sheet.cases, strict=True)
            )
            cursor.execute(f"select {asked} from {sheet.name} order by id")
            return list(cursor.fetchall())

        settle("MySQL", matrix.rows(MYSQL, said))


def test_types_of_mongodb(
    mongodb_tap: Runner, matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-3.1.3, and extremes that the page names."""
    far_fields: dict[str, Any] = {}
    with mongodb_tap.database.connect() as client:
        db = client.get_database(mongodb_tap.database.dbname, codec_options=CODEC_OPTIONS)
        for sheet in laid_out(MONGODB):
            for row, values in enumerate(sheet.rows):
                fields = dict(zip(sheet.columns, values, strict=True))
                there = {name: of for name, of in fields.items() if of is not None}
                far_fields |= {name: of for name, of in there.items() if is_far(of)}
                kept = {name: of for name, of in there.items() if not is_far(of)}
                db[sheet.name].insert_one({"_id": row, **kept})
        send_dates_that_the_server_refuses(monkeypatch, far_fields)
        matrix.load(mongodb_tap)

        def said(sheet: Sheet) -> Said:
            types = matrix.types(sheet.name)
            found = []
            for document in db[sheet.name].find().sort("_id"):
                fields = with_far(sheet.name, document, far_fields)
                found.append([text_of(fields.get(n), types[n]) for n in sheet.columns])
            return found

        settle("MongoDB", matrix.rows(MONGODB, said))


def with_far(table: str, document: dict[str, Any], far: dict[str, Any]) -> dict[str, Any]:
    return document | far if (table, document["_id"]) == ("beyond", 1) else document


def send_dates_that_the_server_refuses(
    monkeypatch: pytest.MonkeyPatch, far: dict[str, Any]
) -> None:
    read = MongoSource.raw_batches

    def raw_batches(source: MongoSource, query: Any) -> Iterator[bytes]:
        for batch in read(source, query):
            documents = bson.decode_all(batch, CODEC_OPTIONS)
            yield b"".join(
                bson.encode(with_far(query.collection, document, far)) for document in documents
            )

    monkeypatch.setattr(MongoSource, "raw_batches", raw_batches)
