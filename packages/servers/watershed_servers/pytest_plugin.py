"""Fixtures: real servers that tests of every package share."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from psycopg import sql

from watershed_servers.documents import DocumentDatabase, DocumentServer
from watershed_servers.loopback import LoopbackServer
from watershed_servers.mariadb import MariaDBDatabase, MariaDBServer
from watershed_servers.postgres import PostgresDatabase, PostgresServer

Server = TypeVar("Server", bound=LoopbackServer)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A running PostgreSQL of this test process; it ends with the process, however that ends."""
    with _running(PostgresServer(tmp_path_factory.mktemp("postgres"), is_throwaway=True)) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    """A running MariaDB of this test process; it ends with the process, however that ends."""
    with _running(MariaDBServer(tmp_path_factory.mktemp("mariadb"), is_throwaway=True)) as server:
        yield server


@pytest.fixture(scope="session")
def document_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentServer]:
    """A running MongoDB-protocol server of this test process; it ends with the process."""
    folder = tmp_path_factory.mktemp("documents")
    with _running(DocumentServer(folder, is_throwaway=True)) as server:
        yield server


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    """A fresh empty database and its owner, who is no superuser but may create roles."""
    with temporary_database(postgres_server) as database:
        yield database


@pytest.fixture
def mariadb_database(mariadb_server: MariaDBServer) -> Iterator[MariaDBDatabase]:
    """A fresh empty database and its owner, who may do anything there, and create users."""
    with temporary_mariadb_database(mariadb_server) as database:
        yield database


@pytest.fixture
def document_database(document_server: DocumentServer) -> Iterator[DocumentDatabase]:
    """A fresh empty database and its owner, who reads and writes there and nowhere else."""
    with temporary_document_database(document_server) as database:
        yield database


@contextmanager
def temporary_database(server: PostgresServer) -> Iterator[PostgresDatabase]:
    """What ``postgres_database`` gives, for fixtures that keep one for longer than a test."""
    name = f"test_{secrets.token_hex(6)}"
    password = secrets.token_urlsafe(16)
    identifier = sql.Identifier(name)
    with server.database().connect(autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login createrole password {}").format(identifier, password)
        )
        connection.execute(sql.SQL("create database {0} owner {0}").format(identifier))
    yield server.database(name, user=name, password=password)
    with server.database().connect(autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(identifier))


@contextmanager
def temporary_mariadb_database(server: MariaDBServer) -> Iterator[MariaDBDatabase]:
    """What ``mariadb_database`` gives, for fixtures that keep one for longer than a test."""
    name = f"test_{secrets.token_hex(6)}"
    password = secrets.token_urlsafe(16)
    with server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create database {name}")
        cursor.execute(f"create user {name}@'127.0.0.1' identified by %s", [password])
        # A pattern: the sample company keeps how it was made in a database beside its own.
        databases = f"{name}%".replace("_", r"\_")
        cursor.execute(f"grant all on `{databases}`.* to {name}@'127.0.0.1' with grant option")
        cursor.execute(f"grant create user on *.* to {name}@'127.0.0.1'")
    yield server.database(name, user=name, password=password)
    with server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"drop database {name}")
        cursor.execute(f"drop database if exists {name}_demo")
        cursor.execute(f"drop user {name}@'127.0.0.1'")


@contextmanager
def temporary_document_database(server: DocumentServer) -> Iterator[DocumentDatabase]:
    """What ``document_database`` gives, for fixtures that keep one for longer than a test."""
    name = f"test_{secrets.token_hex(6)}"
    password = secrets.token_urlsafe(16)
    databases = (name, f"{name}_demo")  # the second for how the sample company was made
    roles = [{"role": role, "db": db} for db in databases for role in ("readWrite", "dbAdmin")]
    with server.database().connect() as client:
        client.admin.command("createUser", name, pwd=password, roles=roles)
    yield server.database(name, user=name, password=password)
    with server.database().connect() as client:
        for database in databases:
            client.drop_database(database)
        client.admin.command("dropUser", name)


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder)
