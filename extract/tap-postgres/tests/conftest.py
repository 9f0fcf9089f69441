"""The tap on a fresh database of a live PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import PostgresDatabase
from watershed_tap.testing import Runner
from watershed_tap_postgres.tap import TapPostgres


@pytest.fixture
def tap(postgres_database: PostgresDatabase, tmp_path: Path) -> Runner:
    """The tap on a fresh database, as its owner."""
    config = {
        "host": postgres_database.host,
        "port": postgres_database.port,
        "database": postgres_database.dbname,
        "user": postgres_database.user,
        "password": postgres_database.password,
        "sslrootcert": str(postgres_database.ca_file),
    }
    return Runner(TapPostgres, postgres_database, config, tmp_path)


@pytest.fixture
def execute(postgres_database: PostgresDatabase) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL in the same database, as its owner."""
    with postgres_database.connect(autocommit=True) as connection:

        def run(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

        yield run
