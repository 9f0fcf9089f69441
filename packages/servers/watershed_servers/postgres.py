"""A PostgreSQL server of our own: one folder, one port on loopback, TLS, a generated password."""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from watershed_servers.accounts import OrdinaryUser, find_ordinary_user
from watershed_servers.certificates import write_certificates
from watershed_servers.exceptions import ServerError, ServerStartError, ServerStopError
from watershed_servers.programs import command_line, find_program_folder, processes_named

HOST = "127.0.0.1"
SUPERUSER = "postgres"
# Below the range that Linux hands out to outgoing connections, so that a kept port stays free.
PORTS = range(15432, 32768)
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 30.0
POLL_SECONDS = 0.02

ACCESS_RULES = f"""\
# TLS and a password, from this machine, and nothing else.
hostssl all all {HOST}/32 scram-sha-256
"""
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


class PostgresServer:
    """A cluster in ``folder``, which is made at the first start and readable by its owner only.

    Args:
        folder: holds data, certificates, log, port and the superuser's password.
        is_throwaway: for tests: nothing is flushed to disk, and the server ends with the process
            that started it, however that ends.
    """

    def __init__(self, folder: Path, *, is_throwaway: bool = False) -> None:
        self.folder = folder.resolve()
        self.data_folder = self.folder / "data"
        self.log_file = self.folder / "postgres.log"
        self.ca_file = self.folder / "tls" / "ca.crt"
        self._port_file = self.folder / "port"
        self._password_file = self.folder / "superuser.password"
        self._pid_file = self.data_folder / "postmaster.pid"
        self._is_throwaway = is_throwaway
        self._process: subprocess.Popen[bytes] | None = None
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()
        self._cluster_name = f"watershed-{digest[:12]}"

    @property
    def port(self) -> int:
        """The TCP port, chosen at the first start and kept."""
        return int(self._port_file.read_text())

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

    def is_running(self) -> bool:
        """Whether this folder's server is up and takes connections."""
        return self._running_pid() is not None and self._pid_file_status() == "ready"

    def pid(self) -> int:
        """The process id of the running server.

        Raises:
            ServerError: it is not running.
        """
        pid = self._running_pid()
        if pid is None:
            raise ServerError(f"no PostgreSQL server is running in {self.folder}")
        return pid

    def start(self) -> None:
        """Start the server, unless it is running; returns when it takes connections.

        Raises:
            ProgramsMissingError: PostgreSQL is not installed.
            ServerStartError: it did not come up.
        """
        with self._locked():
            if self._running_pid() is None:
                programs = find_program_folder()
                account = find_ordinary_user()
                self._initialise(programs, account)
                self._forget_dead_server()
                self._write_settings()
                account.own(self.folder)
                self._launch(programs, account)
            self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server, unless it is down; open connections are ended.

        Raises:
            ServerStopError: it is still there after thirty seconds.
        """
        if not self.folder.exists():
            return
        with self._locked():
            pid = self._running_pid()
            if pid is not None:
                os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
                self._wait_until_gone(pid)
            if self._process is not None:
                self._process.wait(SECONDS_TO_STOP)
                self._process = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep a second process from starting or stopping the same server meanwhile."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _initialise(self, programs: Path, account: OrdinaryUser) -> None:
        """Make the cluster under another name first, so that half of one is never used."""
        if self.data_folder.exists():
            return
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        write_certificates(self.ca_file.parent)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._port_file.write_text(str(_free_port()))
        account.own(self.folder)
        initdb = subprocess.run(
            [
                *account.prefix,
                programs / "initdb",
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
                f"{_last_line(initdb.stderr)}"
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
        self._pid_file.unlink(missing_ok=True)

    def _write_settings(self) -> None:
        if not _is_free(self.port):
            raise ServerStartError(
                f"port {self.port} of the PostgreSQL server in {self.folder} is taken by another "
                f"program: stop that, or write another number into {self._port_file}"
            )
        settings = SETTINGS.format(host=HOST, port=self.port, cluster_name=self._cluster_name)
        settings += THROWAWAY_SETTINGS if self._is_throwaway else ""
        (self.data_folder / "postgresql.conf").write_text(settings)

    def _launch(self, programs: Path, account: OrdinaryUser) -> None:
        command: list[str | Path] = [*account.prefix]
        if self._is_throwaway and shutil.which("setpriv"):
            command += ["setpriv", "--pdeathsig", "QUIT"]
        command += [programs / "postgres", "-D", self.data_folder]
        if self._process is not None:
            self._process.wait(SECONDS_TO_STOP)  # one that was killed
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C in our terminal is not meant for it
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.is_running():
            has_ended = self._process is not None and self._process.poll() is not None
            if has_ended or time.monotonic() > deadline:
                raise ServerStartError(
                    f"PostgreSQL did not start in {self.folder}: "
                    f"{_last_line(self.log_file.read_text(errors='replace'))}"
                )
            time.sleep(POLL_SECONDS)

    def _wait_until_gone(self, pid: int) -> None:
        deadline = time.monotonic() + SECONDS_TO_STOP
        while command_line(pid):
            if time.monotonic() > deadline:
                raise ServerStopError(
                    f"the PostgreSQL server in {self.folder} (process {pid}) has not ended after "
                    f"{SECONDS_TO_STOP:.0f} s: see {self.log_file}"
                )
            time.sleep(POLL_SECONDS)

    def _running_pid(self) -> int | None:
        """The server's process, if the one that the pid file names is alive and really ours."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        return pid if f" -D {self.data_folder} " in command_line(pid) else None

    def _pid_file_status(self) -> str:
        lines = self._pid_file_lines()
        return lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004  # its eighth line

    def _pid_file_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return []


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    while True:
        port = PORTS[secrets.randbelow(len(PORTS))]
        if _is_free(port):
            return port


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it left no message"
