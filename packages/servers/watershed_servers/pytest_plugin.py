"""Fixtures: real servers that tests of every package share."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg import sql

from watershed_servers.postgres import PostgresDatabase, PostgresServer


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A running PostgreSQL of this test process; it ends with the process, however that ends."""
    folder = tmp_path_factory.mktemp("postgres")
    server = PostgresServer(folder, is_throwaway=True)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    """A fresh empty database and its owner, who is no superuser but may create roles."""
    with temporary_database(postgres_server) as database:
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
