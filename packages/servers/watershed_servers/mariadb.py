"""A MariaDB server of our own: one folder, one port on loopback, TLS, a generated password."""

import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pymysql

from watershed_servers.accounts import OrdinaryUser
from watershed_servers.exceptions import ServerStartError
from watershed_servers.loopback import HOST, LoopbackServer, last_line
from watershed_servers.programs import find_program

SUPERUSER = "root"
# The answer to the first byte of a connection, from a server on this machine.
SECONDS_TO_GREET = 5.0

SETTINGS = """\
# Written at every start by watershed-servers; a change here does not last.
[mariadbd]
bind-address = {host}
port = {port}
socket =
pid-file = {data_folder}/mariadb.pid
ssl-cert = {certificate_file}
ssl-key = {key_file}
tls-version = TLSv1.2,TLSv1.3
require-secure-transport
skip-name-resolve
skip-log-bin
skip-symbolic-links
local-infile = 0
secure-file-priv = {data_folder}
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
default-time-zone = +00:00
max-connections = 60
max-allowed-packet = 64M
innodb-buffer-pool-size = 128M
innodb-log-file-size = 64M
"""
THROWAWAY_SETTINGS = """\
innodb-flush-method = nosync
innodb-flush-log-at-trx-commit = 0
innodb-doublewrite = 0
skip-sync-frm
"""
# The accounts of a new server give way to one superuser with a password, but for that which owns
# its views and is locked. The text is no argument of a program, which everybody here could read.
FIRST_STATEMENTS = """\
delete from mysql.global_priv where user <> 'mariadb.sys';
flush privileges;
create user '{user}'@'{host}' identified by '{password}';
grant all on *.* to '{user}'@'{host}' with grant option;
"""


@dataclass(frozen=True)
class MariaDBDatabase:
    """One database and the user to use it as; it always verifies the server's certificate."""

    port: int
    user: str
    password: str = field(repr=False)
    dbname: str | None
    ca_file: Path
    host: str = HOST

    def connect(self, *, autocommit: bool = True) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Open a connection that has verified authority and name; leaving ``with`` only closes it.

        Raises:
            pymysql.err.OperationalError: the server is down or refuses.
        """
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.dbname,
            charset="utf8mb4",
            autocommit=autocommit,
            ssl_ca=str(self.ca_file),
            ssl_verify_cert=True,
            ssl_verify_identity=True,
        )


class MariaDBServer(LoopbackServer):
    """A MariaDB server; see `LoopbackServer`."""

    title = "MariaDB"

    def database(
        self,
        dbname: str | None = None,
        *,
        user: str = SUPERUSER,
        password: str | None = None,
    ) -> MariaDBDatabase:
        """Tell how to connect to ``dbname``, or to none; by default as the superuser."""
        return MariaDBDatabase(
            port=self.port,
            user=user,
            password=self._password_file.read_text() if password is None else password,
            dbname=dbname,
            ca_file=self.ca_file,
        )

    @property
    def _pid_file(self) -> Path:
        return self.data_folder / "mariadb.pid"

    @property
    def _settings_file(self) -> Path:
        return self.folder / "my.cnf"

    @property
    def _mark(self) -> str:
        return f" --datadir={self.data_folder} "

    def _is_ready(self) -> bool:
        """Whether the server greets, as it does once it has its data."""
        try:
            with socket.create_connection((HOST, self.port), SECONDS_TO_GREET) as connection:
                return bool(connection.recv(1))
        except OSError:
            return False

    def _require_programs(self) -> None:
        find_program("mariadbd")
        find_program("mariadb-install-db")
        find_program("my_print_defaults")  # which mariadb-install-db calls

    def _initialise(self, account: OrdinaryUser) -> None:
        """Make the data folder under another name first, so that half of one is never used."""
        if self.data_folder.exists():
            return
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self._make_identity()
        account.own(self.folder)
        self._run(
            [
                *account.prefix,
                find_program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={partial}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                "--innodb-flush-method=nosync",
                "--skip-sync-frm",
            ]
        )
        statements = FIRST_STATEMENTS.format(
            user=SUPERUSER, host=HOST, password=self._password_file.read_text()
        )
        bootstrap = ["--no-defaults", "--bootstrap", f"--datadir={partial}"]
        self._run([*account.prefix, find_program("mariadbd"), *bootstrap], statements)
        partial.rename(self.data_folder)

    def _run(self, command: list[str | Path], text: str = "") -> None:
        done = subprocess.run(
            command, input=text, check=False, capture_output=True, text=True, cwd="/"
        )
        if done.returncode != 0:
            raise ServerStartError(
                f"MariaDB could not make its data folder in {self.folder}: "
                f"{last_line(done.stderr + done.stdout)}"
            )

    def _command(self) -> list[str | Path]:
        settings = SETTINGS.format(
            host=HOST,
            port=self.port,
            data_folder=self.data_folder,
            certificate_file=self._certificate_file,
            key_file=self._key_file,
        )
        settings += THROWAWAY_SETTINGS if self._is_throwaway else ""
        self._settings_file.write_text(settings)
        return [
            find_program("mariadbd"),
            f"--defaults-file={self._settings_file}",
            f"--datadir={self.data_folder}",
            "--user=",
        ]
