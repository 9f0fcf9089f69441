"""The tap on a fresh database of a live MariaDB."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from watershed_load_plan.duckdb_types import quoted, to_duckdb
from watershed_load_plan.types import LARGEST_PRECISION, from_json_schema
from watershed_servers import MariaDBDatabase, MariaDBServer
from watershed_tap.testing import Runner
from watershed_tap_mysql.bulk import bulk_column
from watershed_tap_mysql.queries import select_all
from watershed_tap_mysql.tap import TapMySQL


class MySQLRunner(Runner):
    """Runs the tap on one database; streams are named by their table only."""

    def stream(self, table: str) -> str:
        return f"{self.database.dbname}-{table}"

    @property
    def every_table(self) -> str:
        """For grants: the owner may only hand on the pattern of databases that was handed to it."""
        return "`{}%`.*".format(self.database.dbname.replace("_", r"\_"))

    def catalog(self, **metadata_of_tables: dict[str, Any]) -> dict[str, Any]:
        schema = self.database.dbname
        return super().catalog(**{f"{schema}_{t}": m for t, m in metadata_of_tables.items()})


@pytest.fixture
def tap(mariadb_database: MariaDBDatabase, tmp_path: Path) -> MySQLRunner:
    """The tap on a fresh database, as its owner."""
    config = {
        "host": mariadb_database.host,
        "port": mariadb_database.port,
        "database": mariadb_database.dbname,
        "user": mariadb_database.user,
        "password": mariadb_database.password,
        "ssl_ca": str(mariadb_database.ca_file),
    }
    return MySQLRunner(TapMySQL, mariadb_database, config, tmp_path)


@pytest.fixture
def execute(mariadb_database: MariaDBDatabase) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run statements in the same database, as its owner; the rows of the last are returned."""
    with mariadb_database.connect() as connection, connection.cursor() as cursor:

        def run(*statements: str, parameters: Any = None) -> list[tuple[Any, ...]]:
            for statement in statements:
                cursor.execute(statement, parameters)
            return list(cursor.fetchall())

        yield run


class Bulk:
    """Reads tables by record batches, and makes of them what the shared writer makes of them."""

    def __init__(self, tap: MySQLRunner) -> None:
        self._tap = tap

    def read(self, table: str, **settings: Any) -> list[dict[str, Any]]:
        """A table's rows; values that are inexact in their column's type make the column text."""
        source = TapMySQL(config=self._tap.config | settings).connector
        stream = self._tap.stream(table)
        found = source.tables[stream]
        columns = list(found.columns.values())
        statement = select_all(found, columns)
        received = pa.Table.from_batches(source.batches(statement, columns, found))
        source.close()
        engine = duckdb.connect()
        engine.execute("set TimeZone = 'UTC'")
        engine.register("received", received)
        wanted = []
        for column in columns:
            bulk, name = bulk_column(column), quoted(column.name)
            inexact = (bulk.inexact or "false").replace("{}", name)
            is_text = engine.execute(f"select bool_or({inexact}) from received").fetchall()[0][0]
            wanted.append(f"{(bulk.text if is_text else bulk.typed).replace('{}', name)} as {name}")
            if not is_text and column.type.schema.get("precision", 0) <= LARGEST_PRECISION:
                promised = to_duckdb(from_json_schema(column.type.schema))
                typed = bulk.typed.replace("{}", name)
                types = engine.execute(f"select typeof({typed}) from received").fetchall()
                assert {promised} >= {name for (name,) in types}
            wanted.append(f"{bulk.text.replace('{}', name)} as {quoted(column.name + ' as text')}")
        engine.execute(f"create table written as select {', '.join(wanted)} from received")
        names = [column[0] for column in engine.execute("from written").description]
        return [dict(zip(names, row, strict=True)) for row in engine.fetchall()]


@pytest.fixture
def bulk(tap: MySQLRunner) -> Bulk:
    """Reads tables of the tap's database by record batches."""
    return Bulk(tap)


@pytest.fixture
def other_database(
    mariadb_server: MariaDBServer, mariadb_database: MariaDBDatabase
) -> Iterator[str]:
    """A second database of the same owner, whose name goes on after the first's."""
    name = f"{mariadb_database.dbname}-b"
    with mariadb_server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create database `{name}`")
        cursor.execute(f"grant all on `{name}`.* to {mariadb_database.user}@'127.0.0.1'")
        yield name
        cursor.execute(f"drop database `{name}`")
