"""The database "shop" on a PostgreSQL server: its owner, its reader, its data."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import psycopg
from psycopg import sql

from watershed_demo.exceptions import DemoError
from watershed_demo.shop.days import apply_day
from watershed_demo.shop.history import TABLES, generate_shop
from watershed_demo.sources import READER, Made, Report, Source
from watershed_demo.timeline import Changes
from watershed_servers import PostgresDatabase, PostgresServer

DATABASE = "shop"
OWNER = "shop_owner"


class ShopSource(Source):
    """The shop; see `Source`."""

    name = "shop"
    title = "PostgreSQL"
    scheme = "postgresql"
    url_variable: ClassVar = "DEMO_POSTGRES_URL"
    ca_parameter = "sslrootcert"
    default_port: ClassVar = 5432
    prefix = "SHOP_POSTGRES"

    @property
    def server(self) -> PostgresServer:
        """Our own server, running or not."""
        return PostgresServer(self.project / "output" / "demo" / "postgres")

    def address(self) -> str:
        """Tell host and port."""
        administrator = self._administrator()
        return f"{administrator.host}:{administrator.port}"

    def made(self) -> Made | None:
        """Tell how the shop was made; None when there is none."""
        if not self._has_database():
            return None
        with self.connect_as_owner() as connection:
            if connection.execute("select to_regclass('demo.company')").fetchall() == [(None,)]:
                return None
            rows = connection.execute("select scale::float8, seed, day from demo.company")
            return Made(*rows.fetchall()[0])

    def generate(self, *, scale: float, seed: int, report: Report) -> None:
        """Make the database and its history, which are there wholly or not at all."""
        names = {name: sql.Identifier(name) for name in (DATABASE, OWNER)}
        with self._administrator().connect(autocommit=True) as connection:
            if not _has_role(connection, OWNER):
                connection.execute(sql.SQL("create role {} nologin").format(names[OWNER]))
            if not self._has_database():
                connection.execute(
                    sql.SQL("create database {} owner {}").format(names[DATABASE], names[OWNER])
                )
        with self.connect_as_owner() as connection:
            generate_shop(connection, scale=scale, seed=seed, report=report)

    def admit_reader(self, password: str) -> dict[str, str]:
        """Let the reader read the shop, also tables that come later, and nothing else."""
        administrator = self._administrator()
        reader, database = sql.Identifier(READER), sql.Identifier(DATABASE)
        with administrator.connect(autocommit=True) as connection:
            if not _has_role(connection, READER):
                connection.execute(sql.SQL("create role {} login").format(reader))
            # A hash, made here: a password in a statement can end up in the server's log.
            verifier = connection.pgconn.encrypt_password(
                password.encode(), READER.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("alter role {} password {}").format(reader, verifier.decode())
            )
            connection.execute(sql.SQL("revoke all on database {} from public").format(database))
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(database, reader)
            )
        with self.connect_as_owner() as connection:
            for grant in (
                "grant usage on schema shop to {}",
                "grant select on all tables in schema shop to {}",
                "alter default privileges in schema shop grant select on tables to {}",
            ):
                connection.execute(sql.SQL(grant).format(reader))
        return {
            "SHOP_POSTGRES_HOST": administrator.host,
            "SHOP_POSTGRES_PORT": str(administrator.port),
            "SHOP_POSTGRES_DATABASE": DATABASE,
            "SHOP_POSTGRES_USER": READER,
            "SHOP_POSTGRES_PASSWORD": password,
            "SHOP_POSTGRES_SSLROOTCERT": str(administrator.ca_file),
        }

    def apply_day(self, day: int) -> dict[str, Changes]:
        """Apply that day, which must be the next."""
        with self.connect_as_owner() as connection:
            return apply_day(connection, day=day)

    def count(self) -> dict[str, int]:
        """Count the rows of each table."""
        with self.connect_as_owner() as connection:
            return {
                table: connection.execute(f'select count(*) from shop."{table}"').fetchall()[0][0]
                for table in TABLES
            }

    @contextmanager
    def connect_as_owner(self) -> Iterator[psycopg.Connection]:
        """Open the database as its owner.

        Raises:
            DemoError: there is no such database.
        """
        if not self._has_database():
            raise DemoError("the shop has no database yet: run `watershed-demo up`")
        database = dataclasses.replace(self._administrator(), dbname=DATABASE)
        with database.connect() as connection:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(OWNER)))
            connection.commit()
            yield connection

    def _administrator(self) -> PostgresDatabase:
        """Tell how to connect as a superuser."""
        if self.login is not None:
            return PostgresDatabase(dbname="postgres", **vars(self.login))
        self.require_running()
        return self.server.database()

    def _has_database(self) -> bool:
        with self._administrator().connect() as connection:
            query = "select 1 from pg_database where datname = %s"
            return connection.execute(query, [DATABASE]).fetchone() is not None


def _has_role(connection: psycopg.Connection, name: str) -> bool:
    query = "select 1 from pg_roles where rolname = %s"
    return connection.execute(query, [name]).fetchone() is not None
