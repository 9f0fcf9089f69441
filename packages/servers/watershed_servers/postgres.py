"""A PostgreSQL server of our own: one folder, one port on loopback, TLS, a generated password."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import psycopg

from watershed_servers.accounts import OrdinaryUser
from watershed_servers.exceptions import ServerStartError
from watershed_servers.loopback import (
    HOST,
    POLL_SECONDS,
    SECONDS_TO_STOP,
    LoopbackServer,
    last_line,
)
from watershed_servers.programs import find_program_folder, processes_named

SUPERUSER = "postgres"

ACCESS_RULES = f"""\
# TLS and a password, from this machine, and nothing else.
hostssl all all {HOST}/32 scram-sha-256
"""
STANDBY_RULE = f"hostssl replication {SUPERUSER} {HOST}/32 scram-sha-256\n"
PRIMARY_CA = "primary-ca.crt"
SETTINGS = """\
# Written at every start by watershed-servers; a change here does not last.
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''  # a socket's path may hold 107 bytes, and our folder's may be longer
cluster_name = '{cluster_name}'
ssl = on
ssl_cert_file = '../tls/server.crt'
ssl_key_file = '../tls/server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
max_connections = 60
shared_buffers = '128MB'
log_statement = 'none'
jit = off  # compiling costs more than it saves on queries of seconds
"""
THROWAWAY_SETTINGS = """\
fsync = off
full_page_writes = off
autovacuum = off
"""


@dataclass(frozen=True)
class PostgresDatabase:
    """One database and the role to use it as; it always verifies the server's certificate."""

    port: int
    user: str
    password: str = field(repr=False)
    dbname: str
    ca_file: Path
    host: str = HOST

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection:
        """Open a connection, with ``verify-full``.

        Raises:
            psycopg.OperationalError: the server is down or refuses.
        """
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=self.dbname,
            sslmode="verify-full",
            sslrootcert=str(self.ca_file),
            autocommit=autocommit,
        )


class PostgresServer(LoopbackServer):
    """A PostgreSQL cluster; see `LoopbackServer`."""

    title = "PostgreSQL"
    _stop_signal: ClassVar = signal.SIGINT  # its "fast" shutdown
    _parent_death_signal: ClassVar = "QUIT"

    def __init__(self, folder: Path, *, is_throwaway: bool = False) -> None:
        super().__init__(folder, is_throwaway=is_throwaway)
        self.log_file = self.folder / "postgres.log"
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()
        self._cluster_name = f"watershed-{digest[:12]}"

    def database(
        self, dbname: str = "postgres", *, user: str = SUPERUSER, password: str | None = None
    ) -> PostgresDatabase:
        """Tell how to connect to ``dbname``, by default as the superuser."""
        return PostgresDatabase(
            port=self.port,
            user=user,
            password=self._password_file.read_text() if password is None else password,
            dbname=dbname,
            ca_file=self.ca_file,
        )

    def make_standby(self, folder: Path) -> "PostgresServer":
        """Copy this running server into another folder, as a standby that will follow it.

        Its accounts and passwords are those of this server, its certificates are its own.

        Returns:
            The standby, which is not running yet.

        Raises:
            ServerStartError: it could not be copied.
        """
        superuser = self.database()
        with (self.data_folder / "pg_hba.conf").open("a") as rules:
            rules.write(STANDBY_RULE)
        with superuser.connect(autocommit=True) as connection:
            connection.execute("select pg_reload_conf()")
        standby = PostgresServer(folder, is_throwaway=self._is_throwaway)
        standby._copy(superuser)
        return standby

    def _copy(self, primary: PostgresDatabase) -> None:
        with self._locked():
            self._make_identity()
            self._password_file.write_text(primary.password)
            account = self._account()
            address = (
                f"host={primary.host} port={primary.port} user={primary.user} "
                f"sslmode=verify-full sslrootcert='{self.folder / PRIMARY_CA}'"
            )
            shutil.copy(primary.ca_file, self.folder / PRIMARY_CA)
            account.own(self.folder)
            copied = subprocess.run(
                [
                    *account.prefix,
                    find_program_folder() / "pg_basebackup",
                    f"--dbname={address}",
                    f"--pgdata={self.data_folder}",
                    "--write-recovery-conf",
                    "--checkpoint=fast",
                    "--no-sync",
                ],
                check=False,
                capture_output=True,
                text=True,
                cwd="/",
                env={**os.environ, "PGPASSWORD": primary.password},
            )
        if copied.returncode != 0:
            raise ServerStartError(
                f"PostgreSQL could not copy the server at port {primary.port} into {self.folder}: "
                f"{last_line(copied.stderr)}"
            )

    @property
    def _pid_file(self) -> Path:
        return self.data_folder / "postmaster.pid"

    @property
    def _mark(self) -> str:
        return f" -D {self.data_folder} "

    def _is_ready(self) -> bool:
        lines = self._pid_file_lines()
        return len(lines) > 7 and lines[7].strip() in {"ready", "standby"}  # noqa: PLR2004  # its eighth line

    def _require_programs(self) -> None:
        find_program_folder()

    def _initialise(self, account: OrdinaryUser) -> None:
        """Make the cluster under another name first, so that half of one is never used."""
        if self.data_folder.exists():
            return
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self._make_identity()
        account.own(self.folder)
        initdb = subprocess.run(
            [
                *account.prefix,
                find_program_folder() / "initdb",
                f"--pgdata={partial}",
                f"--username={SUPERUSER}",
                f"--pwfile={self._password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if initdb.returncode != 0:
            raise ServerStartError(
                f"PostgreSQL could not make its data folder in {self.folder}: "
                f"{last_line(initdb.stderr)}"
            )
        (partial / "pg_hba.conf").write_text(ACCESS_RULES)
        partial.rename(self.data_folder)

    def _forget_dead_server(self) -> None:
        """Remove the pid file of a server that was killed, once its last process has gone.

        PostgreSQL does so itself, unless another program has the number by now.
        """
        deadline = time.monotonic() + SECONDS_TO_STOP
        while processes_named(f"postgres: {self._cluster_name}: "):
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"processes of a PostgreSQL server that was killed still run in {self.folder}: "
                    f"end them (they are called 'postgres: {self._cluster_name}') and start again"
                )
            time.sleep(POLL_SECONDS)
        super()._forget_dead_server()

    def _command(self) -> list[str | Path]:
        settings = SETTINGS.format(host=HOST, port=self.port, cluster_name=self._cluster_name)
        settings += THROWAWAY_SETTINGS if self._is_throwaway else ""
        (self.data_folder / "postgresql.conf").write_text(settings)
        return [find_program_folder() / "postgres", "-D", self.data_folder]
