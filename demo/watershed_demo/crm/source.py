"""The database "crm" on a MariaDB server: its reader, its data."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from watershed_demo.crm.days import apply_crm_day
from watershed_demo.crm.history import TABLES, generate_crm
from watershed_demo.sources import READER, Made, Report, Source
from watershed_demo.timeline import Changes
from watershed_servers import MariaDBDatabase, MariaDBServer

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

DATABASE = "crm"


class CrmSource(Source):
    """The CRM; see `Source`."""

    name = "crm"
    title = "MariaDB"
    scheme = "mysql"
    url_variable: ClassVar = "DEMO_MYSQL_URL"
    ca_parameter = "ssl_ca"
    default_port: ClassVar = 3306
    prefix = "CRM_MYSQL"

    @property
    def server(self) -> MariaDBServer:
        """Our own server, running or not."""
        return MariaDBServer(self.project / "output" / "demo" / "mariadb")

    def address(self) -> str:
        """Tell host and port."""
        database = self._database()
        return f"{database.host}:{database.port}"

    def made(self) -> Made | None:
        """Tell how the CRM was made; None when there is none, or one that was not finished."""
        with self._cursor() as cursor:
            cursor.execute(
                "select 1 from information_schema.tables"
                f" where table_schema = '{DATABASE}_demo' and table_name = 'company'"
            )
            if not cursor.fetchall():
                return None
            cursor.execute(f"select scale, seed, day from {DATABASE}_demo.company")
            rows = cursor.fetchall()
            return Made(*rows[0]) if rows else None

    def generate(self, *, scale: float, seed: int, report: Report) -> None:
        """Make the database and its history, in place of one that was not finished."""
        with self._cursor() as cursor:
            cursor.execute(f"create or replace database {DATABASE}")
        with self._database(DATABASE).connect() as connection:
            generate_crm(connection, scale=scale, seed=seed, report=report)

    def admit_reader(self, password: str) -> dict[str, str]:
        """Let the reader read the CRM over TLS, and nothing else."""
        # A hash, made here: a password in a statement can end up in the server's log.
        inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
        digest = hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()
        with self._cursor() as cursor:
            cursor.execute(
                f"create or replace user {READER} identified by password '*{digest}' require ssl"
            )
            cursor.execute(f"grant select on {DATABASE}.* to {READER}")
        database = self._database()
        return {
            "CRM_MYSQL_HOST": database.host,
            "CRM_MYSQL_PORT": str(database.port),
            "CRM_MYSQL_DATABASE": DATABASE,
            "CRM_MYSQL_USER": READER,
            "CRM_MYSQL_PASSWORD": password,
            "CRM_MYSQL_SSL_CA": str(database.ca_file),
        }

    def apply_day(self, day: int) -> dict[str, Changes]:
        """Apply that day, which must be the next."""
        with self._database(DATABASE).connect() as connection:
            return apply_crm_day(connection, day=day)

    def count(self) -> dict[str, int]:
        """Count the rows of each table."""
        with self._cursor() as cursor:
            counts = {}
            for table in TABLES:
                cursor.execute(f"select count(*) from {DATABASE}.{table}")
                ((counts[table],),) = cursor.fetchall()
            return counts

    @contextmanager
    def _cursor(self) -> Iterator["Cursor"]:
        with self._database().connect() as connection, connection.cursor() as cursor:
            yield cursor

    def _database(self, dbname: str | None = None) -> MariaDBDatabase:
        """Tell how to connect as a superuser."""
        if self.login is not None:
            return MariaDBDatabase(dbname=dbname, **vars(self.login))
        self.require_running()
        return self.server.database(dbname)
