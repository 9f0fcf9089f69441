"""Turns what the driver and the server report into one line: where, what, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bson.errors import InvalidBSON
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from watershed_tap.exceptions import SetupError, SourceUnavailableError, TapError

if TYPE_CHECKING:
    from watershed_tap_mongodb.settings import Settings

Failure = PyMongoError | InvalidBSON

# What the driver says when it finds no server (it has no codes for that), what it means, the cure.
_CONNECTION_SETUP = (
    (
        "certificate verify failed: IP address mismatch",
        "its certificate was issued for another host than {place}",
        "set host to the name in the certificate, and do not connect before that",
    ),
    (
        "certificate verify failed: Hostname mismatch",
        "its certificate was issued for another host than {place}",
        "set host to the name in the certificate, and do not connect before that",
    ),
    (
        "certificate verify failed",
        "its certificate is not signed by a CA in tls_ca_file ({tls_ca_file})",
        "give the file of the CA that signed it, and do not connect before that",
    ),
    (
        "SSL handshake failed",
        "it does not speak TLS, or not as we do",
        "turn TLS on at the server, or set tls to false on a network you trust",
    ),
)
_CODES = {
    13: ("user {user!r} may not read it", "grant the role read on the database"),
    18: (
        "it refuses user {user!r} with this password",
        "correct user, password and auth_source",
    ),
    26: ("the collection was dropped meanwhile", "run again, or deselect the stream"),
    43: (
        "it lost our cursor: the collection was dropped, or not read for cursorTimeoutMillis",
        "run again: the last STATE is safe",
    ),
    50: ("it worked longer than max_time_seconds", "raise it, or read at a quieter time"),
    136: (
        "the capped collection overwrote what was to be read next",
        "enlarge it, or read at a quieter time",
    ),
    175: (
        "the collection or an index of it was dropped meanwhile",
        "run again, or deselect the stream",
    ),
    8000: (
        "it refuses user {user!r} with this password",
        "correct user, password and auth_source",
    ),
}
# A primary that steps down, or shuts down; a member that recovers.
_CODES_OF_CHANGE = {91, 189, 10058, 10107, 11600, 11602, 13435, 13436}
_UNREADABLE_FILE = (OSError, ValueError)


def client_failure(error: Exception, settings: Settings) -> TapError:
    """Say why the driver takes the settings for wrong, before it connects."""
    if isinstance(error, OSError):
        problem = f"the CA file {settings.tls_ca_file} cannot be read ({error.strerror})"
        cure = "set tls_ca_file to the file of the CA that signed the server's certificate"
    elif isinstance(error, InvalidURI | ConfigurationError | ValueError | TypeError):
        problem = "the driver cannot connect with these settings"
        if settings.uri is None:  # of a connection string the driver quotes parts
            problem += f" ({_first_line(error)})"
        cure = "correct uri, or host and what stands beside it"
    else:
        raise error
    return SetupError(f"{settings.source}: {problem}: {cure}")


def failure(error: Failure, settings: Settings, stream_id: str | None) -> TapError:
    """Say why there is no connection, or why the source stopped in the middle of its work."""
    place = settings.source if stream_id is None else f"{settings.source}, stream {stream_id}"
    if isinstance(error, InvalidBSON):
        return SetupError(
            f"{place}: a text is not UTF-8, or a document is damaged ({_first_line(error)}): "
            "correct it at the source, or deselect its field"
        )
    facts = {name: getattr(settings, name) for name in ("user", "place", "tls_ca_file")}
    code = error.code if isinstance(error, OperationFailure) else None
    if isinstance(error, ExecutionTimeout):
        code = 50
    if code in _CODES:
        problem, cure = (text.format(**facts) for text in _CODES[code])
        return SetupError(f"{place}: {problem}: {cure}")
    if isinstance(error, ServerSelectionTimeoutError):
        return _no_server(error, place, facts)
    if isinstance(error, AutoReconnect) or code in _CODES_OF_CHANGE:
        return SourceUnavailableError(
            f"{place}: it broke off ({_first_line(error)}): run again: the last STATE is safe"
        )
    return SetupError(
        f"{place}: it reports error {code or type(error).__name__} ({_first_line(error)}): "
        "correct it at the source, or deselect its cause"
    )


def _no_server(
    error: ServerSelectionTimeoutError, place: str, facts: dict[str, object]
) -> TapError:
    text = str(error)
    for words, problem, cure in _CONNECTION_SETUP:
        if words in text and "timed out" not in text:
            return SetupError(f"{place}: {problem.format(**facts)}: {cure}")
    return SourceUnavailableError(
        f"{place}: no server answers that may be read ({_first_line(error)}): check that it is up, "
        "and host, port, tls, replica_set, read_preference and firewall"
    )


def _first_line(error: Exception) -> str:
    """Leave off the driver's repetitions: timeouts, topologies, the whole answer of the server."""
    text = str(error).partition(", full error:")[0].partition(", Timeout:")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].partition(" (configured timeouts")[0] if lines else "it gave no reason"
