"""Turns what the network, TLS and the server report into one line: where, what, and what to do."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from watershed_tap.exceptions import SetupError, SourceUnavailableError, TapError

if TYPE_CHECKING:
    import pymysql

    from watershed_tap_mysql.settings import Settings

# OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_OTHER_HOST = {62, 64}

_CANNOT_CONNECT, _SERVER_GONE, _SERVER_LOST, _TLS_ERROR = 2003, 2006, 2013, 2026
_PLUGIN_UNKNOWN, _PLUGIN_BROKEN = 2059, 2061
_SHUTDOWN, _KILLED = 1053, 1927
_BREAKS = {0, _SERVER_GONE, _SERVER_LOST, _SHUTDOWN, _KILLED, 3169, 4031}

# Error codes of the server (and of its client library from 2000 on), what they mean, the cure.
_CODES = {
    1045: ("it refuses user {user!r} with this password", "correct user and password, or ssl_mode"),
    1698: ("it refuses user {user!r} with a password", "give the user one: identified by"),
    1044: ("user {user!r} may not use this database", "grant select on it"),
    1049: ("there is no such database", "correct database"),
    1040: ("it has no connection left", "run again later"),
    1203: ("user {user!r} has no connection left", "raise max_user_connections of the user"),
    1226: ("user {user!r} has reached a limit", "raise the limits of the user"),
    1129: ("it has blocked this host", "run mariadb-admin flush-hosts there"),
    1130: ("it lets nobody in from this host", "create the user for this host"),
    1862: ("the password has expired", "give the user a new one"),
    1820: ("the password has expired", "give the user a new one"),
    3118: ("the user is locked", "unlock it there"),
    4151: ("the user is locked", "unlock it there"),
    3159: ("it demands TLS", "set ssl_mode to VERIFY_IDENTITY"),
    _TLS_ERROR: (
        "it does not offer TLS",
        "turn TLS on at the server, or set ssl_mode to DISABLED on a network you trust",
    ),
    _PLUGIN_UNKNOWN: (
        "user {user!r} logs in by a plugin that this tap does not have",
        "let the user log in by caching_sha2_password or mysql_native_password",
    ),
    _PLUGIN_BROKEN: (
        "user {user!r} logs in by a plugin that failed",
        "let the user log in by caching_sha2_password or mysql_native_password",
    ),
    1142: ("user {user!r} may not read it", "grant select on it"),
    1143: ("user {user!r} may not read a column", "grant select on it, or deselect it"),
    1227: (
        "user {user!r} may not see how far the replica is behind",
        "grant replica monitor (MariaDB) or replication client (MySQL) on *.* to the user",
    ),
    1146: ("the table was dropped or renamed meanwhile", "run again, or deselect the stream"),
    1054: ("a column was dropped or renamed meanwhile", "run again, or deselect the column"),
    1356: (
        "it is a view of what is gone, or of what its definer may not read",
        "correct it at the source, or deselect the stream",
    ),
    1412: ("the table was altered meanwhile", "run again"),
    1969: ("it ended a statement that took too long", "raise statement_timeout_seconds"),
    3024: ("it ended a statement that took too long", "raise statement_timeout_seconds"),
    1317: ("somebody there ended the statement", "run again at a quieter time"),
    1205: ("it waited for a lock for too long", "run again at a quieter time"),
}


def silence_failure(error: OSError, settings: Settings) -> TapError:
    """Say why no connection came about."""
    cure = f"check that it is up, and {settings.server.host_setting}, port and firewall"
    reason = error.strerror or str(error)
    return SourceUnavailableError(_line(settings, None, "it does not answer", cure, reason))


def connection_failure(error: pymysql.MySQLError, settings: Settings) -> TapError:
    """Say why the server did not let us in, or we not trust it."""
    code, text = _code_and_text(error)
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in _OTHER_HOST:
            problem = f"its certificate was issued for another host than {settings.host!r}"
            setting = settings.server.host_setting
            cure = f"set {setting} to the name in the certificate, and do not connect before that"
        else:
            problem = f"its certificate is not signed by a CA in ssl_ca ({settings.ssl_ca})"
            cure = "give the file of the CA that signed it, and do not connect before that"
        return SetupError(_line(settings, None, problem, cure, cause.verify_message))
    if isinstance(cause, ssl.SSLError):
        cure = "correct ssl_mode, ssl_cert and ssl_key, or the TLS of the server"
        return SetupError(_line(settings, None, "TLS could not begin", cure, cause.reason))
    if isinstance(cause, OSError):
        return silence_failure(cause, settings)
    if code in _BREAKS:
        cure = "check that it is up and serves MySQL on this port"
        return SourceUnavailableError(_line(settings, None, "it hung up", cure, text))
    return SetupError(_known(code, text, settings, None))


def reading_failure(
    error: pymysql.MySQLError, settings: Settings, stream_id: str | None
) -> TapError:
    """Say why the source stopped in the middle of its work, for a stream if there is one."""
    code, text = _code_and_text(error)
    if code in _BREAKS:
        cure = "run again: the last STATE is safe"
        return SourceUnavailableError(_line(settings, stream_id, "it broke off", cure, text))
    return SetupError(_known(code, text, settings, stream_id))


def lag_failure(problem: str, settings: Settings) -> TapError:
    """Say that a replica is too far behind, or does not tell."""
    cure = (
        "see to its replication, raise or remove replica_largest_lag_seconds, or remove "
        "replica_host to read the primary"
    )
    return SetupError(f"{settings.source}: {problem}: {cure}")


def altered_failure(error: Exception, settings: Settings, stream_id: str) -> TapError:
    """Say that a column's values are not what its type, as discovered, can hold."""
    return SetupError(_known(1412, str(error), settings, stream_id))


def _known(code: int, text: str, settings: Settings, stream_id: str | None) -> str:
    unknown = f"it reports error {code}", "correct it at the source, or deselect its cause"
    problem, cure = _CODES.get(code, unknown)
    return _line(settings, stream_id, problem.format(user=settings.user), cure, text)


def _code_and_text(error: pymysql.MySQLError) -> tuple[int, str]:
    """PyMySQL's errors carry a code and a text, but a few only a text, or neither."""
    arguments: tuple[Any, ...] = error.args
    code = next((part for part in arguments if isinstance(part, int)), 0)
    texts = [part for part in arguments if isinstance(part, str) and part]
    return code, texts[-1] if texts else "the connection is closed"


def _line(
    settings: Settings, stream_id: str | None, problem: str, cure: str, detail: str | None
) -> str:
    where = settings.source if stream_id is None else f"{settings.source}, stream {stream_id}"
    return f"{where}: {problem} ({detail}): {cure}"
