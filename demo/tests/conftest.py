"""A small company, and digests of what is in its three databases."""

import hashlib
from collections.abc import Iterator

import psycopg
import pymysql
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from watershed_demo import TABLES, generate_crm, generate_shop, generate_web
from watershed_demo.crm.history import TABLES as CRM_TABLES
from watershed_demo.web.history import COLLECTIONS
from watershed_servers import DocumentServer, MariaDBServer, PostgresServer
from watershed_servers.pytest_plugin import (
    temporary_database,
    temporary_document_database,
    temporary_mariadb_database,
)

SMALL = 0.05


@pytest.fixture(scope="module")
def shop(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A shop with 24 months of history, shared by the tests of a module."""
    with temporary_database(postgres_server) as database, database.connect() as connection:
        generate_shop(connection, scale=SMALL)
        yield connection


@pytest.fixture(scope="module")
def crm(mariadb_server: MariaDBServer) -> Iterator[pymysql.Connection]:
    """A CRM with 24 months of history, shared by the tests of a module."""
    with temporary_mariadb_database(mariadb_server) as database, database.connect() as connection:
        generate_crm(connection, scale=SMALL)
        yield connection


@pytest.fixture(scope="module")
def web(document_server: DocumentServer) -> Iterator[Database]:
    """A website with 24 months of history, shared by the tests of a module."""
    with temporary_document_database(document_server) as database, database.connect() as client:
        generate_web(client[database.dbname], scale=SMALL)
        yield client[database.dbname]


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


@pytest.fixture
def crm_digest():
    """Tell the content of each table of a CRM as one hash."""

    def digest_of(cursor, table):
        cursor.execute("set time_zone = '+00:00'")
        cursor.execute(f"select * from {table} order by 1")
        return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()

    def digests(connection) -> dict[str, str]:
        with connection.cursor() as cursor:
            return {table: digest_of(cursor, table) for table in CRM_TABLES}

    return digests


@pytest.fixture
def web_digest():
    """Tell the content of each collection, its BSON to the last byte, as one hash."""
    as_it_is = CodecOptions(document_class=RawBSONDocument)

    def digests(database) -> dict[str, str]:
        return {
            name: hashlib.sha256(
                b"".join(
                    sorted(
                        bytes(document.raw)
                        for document in database.get_collection(name, as_it_is).find()
                    )
                )
            ).hexdigest()
            for name in COLLECTIONS
        }

    return digests
