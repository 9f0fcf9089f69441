"""A small shop, and digests of what is in it."""

from collections.abc import Iterator

import psycopg
import pytest

from watershed_demo import TABLES, generate_shop
from watershed_servers import PostgresServer
from watershed_servers.pytest_plugin import temporary_database

SMALL = 0.05


@pytest.fixture(scope="module")
def shop(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A shop with 24 months of history, shared by the tests of a module."""
    with temporary_database(postgres_server) as database, database.connect() as connection:
        generate_shop(connection, scale=SMALL)
        yield connection


@pytest.fixture
def digest():
    """Tell a table's content, to the last byte, as one hash."""

    def digest_of(connection: psycopg.Connection, table: str) -> str:
        connection.execute("set timezone = 'UTC'")
        query = (
            f"""select md5(string_agg(row, E'\n' order by row collate "C"))"""
            f""" from (select t.*::text as row from shop."{table}" as t) as rows"""
        )
        return connection.execute(query).fetchone()[0]

    def digests(connection: psycopg.Connection) -> dict[str, str]:
        return {table: digest_of(connection, table) for table in TABLES}

    return digests
