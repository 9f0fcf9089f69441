"""The tap on a fresh database of a live server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from watershed_servers import DocumentDatabase
from watershed_tap.testing import Runner
from watershed_tap_mongodb.tap import TapMongoDB


def config_of(database: DocumentDatabase) -> dict[str, Any]:
    return {
        "host": database.host,
        "port": database.port,
        "database": database.dbname,
        "user": database.user,
        "password": database.password,
        "tls_ca_file": str(database.ca_file),
    }


@pytest.fixture
def tap(document_database: DocumentDatabase, tmp_path: Path) -> Runner:
    """The tap on a fresh database, as its owner."""
    return Runner(TapMongoDB, document_database, config_of(document_database), tmp_path)


@pytest.fixture
def db(document_database: DocumentDatabase) -> Iterator[Database[dict[str, Any]]]:
    """The same database, written to by its owner."""
    with document_database.connect() as client:
        yield client[document_database.dbname]
