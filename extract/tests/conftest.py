"""Every tap of ours on a fresh database of a live server."""

from pathlib import Path
from typing import Any

import pytest

from watershed_servers import DocumentDatabase, MariaDBDatabase, PostgresDatabase
from watershed_tap.testing import Runner
from watershed_tap_mongodb.tap import TapMongoDB
from watershed_tap_mysql.tap import TapMySQL
from watershed_tap_postgres.tap import TapPostgres


def login(database: Any) -> dict[str, Any]:
    names = ("host", "port", "user", "password")
    return {name: getattr(database, name) for name in names} | {"database": database.dbname}


@pytest.fixture
def postgres_tap(postgres_database: PostgresDatabase, tmp_path: Path) -> Runner:
    config = login(postgres_database) | {"sslrootcert": str(postgres_database.ca_file)}
    return Runner(TapPostgres, postgres_database, config, tmp_path)


@pytest.fixture
def mysql_tap(mariadb_database: MariaDBDatabase, tmp_path: Path) -> Runner:
    config = login(mariadb_database) | {"ssl_ca": str(mariadb_database.ca_file)}
    return Runner(TapMySQL, mariadb_database, config, tmp_path)


@pytest.fixture
def mongodb_tap(document_database: DocumentDatabase, tmp_path: Path) -> Runner:
    config = login(document_database) | {"tls_ca_file": str(document_database.ca_file)}
    return Runner(TapMongoDB, document_database, config, tmp_path)
