"""A way to the database through a bastion, whose host key is known beforehand."""

from __future__ import annotations

import io
import logging
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import paramiko
from paramiko.hostkeys import HostKeyEntry

from watershed_tap.exceptions import SetupError, SourceUnavailableError

if TYPE_CHECKING:
    from watershed_tap_postgres.settings import Settings, SshTunnelSettings

# It logs as errors, with tracebacks, what it also raises.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

_CHUNK_BYTES = 65_536
_KEY_CLASSES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class SshTunnel:
    """Carries one connection from a local port, through the bastion, to the database.

    The base library's tunnel trusts any host key, takes no passphrase and loses what a socket does
    not take at once; hence this one.

    Args:
        settings: with ``ssh_tunnel``.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.ssh_tunnel is None:
            raise ValueError("settings without ssh_tunnel")
        self._settings = settings
        self._bastion = settings.ssh_tunnel
        self._client = paramiko.SSHClient()

    def open(self) -> int:
        """Connect to the bastion and on to the database, and return the local port.

        Raises:
            SetupError: the bastion is not who it should be, or does not let us in or through.
            SourceUnavailableError: the bastion does not answer.
        """
        try:
            self._log_in()
            channel = self._reach_database()
        except BaseException:
            self.close()
            raise
        listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        threading.Thread(target=_carry, args=(listener, channel), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _log_in(self) -> None:
        bastion = self._bastion
        wait = float(self._settings.connect_timeout_seconds)
        place = f"{self._settings.source}: SSH bastion {bastion.host}:{bastion.port}"
        key = _private_key(bastion)
        _trust(self._client, bastion)
        try:
            self._client.connect(
                bastion.host,
                bastion.port,
                bastion.username,
                pkey=key,
                timeout=wait,
                banner_timeout=wait,
                auth_timeout=wait,
                allow_agent=False,
                look_for_keys=False,
            )
        except paramiko.AuthenticationException as error:
            raise SetupError(
                f"{place} refuses user {bastion.username!r} with this key: correct "
                "ssh_tunnel.username and private_key, or authorise the key there"
            ) from error
        except (OSError, EOFError) as error:
            raise SourceUnavailableError(
                f"{place} does not answer ({error}): check ssh_tunnel.host, port and firewall"
            ) from error
        except paramiko.SSHException as error:
            raise SetupError(
                f"{place} is not proved to be itself ({error}): put its host key, checked by "
                "another way, into ssh_tunnel.known_hosts"
            ) from error

    def _reach_database(self) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None:
            raise SourceUnavailableError(f"{self._settings.source}: the SSH bastion hung up")
        target = (self._settings.host, self._settings.port)
        try:
            return transport.open_channel(
                "direct-tcpip",
                target,
                ("127.0.0.1", 0),
                timeout=float(self._settings.connect_timeout_seconds),
            )
        except paramiko.SSHException as error:
            raise SourceUnavailableError(
                f"{self._settings.source}: the SSH bastion {self._bastion.host} cannot reach it "
                f"({error}): check host and port, and that the bastion allows forwarding to them"
            ) from error


def _carry(listener: socket.socket, channel: paramiko.Channel) -> None:
    """Serve the one connection that libpq makes; both ends close with either."""
    with listener:
        connection, _ = listener.accept()
    back = threading.Thread(target=_pump, args=(channel, connection), daemon=True)
    back.start()
    _pump(connection, channel)
    back.join()


def _pump(origin: socket.socket | paramiko.Channel, to: socket.socket | paramiko.Channel) -> None:
    """Pass bytes on until one end hangs up; the other learns of it by being closed.

    What went wrong, if anything did, libpq reports: to it, its connection broke.
    """
    with suppress(OSError, EOFError):
        while data := origin.recv(_CHUNK_BYTES):
            to.sendall(data)
    for end in (origin, to):
        with suppress(OSError, EOFError):  # a channel of a connection that is gone
            end.close()


def _private_key(bastion: SshTunnelSettings) -> paramiko.PKey:
    for key_class in _KEY_CLASSES:
        try:
            return key_class.from_private_key(
                io.StringIO(bastion.private_key), bastion.private_key_password
            )
        except paramiko.PasswordRequiredException as error:
            raise SetupError(
                "setting ssh_tunnel.private_key_password: the private key has a passphrase: give it"
            ) from error
        except (paramiko.SSHException, ValueError):
            continue  # a key of another class
    raise SetupError(
        "setting ssh_tunnel.private_key: it is no RSA, ECDSA or Ed25519 key, or the passphrase is "
        "wrong: give a key as ssh-keygen writes it"
    )


def _trust(client: paramiko.SSHClient, bastion: SshTunnelSettings) -> None:
    keys = client.get_host_keys()
    for line in bastion.known_hosts.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        entry = HostKeyEntry.from_line(line)
        if entry is None or entry.key is None:
            continue  # of a kind that paramiko does not know
        for name in entry.hostnames:
            keys.add(name, entry.key.get_name(), entry.key)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
