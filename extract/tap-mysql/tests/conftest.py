"""The tap on a fresh database of a live MariaDB."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import MariaDBDatabase
from watershed_tap.testing import Runner
from watershed_tap_mysql.tap import TapMySQL


class MySQLRunner(Runner):
    """Runs the tap on one database; streams are named by their table only."""

    def stream(self, table: str) -> str:
        return f"{self.database.dbname}-{table}"

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
