"""The stand-in as a whole: PostgreSQL, the proxy before it, and S3."""

import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from socket import create_connection
from typing import Self

import psycopg
from psycopg import sql

from redshift_standin.object_store import REGION
from redshift_standin.proxy.session import PASSWORD_ADDRESS, TRUSTED_ADDRESS
from redshift_standin.transfer.authorization import REFUSED_VARIABLE
from watershed_servers import LoopbackServer, PostgresServer
from watershed_servers.accounts import OrdinaryUser
from watershed_servers.loopback import HOST

DATABASE = "warehouse"
USER = "loader"
"""May make schemas, tables and users, and is no superuser."""
SCRIPTS = ("functions.sql", "tables.sql", "catalog.sql")
TESTS = Path(__file__).parents[1]
ACCESS_RULES = f"""\
# Who comes from the first address gives a password; from the second come those whom IAM let in.
host all all {PASSWORD_ADDRESS}/32 password
host all all {TRUSTED_ADDRESS}/32 trust
"""
SECONDS_TO_GREET = 5.0
REFUSED_ROLE = "arn:aws:iam::123456789012:role/refused"
"""A role that nobody may assume."""
EXPIRED_TOKEN = "expired-session-token"  # noqa: S105  # it is one that is of no use


class _PythonServer(LoopbackServer):
    """A server that is a Python module of this environment."""

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def _require_programs(self) -> None:
        """Nothing: it is installed with the tests."""

    def _account(self) -> OrdinaryUser:
        return OrdinaryUser(())

    def _initialise(self, account: OrdinaryUser) -> None:
        del account
        if not self._port_file.exists():
            self._make_identity()

    def _is_ready(self) -> bool:
        try:
            with create_connection((HOST, self.port), SECONDS_TO_GREET):
                return True
        except OSError:
            return False

    def _launch(self, command: Sequence[str | Path], account: OrdinaryUser) -> None:
        super()._launch(command, account)
        if self._process is not None:
            self._pid_file.write_text(f"{self._process.pid}\n")


class ObjectStore(_PythonServer):
    """moto's S3; see `LoopbackServer`. What it holds goes with it."""

    title = "S3"

    @property
    def _mark(self) -> str:
        return f"moto.server -H {HOST} -p {self.port} "

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def _command(self) -> list[str | Path]:
        return [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]


class Proxy(_PythonServer):
    """The proxy that speaks Redshift; see `LoopbackServer`.

    Args:
        folder: holds its settings, port, certificates and log.
        postgres: the server behind it, which runs already when the proxy is started.
        object_store: S3, likewise.
    """

    title = "Redshift stand-in"

    def __init__(
        self,
        folder: Path,
        postgres: PostgresServer,
        object_store: ObjectStore,
        *,
        is_throwaway: bool,
    ) -> None:
        super().__init__(folder, is_throwaway=is_throwaway)
        self._postgres = postgres
        self._object_store = object_store
        self._settings_file = self.folder / "settings.json"

    @property
    def _mark(self) -> str:
        return f"redshift_standin.proxy {self._settings_file} "

    def _command(self) -> list[str | Path]:
        database = self._postgres.database(DATABASE)
        settings = {
            "host": HOST,
            "port": self.port,
            "certificate": str(self._certificate_file),
            "key": str(self._key_file),
            "s3": self._object_store.endpoint,
            "backend_host": database.host,
            "backend_port": database.port,
            "administrator": psycopg.conninfo.make_conninfo(
                host=database.host,
                port=database.port,
                user=database.user,
                password=database.password,
                dbname=database.dbname,
                sslmode="verify-full",
                sslrootcert=str(database.ca_file),
            ),
        }
        self._settings_file.touch(mode=0o600)
        self._settings_file.write_text(json.dumps(settings))
        return [
            *("env", f"PYTHONPATH={TESTS}", f"{REFUSED_VARIABLE}={REFUSED_ROLE},{EXPIRED_TOKEN}"),
            *(sys.executable, "-m", "redshift_standin.proxy", self._settings_file),
        ]


class Standin:
    """PostgreSQL, proxy and S3 in one folder; a context manager that starts and stops them.

    Args:
        folder: holds all of it; what PostgreSQL holds is kept for the next start.
        is_throwaway: see `LoopbackServer`.
    """

    def __init__(self, folder: Path, *, is_throwaway: bool = False) -> None:
        self.folder = folder
        self.postgres = PostgresServer(folder / "postgres", is_throwaway=is_throwaway)
        self.object_store = ObjectStore(folder / "s3", is_throwaway=is_throwaway)
        self.proxy = Proxy(
            folder / "proxy", self.postgres, self.object_store, is_throwaway=is_throwaway
        )
        self.password_file = folder / "loader.password"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    host = HOST
    user = USER
    database = DATABASE

    @property
    def port(self) -> int:
        """The proxy's port."""
        return self.proxy.port

    @property
    def ca_file(self) -> Path:
        """The authority that signed the proxy's certificate."""
        return self.proxy.ca_file

    @property
    def password(self) -> str:
        """The password of `USER`."""
        return self.password_file.read_text()

    @property
    def s3_endpoint(self) -> str:
        """Where S3 is."""
        return self.object_store.endpoint

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a production would find it; the bucket must be made."""
        return {
            "WATERSHED_REDSHIFT_HOST": self.host,
            "WATERSHED_REDSHIFT_PORT": str(self.port),
            "WATERSHED_REDSHIFT_DATABASE": self.database,
            "WATERSHED_REDSHIFT_USER": self.user,
            "WATERSHED_REDSHIFT_PASSWORD": self.password,
            "WATERSHED_REDSHIFT_BUCKET": "watershed-staging",
            "WATERSHED_REDSHIFT_ROLE": "arn:aws:iam::123456789012:role/loader",
            "SSL_CERT_FILE": str(self.ca_file),
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.s3_endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAEMULATED00000000",
            "AWS_SECRET_ACCESS_KEY": "emulated-secret-key",
        }

    def start(self) -> None:
        """Start what is not running; the first time, make the database.

        Raises:
            ServerError: one of them does not start.
        """
        try:
            self.postgres.start()
            self._prepare()
            self.object_store.start()
            self.proxy.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what is running.

        Raises:
            ServerStopError: one of them is still there after thirty seconds.
        """
        for server in (self.proxy, self.object_store, self.postgres):
            server.stop()

    def is_running(self) -> bool:
        """Whether all of it is up."""
        return all(server.is_running() for server in (self.postgres, self.object_store, self.proxy))

    def _prepare(self) -> None:
        if self.password_file.exists():
            return
        password = secrets.token_urlsafe(24)
        (self.postgres.data_folder / "pg_hba.conf").write_text(ACCESS_RULES)
        with self.postgres.database().connect(autocommit=True) as connection:
            connection.execute("select pg_reload_conf()")
            connection.execute(f"drop database if exists {DATABASE}")
            connection.execute(f"drop role if exists {USER}")
            connection.execute(
                sql.SQL("create role {} login createrole password {}").format(
                    sql.Identifier(USER), password
                )
            )
            connection.execute(f"create database {DATABASE} owner {USER}")
        with self.postgres.database(DATABASE).connect() as connection:
            for script in SCRIPTS:
                connection.execute((Path(__file__).parent / "database" / script).read_bytes())
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(password)
