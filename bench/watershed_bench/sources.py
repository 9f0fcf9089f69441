"""The servers that are read from, and the tables that they hold; made once and kept."""

import hashlib
import math
import secrets
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from bson import Decimal128, Int64
from psycopg import sql

from watershed_servers import (
    DocumentDatabase,
    DocumentServer,
    LoopbackServer,
    MariaDBDatabase,
    MariaDBServer,
    PostgresDatabase,
    PostgresServer,
)

STATEMENTS = Path(__file__).with_name("sql")
DATABASE = "bench"
READER = "bench_reader"
VIEWER, VIEWED = "bench_viewer", ["viewUser", "viewRole"]
FIRST_KEY = 9007199254740992
COLUMNS = {
    "id": "bigint",
    "uid": "uuid",
    "amount": "decimal",
    "updated_at": "instant",
    "created_at": "timestamp",
    "order_date": "date",
    "is_paid": "boolean",
    "score": "double",
    "note": "text",
    "meta": "json",
    "qty": "integer",
    "coupon": "text",
}
"""The columns of every table, and what kind of value each holds."""
INSERT_DOCUMENTS = 5000


class Source(ABC):
    """A server under ``folder`` with tables of any number of rows.

    Tables are named after what they hold: ``orders_4000000``; ``hourly_4000000``, the same rows,
    which are changed between runs; ``extremes`` and ``specials``, a few hard values.
    """

    name: ClassVar[str]
    counts_server: ClassVar[bool] = True
    kinds: ClassVar[dict[str, str]] = COLUMNS
    server: LoopbackServer
    schema = DATABASE

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._password = secrets.token_hex(16)

    @abstractmethod
    def __enter__(self) -> Self:
        """Start what there is."""

    @abstractmethod
    def __exit__(self, *_: object) -> None:
        """Stop it."""

    @property
    def server_pid(self) -> int:
        """The process whose tree does the source's work."""
        return self.server.pid()

    @property
    def ca_file(self) -> Path:
        """Who signed the server's certificate."""
        return self.server.ca_file

    @property
    @abstractmethod
    def database(self) -> PostgresDatabase | MariaDBDatabase | DocumentDatabase:
        """How the routes log in: as a user who may read."""

    def orders(self, rows: int) -> str:
        """Return the table with ``rows`` rows; it is made at the first call of all runs."""
        return self._ensure(f"orders_{rows}", rows)

    def _ensure(self, table: str, rows: int) -> str:
        if not self._has(table):
            self._make(table, rows)
        return table

    @abstractmethod
    def _has(self, table: str) -> bool: ...

    @abstractmethod
    def _make(self, table: str, rows: int) -> None: ...


class ServerSource(Source):
    """A server that a tap reads from, again and again."""

    def __enter__(self) -> Self:
        """Start the server and give the reader a password of this run."""
        self.server.start()
        self._make_reader()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def hourly(self, rows: int) -> str:
        """Return the table whose rows `change` changes."""
        return self._ensure(f"hourly_{rows}", rows)

    @abstractmethod
    def _make_reader(self) -> None: ...

    @abstractmethod
    def change(self, table: str, every: int) -> None:
        """Change one row in ``every``, and move its ``updated_at`` on."""


class SqlSource(ServerSource):
    """PostgreSQL or MariaDB."""

    def edge(self, table: str) -> str:
        """Return a table of hard values, ``extremes`` or ``specials``."""
        self.orders(1)
        return self._ensure(table, 1)

    @abstractmethod
    def texts(self, table: str) -> list[tuple[str | None, ...]]:
        """All rows by key, each value as the source itself writes it."""


class Postgres(SqlSource):
    """PostgreSQL."""

    name = "postgres"
    server: PostgresServer

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = PostgresServer(folder / "postgres", is_throwaway=True)

    @property
    def database(self) -> PostgresDatabase:
        """How the routes log in."""
        return self.server.database(DATABASE, user=READER, password=self._password)

    def _make_reader(self) -> None:
        password = sql.Literal(self._password)
        with self.server.database().connect(autocommit=True) as connection:
            found = "select from pg_database where datname = %s"
            if connection.execute(found, [DATABASE]).fetchone() is None:
                connection.execute(f"create role {READER} login")
                connection.execute(f"create database {DATABASE}")
            connection.execute(sql.SQL(f"alter role {READER} password {{}}").format(password))
        with self.server.database(DATABASE).connect() as connection:
            connection.execute(f"create schema if not exists {self.schema}")
            connection.execute(f"grant usage on schema {self.schema} to {READER}")
            connection.execute(f"grant select on all tables in schema {self.schema} to {READER}")

    def _has(self, table: str) -> bool:
        with self.server.database(DATABASE).connect() as connection:
            name = f"{self.schema}.{table}"
            return connection.execute("select to_regclass(%s)", [name]).fetchone() != (None,)

    def _make(self, table: str, rows: int) -> None:
        kind = table.partition("_")[0].replace("hourly", "orders")
        statements = (STATEMENTS / f"{kind}.postgres.sql").read_text()
        like = "orders_1" if kind != "orders" else table
        # The texts hold braces of JSON; the name and the number are our own.
        query = statements.replace("{table}", like).replace("{rows}", str(rows)).encode()
        with self.server.database(DATABASE).connect() as connection:
            connection.execute(f"set search_path to {self.schema}")
            connection.execute(query)
            connection.execute(
                sql.SQL("grant select on {} to {}").format(
                    sql.Identifier(table), sql.Identifier(READER)
                )
            )
        with self.server.database(DATABASE).connect(autocommit=True) as connection:
            connection.execute(f"vacuum analyze {self.schema}.{table}")

    def change(self, table: str, every: int) -> None:
        """Change one row in ``every``."""
        with self.server.database(DATABASE).connect() as connection:
            connection.execute(
                f"update {self.schema}.{table} set amount = amount + 1, updated_at = newest + "
                f"interval '1 hour' from (select max(updated_at) as newest from "
                f"{self.schema}.{table}) as t where id %% %s = 0",
                [every],
            )
        with self.server.database(DATABASE).connect(autocommit=True) as connection:
            connection.execute(f"vacuum analyze {self.schema}.{table}")

    def texts(self, table: str) -> list[tuple[str | None, ...]]:
        """All rows by key."""
        columns = ", ".join(f"{column}::text" for column in COLUMNS)
        with self.database.connect() as connection:
            return connection.execute(
                f"select {columns} from {self.schema}.{table} order by {table}.id"
            ).fetchall()


class MySql(SqlSource):
    """MariaDB."""

    name = "mysql"
    server: MariaDBServer
    kinds: ClassVar = {**COLUMNS, "uid": "text"}  # MySQL has no type for it

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = MariaDBServer(folder / "mariadb", is_throwaway=True)

    @property
    def database(self) -> MariaDBDatabase:
        """How the routes log in."""
        return self.server.database(DATABASE, user=READER, password=self._password)

    def _execute(self, *statements: str, database: str | None = DATABASE) -> list[tuple[Any, ...]]:
        """Run statements as the superuser; return the rows of the last."""
        server = self.server.database(database)
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set sql_mode = '', time_zone = '+00:00'")
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def _make_reader(self) -> None:
        user = f"{READER}@'127.0.0.1'"
        self._execute(
            f"create database if not exists {DATABASE}",
            f"create or replace user {user} identified by '{self._password}' require ssl",
            f"grant select on {DATABASE}.* to {user}",
            database=None,
        )

    def _has(self, table: str) -> bool:
        return bool(self._execute(f"show tables like '{table}'"))

    def _make(self, table: str, rows: int) -> None:
        """Make the table under another name first: MariaDB commits at each of these statements."""
        kind = table.partition("_")[0].replace("hourly", "orders")
        text = (STATEMENTS / f"{kind}.mysql.sql").read_text()
        partial = f"{table}_partial"
        text = text.replace("{rows}", str(rows)).replace(f"table {kind}", f"table {partial}")
        text = text.replace(f"into {kind}", f"into {partial}")
        text = text.replace("{table}", partial if kind == "orders" else "orders_1")
        statements = [part for part in text.split(";\n") if part.strip()]
        self._execute(
            f"drop table if exists {partial}",
            *statements,
            f"rename table {partial} to {table}",
            f"analyze table {table}",
        )

    def change(self, table: str, every: int) -> None:
        """Change one row in ``every``."""
        self._execute(
            f"update {table}, (select max(updated_at) as newest from {table}) as t "
            f"set amount = amount + 1, updated_at = newest + interval 1 hour "
            f"where id % {every} = 0"
        )

    def texts(self, table: str) -> list[tuple[str | None, ...]]:
        """All rows by key."""
        columns = ", ".join(f"cast({column} as char)" for column in COLUMNS)
        return self._execute(f"select {columns} from {table} order by {table}.id")


class MongoDb(ServerSource):
    """The demo's document server, which is slow itself: only the client's time means anything."""

    name = "mongodb"
    server: DocumentServer
    counts_server = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = DocumentServer(folder / "documents", is_throwaway=True)

    @property
    def database(self) -> DocumentDatabase:
        """How the routes log in."""
        return self.server.database(DATABASE, user=READER, password=self._password)

    def _make_reader(self) -> None:
        with self.server.database().connect() as client:
            roles = [{"role": "read", "db": DATABASE}]
            # Two of the taps do not read before they have seen their own user.
            seen = {"resource": {"db": "admin", "collection": ""}, "actions": VIEWED}
            found = client.admin.command("rolesInfo", VIEWER)["roles"]
            command = "updateRole" if found else "createRole"
            client.admin.command(command, VIEWER, privileges=[seen], roles=[])
            roles.append({"role": VIEWER, "db": "admin"})
            found = client.admin.command("usersInfo", READER)["users"]
            command = "updateUser" if found else "createUser"
            client.admin.command(command, READER, pwd=self._password, roles=roles)

    def _has(self, table: str) -> bool:
        with self.server.database().connect() as client:
            return table in client[DATABASE].list_collection_names()

    def _make(self, table: str, rows: int) -> None:
        with self.server.database().connect() as client:
            collection = client[DATABASE][f"{table}_partial"]
            collection.drop()
            documents = map(_document, range(1, rows + 1))
            for first in range(0, rows, INSERT_DOCUMENTS):
                batch = [next(documents) for _ in range(min(INSERT_DOCUMENTS, rows - first))]
                collection.insert_many(batch)
            collection.create_index("updated_at")
            collection.rename(table)

    def change(self, table: str, every: int) -> None:
        """Change one document in ``every``."""
        with self.server.database().connect() as client:
            collection = client[DATABASE][table]
            (newest,) = collection.find().sort("updated_at", -1).limit(1)
            collection.update_many(
                {"number": {"$mod": [every, 0]}},
                {"$set": {"updated_at": newest["updated_at"] + timedelta(hours=1)}},
            )


def _document(number: int) -> dict[str, Any]:
    """The document that corresponds to a row of orders, of the same columns."""
    digest = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    began = datetime(2024, 1, 1, tzinfo=UTC)
    return {
        "number": Int64(FIRST_KEY + number),
        "uid": digest,
        "amount": Decimal128(f"{number * 7919 % 9999999 / 100:.2f}"),
        "updated_at": began + timedelta(seconds=number, milliseconds=number * 7919 % 1000),
        "created_at": began + timedelta(seconds=number),
        "is_paid": number % 10 < 7,  # noqa: PLR2004  # as in orders.postgres.sql
        "score": math.sin(number) * 1000000,
        "note": f"{digest} naïve ☃ {digest[::-1]}",
        "meta": {"k": number % 1000, "src": ("web", "app", "shop")[number % 3]},
        "qty": number % 100,
        **({"coupon": f"C{number % 5000}"} if number % 5 < 3 else {}),  # noqa: PLR2004
    }
