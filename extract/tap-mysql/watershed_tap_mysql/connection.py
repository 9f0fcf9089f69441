"""One connection, and rows that stream through it."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pymysql
from pymysql.cursors import SSCursor

from watershed_tap.exceptions import SetupError
from watershed_tap_mysql.failures import connection_failure, silence_failure
from watershed_tap_mysql.settings import SslMode

if TYPE_CHECKING:
    from watershed_tap_mysql.settings import Settings

_SECONDS_OF_SILENCE = 60  # before the system asks the server whether it is still there


class LeavableCursor(SSCursor):
    """A cursor that keeps one row at a time, on either side, and can be left before the last one.

    PyMySQL's own reads the rest of the table when it is closed.
    """

    def leave(self) -> None:
        """Forget the rows that are still to come; the connection serves no other statement."""
        result = self.__dict__.get("_result")  # PyMySQL's types do not know it
        if result is not None:
            result.unbuffered_active = False
        self.connection = None  # type: ignore[assignment]  # as PyMySQL does when it closes one


def connect(settings: Settings) -> pymysql.Connection[LeavableCursor]:
    """Connect and log in; every value will come as the bytes that the server sends.

    Raises:
        SetupError: the server is not who it should be, or refuses us.
        SourceUnavailableError: it does not answer.
    """
    context = _tls_context(settings)
    connection = pymysql.Connection(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.encode(),  # a text would have to be latin1
        database=settings.database,
        charset="utf8mb4",
        use_unicode=False,
        conv={},
        autocommit=None,  # as the server has it: we begin transactions
        cursorclass=LeavableCursor,
        program_name="watershed",
        connect_timeout=settings.connect_timeout_seconds,
        read_timeout=settings.connect_timeout_seconds,
        ssl=context,
        ssl_disabled=context is None,
        defer_connect=True,
    )
    address = settings.host, settings.port
    try:
        channel = socket.create_connection(address, settings.connect_timeout_seconds)
    except OSError as error:
        raise silence_failure(error, settings) from error
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _SECONDS_OF_SILENCE)
    try:
        connection.connect(channel)
    except pymysql.MySQLError as error:
        raise connection_failure(error, settings) from error
    # That was for the greeting; a table may take its time.
    connection._read_timeout = None  # type: ignore[attr-defined]  # noqa: SLF001  # no other way
    return connection


def _tls_context(settings: Settings) -> ssl.SSLContext | None:
    if settings.ssl_mode is SslMode.DISABLED:
        return None
    ca_file = None if settings.ssl_ca == "system" else settings.ssl_ca
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SetupError(
            f"{settings.source}: the CA file {settings.ssl_ca} cannot be read: "
            "set ssl_ca to the file of the CA that signed the server's certificate"
        ) from error
    # Python 3.13 asks of certificates what those that MySQL makes for itself do not have.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = settings.ssl_mode is SslMode.VERIFY_IDENTITY
    if settings.ssl_mode is SslMode.REQUIRED:
        context.verify_mode = ssl.CERT_NONE
    if settings.ssl_cert is not None:
        try:
            context.load_cert_chain(settings.ssl_cert, settings.ssl_key)
        except OSError as error:
            raise SetupError(
                f"{settings.source}: the client certificate cannot be read: correct ssl_cert and "
                "ssl_key, which must be PEM files without a passphrase"
            ) from error
    return context
