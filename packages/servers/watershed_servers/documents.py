"""A MongoDB-protocol server of our own: one folder, one port on loopback, TLS, a password.

It is SecantusDB, a program in an environment of its own (requirements/document-server.sh): its
licence is the GPL, so nothing of it is imported here.
"""

import shutil
import signal
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_connection
from typing import Any, ClassVar

import pymongo
from pymongo.errors import PyMongoError

from watershed_servers.accounts import OrdinaryUser, find_ordinary_user
from watershed_servers.exceptions import ProgramsMissingError, ServerStopError
from watershed_servers.loopback import HOST, LoopbackServer

SUPERUSER = "root"
PROGRAM = Path(__file__).resolve().parents[3] / ".venv-documents" / "bin" / "secantusd-py"
SECONDS_TO_GREET = 5.0
SECONDS_TO_CONNECT = 10.0


@dataclass(frozen=True)
class DocumentDatabase:
    """One database and the user to use it as, whose account is in ``admin``; TLS is verified."""

    port: int
    user: str
    password: str = field(repr=False)
    dbname: str
    ca_file: Path
    host: str = HOST

    def connect(self) -> pymongo.MongoClient[dict[str, Any]]:
        """Open a client; it connects at its first command, and raises pymongo's errors there.

        The client gives dates with their zone, UTC, and has to be closed.
        """
        return pymongo.MongoClient(
            self.host,
            self.port,
            username=self.user,
            password=self.password,
            authSource="admin",
            tls=True,
            tlsCAFile=str(self.ca_file),
            tz_aware=True,
            serverSelectionTimeoutMS=int(SECONDS_TO_CONNECT * 1000),
        )


class DocumentServer(LoopbackServer):
    """A MongoDB-protocol server; see `LoopbackServer`."""

    title = "SecantusDB"
    _stop_signal: ClassVar = signal.SIGKILL

    def database(
        self, dbname: str = "admin", *, user: str = SUPERUSER, password: str | None = None
    ) -> DocumentDatabase:
        """Tell how to connect to ``dbname``, by default as the superuser."""
        return DocumentDatabase(
            port=self.port,
            user=user,
            password=self._password_file.read_text() if password is None else password,
            dbname=dbname,
            ca_file=self.ca_file,
        )

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def _mark(self) -> str:
        return f" --storage-path {self.data_folder} "

    def _is_ready(self) -> bool:
        trust = ssl.create_default_context(cafile=self.ca_file)
        try:
            with (
                create_connection((HOST, self.port), SECONDS_TO_GREET) as connection,
                trust.wrap_socket(connection, server_hostname=HOST),
            ):
                return True
        except OSError:
            return False

    def _account(self) -> OrdinaryUser:
        """In a namespace, or as ourselves: another account may not reach Python's interpreter."""
        account = find_ordinary_user()
        return account if account.owner is None else OrdinaryUser(())

    def _require_programs(self) -> None:
        if not PROGRAM.exists():
            raise ProgramsMissingError(
                f"the document server is not installed in {PROGRAM.parents[1]}: "
                "run requirements/document-server.sh"
            )

    def _initialise(self, account: OrdinaryUser) -> None:
        """Start once without authentication, the only way there is to make the first user."""
        marker = self.folder / "has-superuser"
        if marker.exists():
            return
        shutil.rmtree(self.data_folder, ignore_errors=True)
        self._make_identity()
        self._launch(self._arguments(), account)
        self._wait_until_ready()
        roles = [{"role": "root", "db": "admin"}]
        password = self._password_file.read_text()
        client = pymongo.MongoClient[dict[str, Any]](
            HOST, self.port, tls=True, tlsCAFile=str(self.ca_file)
        )
        with client:
            client.admin.command("createUser", SUPERUSER, pwd=password, roles=roles)
        self._end()
        marker.touch()

    def _end(self) -> None:
        """Let the server save everything, then kill it: SIGTERM takes it 2 s, and it may hang."""
        if self.is_running():
            try:
                with self.database().connect() as client:
                    client.admin.command("fsync")
            except PyMongoError as error:
                raise ServerStopError(
                    f"the document server in {self.folder} cannot save its data: {error}"
                ) from error
        super()._end()

    def _command(self) -> list[str | Path]:
        return [*self._arguments(), "--auth"]

    def _arguments(self) -> list[str | Path]:
        return [
            *(PROGRAM, "--host", HOST, "--port", str(self.port)),
            *("--storage-path", self.data_folder),
            *("--tls-cert-file", self._certificate_file, "--tls-key-file", self._key_file),
            *("--log-level", "ERROR"),
        ]

    def _launch(self, command: Sequence[str | Path], account: OrdinaryUser) -> None:
        super()._launch(command, account)
        if self._process is not None:
            self._pid_file.write_text(f"{self._process.pid}\n")
