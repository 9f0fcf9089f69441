"""What our servers have in common: one folder, one port on loopback, TLS, a generated password."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from watershed_servers.accounts import OrdinaryUser, find_ordinary_user
from watershed_servers.certificates import write_certificates
from watershed_servers.exceptions import ServerError, ServerStartError, ServerStopError
from watershed_servers.programs import command_line

HOST = "127.0.0.1"
# Below the range that Linux hands out to outgoing connections, so that a kept port stays free.
PORTS = range(15432, 32768)
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 30.0
POLL_SECONDS = 0.02


class LoopbackServer(ABC):
    """A server in ``folder``, which is made at the first start and readable by its owner only.

    Args:
        folder: holds data, certificates, log, port and the superuser's password.
        is_throwaway: for tests: nothing is flushed to disk, and the server ends with the process
            that started it, however that ends.
    """

    title: ClassVar[str]
    _stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    _parent_death_signal: ClassVar[str] = "TERM"

    def __init__(self, folder: Path, *, is_throwaway: bool = False) -> None:
        self.folder = folder.resolve()
        self.data_folder = self.folder / "data"
        self.log_file = self.folder / "server.log"
        self.ca_file = self.folder / "tls" / "ca.crt"
        self._certificate_file = self.folder / "tls" / "server.crt"
        self._key_file = self.folder / "tls" / "server.key"
        self._port_file = self.folder / "port"
        self._password_file = self.folder / "superuser.password"
        self._is_throwaway = is_throwaway
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def _pid_file(self) -> Path:
        """The file whose first line is the number of the server's process."""

    @property
    @abstractmethod
    def _mark(self) -> str:
        """What the command line of this folder's server contains, and no other's."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether the running process takes connections."""

    @abstractmethod
    def _require_programs(self) -> None:
        """See that the server is installed.

        Raises:
            ProgramsMissingError: it is not.
        """

    @abstractmethod
    def _initialise(self, account: OrdinaryUser) -> None:
        """Make the data folder, unless it is there.

        Raises:
            ServerStartError: the server's programs did not make one.
        """

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """Write what settings the server reads, and tell its command line."""

    def _account(self) -> OrdinaryUser:
        """Tell whom the server runs as.

        Raises:
            ServerError: we are root, and there is nobody else to be.
        """
        return find_ordinary_user()

    @property
    def port(self) -> int:
        """The TCP port, chosen at the first start and kept."""
        return int(self._port_file.read_text())

    def is_running(self) -> bool:
        """Whether this folder's server is up and takes connections."""
        return self._running_pid() is not None and self._is_ready()

    def pid(self) -> int:
        """The process id of the running server.

        Raises:
            ServerError: it is not running.
        """
        pid = self._running_pid()
        if pid is None:
            raise ServerError(f"no {self.title} server is running in {self.folder}")
        return pid

    def start(self) -> None:
        """Start the server, unless it is running; returns when it takes connections.

        Raises:
            ProgramsMissingError: the server is not installed.
            ServerStartError: it did not come up.
        """
        with self._locked():
            if self._running_pid() is None:
                self._require_programs()
                account = self._account()
                self._initialise(account)
                self._forget_dead_server()
                self._require_free_port()
                self._launch(self._command(), account)
            self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server, unless it is down; open connections are ended.

        Raises:
            ServerStopError: it is still there after thirty seconds.
        """
        if not self.folder.exists():
            return
        with self._locked():
            self._end()

    def _end(self) -> None:
        pid = self._running_pid()
        if pid is not None:
            os.kill(pid, self._stop_signal)
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

    def _make_identity(self) -> None:
        """Make certificates, password and port: what a first start needs and later ones keep."""
        write_certificates(self.ca_file.parent)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._port_file.write_text(str(_free_port()))

    def _forget_dead_server(self) -> None:
        """Remove what a server that was killed left behind and its successor would stumble over."""
        self._pid_file.unlink(missing_ok=True)

    def _require_free_port(self) -> None:
        if not _is_free(self.port):
            raise ServerStartError(
                f"port {self.port} of the {self.title} server in {self.folder} is taken by another "
                f"program: stop that, or write another number into {self._port_file}"
            )

    def _launch(self, command: Sequence[str | Path], account: OrdinaryUser) -> None:
        account.own(self.folder)
        prefix = [*account.prefix]
        if self._is_throwaway and shutil.which("setpriv"):
            prefix += ["setpriv", "--pdeathsig", self._parent_death_signal]
        if self._process is not None:
            self._process.wait(SECONDS_TO_STOP)  # one that was killed
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*prefix, *command],
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
                    f"{self.title} did not start in {self.folder}: "
                    f"{self._complaint(self.log_file.read_text(errors='replace'))}"
                )
            time.sleep(POLL_SECONDS)

    def _complaint(self, log: str) -> str:
        """The line of ``log`` that tells why the server did not start."""
        return last_line(log)

    def _wait_until_gone(self, pid: int) -> None:
        deadline = time.monotonic() + SECONDS_TO_STOP
        while command_line(pid):
            if time.monotonic() > deadline:
                raise ServerStopError(
                    f"the {self.title} server in {self.folder} (process {pid}) has not ended after "
                    f"{SECONDS_TO_STOP:.0f} s: see {self.log_file}"
                )
            time.sleep(POLL_SECONDS)

    def _running_pid(self) -> int | None:
        """The server's process, if the one that the pid file names is alive and really ours."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        return pid if self._mark in command_line(pid) else None

    def _pid_file_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return []


def last_line(text: str) -> str:
    """The last line of ``text`` that says something."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it left no message"


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
