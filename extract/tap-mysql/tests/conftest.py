"""The tap on a fresh database of a live MariaDB."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import MariaDBDatabase, MariaDBServer
from watershed_tap.testing import Runner
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
