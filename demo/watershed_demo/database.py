"""The database "shop" on a server: its owner, its reader, its data."""

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from watershed_demo.exceptions import DemoError
from watershed_demo.shop import DEFAULT_SEED, TABLES, generate_shop
from watershed_servers import PostgresDatabase

DATABASE = "shop"
OWNER = "shop_owner"
READER = "watershed_reader"


@dataclass(frozen=True)
class Company:
    """How the shop was made, how far its days have come, and how many rows each table has now."""

    scale: float
    seed: int
    day: int
    rows: dict[str, int]


def ensure_database(administrator: PostgresDatabase, reader_password: str | None) -> str:
    """Create the database, its owner and its reader, where they are missing.

    Args:
        administrator: any database of the server, as a superuser.
        reader_password: the one to keep; None for a new one.

    Returns:
        The reader's password.
    """
    password = reader_password or secrets.token_urlsafe(24)
    names = {name: sql.Identifier(name) for name in (DATABASE, OWNER, READER)}
    with administrator.connect(autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
        if OWNER not in roles:
            connection.execute(sql.SQL("create role {} nologin").format(names[OWNER]))
        if READER not in roles:
            connection.execute(sql.SQL("create role {} login").format(names[READER]))
        # A hash, made here: a password in a statement can end up in the server's log.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), READER.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("alter role {} password {}").format(names[READER], verifier.decode())
        )
        databases = {name for (name,) in connection.execute("select datname from pg_database")}
        if DATABASE not in databases:
            connection.execute(
                sql.SQL("create database {} owner {}").format(names[DATABASE], names[OWNER])
            )
        connection.execute(sql.SQL("revoke all on database {} from public").format(names[DATABASE]))
        connection.execute(
            sql.SQL("grant connect on database {} to {}").format(names[DATABASE], names[READER])
        )
    return password


def ensure_shop(
    administrator: PostgresDatabase,
    *,
    scale: float | None,
    seed: int | None,
    report: Callable[[str, float], None],
) -> bool:
    """Generate the shop, unless it is there, and let the reader read it.

    Args:
        administrator: any database of the server, as a superuser.
        scale: None for 1, or for what is there.
        seed: None for the default, or for what is there.
        report: as for `generate_shop`.

    Returns:
        Whether it was generated now.

    Raises:
        DemoError: it is there with another scale or seed.
    """
    with connect_as_owner(administrator) as connection:
        made = _how_it_was_made(connection)
        if made is None:
            generate_shop(
                connection,
                scale=1.0 if scale is None else scale,
                seed=DEFAULT_SEED if seed is None else seed,
                report=report,
            )
        elif scale not in (None, made[0]) or seed not in (None, made[1]):
            raise DemoError(
                f"the shop is there already, with SCALE={made[0]:g} and SEED={made[1]}: "
                "give no others, or run `watershed-demo down`, remove output/demo and begin anew"
            )
        reader = sql.Identifier(READER)
        for grant in (
            "grant usage on schema shop to {}",
            "grant select on all tables in schema shop to {}",
            "alter default privileges in schema shop grant select on tables to {}",
        ):
            connection.execute(sql.SQL(grant).format(reader))
    return made is None


def read_company(administrator: PostgresDatabase) -> Company:
    """Count the shop's rows and tell how it was made.

    Raises:
        DemoError: it has not been made.
    """
    with connect_as_owner(administrator) as connection:
        made = _how_it_was_made(connection)
        if made is None:
            raise DemoError("the shop has no data yet: run `watershed-demo up`")
        rows = {
            table: connection.execute(f'select count(*) from shop."{table}"').fetchall()[0][0]
            for table in TABLES
        }
    return Company(*made, rows=rows)


@contextmanager
def connect_as_owner(administrator: PostgresDatabase) -> Iterator[psycopg.Connection]:
    """Open the database "shop" as its owner.

    Raises:
        DemoError: there is no such database.
    """
    database = dataclasses.replace(administrator, dbname=DATABASE)
    with administrator.connect() as connection:
        query = "select 1 from pg_database where datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            raise DemoError("the shop has no database yet: run `watershed-demo up`")
    with database.connect() as connection:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(OWNER)))
        connection.commit()
        yield connection


def _how_it_was_made(connection: psycopg.Connection) -> tuple[float, int, int] | None:
    """The scale, the seed and the last day; None when there is no shop."""
    if connection.execute("select to_regclass('demo.company')").fetchall() == [(None,)]:
        return None
    rows = connection.execute("select scale::float8, seed, day from demo.company").fetchall()
    scale, seed, day = rows[0]
    return scale, seed, day
