"""The tap on a fresh database of a live PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import PostgresDatabase, PostgresServer
from watershed_tap.testing import Runner
from watershed_tap_postgres.tap import TapPostgres


def runner_on(database: PostgresDatabase, folder: Path) -> Runner:
    config = {
        "host": database.host,
        "port": database.port,
        "database": database.dbname,
        "user": database.user,
        "password": database.password,
        "sslrootcert": str(database.ca_file),
    }
    return Runner(TapPostgres, database, config, folder)


@pytest.fixture
def tap(postgres_database: PostgresDatabase, tmp_path: Path) -> Runner:
    """The tap on a fresh database, as its owner."""
    return runner_on(postgres_database, tmp_path)


@pytest.fixture
def idle_tap(postgres_server: PostgresServer, tmp_path: Path) -> Runner:
    """The tap on a server where there is nothing to read; quicker to have than :func:`tap`."""
    return runner_on(postgres_server.database(), tmp_path)


@pytest.fixture
def execute(postgres_database: PostgresDatabase) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL in the same database, as its owner."""
    with postgres_database.connect(autocommit=True) as connection:

        def run(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

        yield run
