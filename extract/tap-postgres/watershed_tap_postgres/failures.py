"""Turns what libpq and PostgreSQL report into one line: where, what, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watershed_tap.exceptions import SetupError, SourceUnavailableError, TapError

if TYPE_CHECKING:
    import psycopg2

    from watershed_tap_postgres.settings import Settings

# What libpq says when it cannot connect (it has no codes for that), what it means, the cure.
_CONNECTION_SETUP = (
    (
        "password authentication failed",
        "it refuses user {user!r} with this password",
        "correct user and password",
    ),
    (
        "PAM authentication failed",
        "it refuses the IAM token of user {user!r}",
        "grant rds_iam to the user, and rds-db:connect to this AWS identity",
    ),
    (
        "certificate verify failed",
        "its certificate is not signed by a CA in sslrootcert ({sslrootcert})",
        "give the file of the CA that signed it, and do not connect before that",
    ),
    (
        "does not match host name",
        "its certificate was issued for another host than {host!r}",
        "set {host_setting} to the name in the certificate, and do not connect before that",
    ),
    (
        "root certificate file",
        "the CA file {sslrootcert} cannot be read",
        "set sslrootcert to the file of the CA that signed the server's certificate",
    ),
    (
        "does not support SSL",
        "it does not offer TLS",
        "turn TLS on at the server, or set sslmode to disable on a network you trust",
    ),
    (
        "certificate",
        "it refuses the client certificate, or libpq cannot read it",
        "correct sslcert and sslkey (readable by this user only)",
    ),
    (
        "no pg_hba.conf entry",
        "its pg_hba.conf lets user {user!r} not in from here with sslmode {sslmode}",
        "add an entry there, or correct user, database and sslmode",
    ),
    ("does not exist", "there is no such database or user", "correct database and user"),
    ("permission denied for database", "user {user!r} may not connect", "grant connect on it"),
)
_CODES = {
    "57014": (
        "it cancelled a statement",
        "raise statement_timeout_seconds, or the limit of the role, or read at a quieter time",
    ),
    "42501": (
        "user {user!r} may not read it all",
        "grant usage on the schema and select on the table, and bypassrls if it has row policies",
    ),
    "42P01": ("the table was dropped or renamed meanwhile", "run again, or deselect the stream"),
    "42703": ("a column was dropped or renamed meanwhile", "run again, or deselect the column"),
    "53300": ("it has no connection left", "run again later, or reserve one for user {user!r}"),
    "40001": (
        "a standby cancelled the read, since it conflicts with recovery",
        "turn hot_standby_feedback on, raise max_standby_streaming_delay, or read the primary",
    ),
}


def connection_failure(error: psycopg2.Error, settings: Settings) -> TapError:
    """Say why no connection came about."""
    text = str(error)
    for words, problem, cure in _CONNECTION_SETUP:
        if words in text:
            return SetupError(_line(settings, None, problem, cure))
    cure = "check that it is up, and {host_setting}, port and firewall"
    return SourceUnavailableError(_line(settings, None, "it does not answer", cure, str(error)))


def reading_failure(
    code: str | None, text: str, settings: Settings, stream_id: str | None
) -> TapError:
    """Say why the source stopped in the middle of its work, for a stream if there is one.

    Args:
        code: SQLSTATE; ``None`` if the connection broke.
        text: what the driver says.
        settings: of the tap.
        stream_id: whose rows were read.
    """
    if code in _CODES:
        problem, cure = _CODES[code]
        return SetupError(_line(settings, stream_id, problem, cure, text))
    if not code or code.startswith(("08", "57P")):
        cure = "run again: the last STATE is safe"
        return SourceUnavailableError(_line(settings, stream_id, "it broke off", cure, text))
    problem, cure = f"it reports error {code}", "correct it at the source, or deselect its cause"
    return SetupError(_line(settings, stream_id, problem, cure, text))


def check_lag(lag: float | None, settings: Settings, *, is_standby: bool) -> None:
    """Make sure that a replica is not too far behind.

    Args:
        lag: seconds; ``None`` if the replica cannot tell.
        settings: which say how far is too far.
        is_standby: it says that it is one.

    Raises:
        SetupError: it is too far behind, or that cannot be known.
    """
    largest = settings.server.largest_lag_seconds
    if not is_standby:
        problem = "its lag cannot be told, for it is no standby"
        cure = "correct replica_host, or remove replica_largest_lag_seconds"
    elif lag is None:
        problem = "its lag cannot be told, for it has replayed nothing since it started"
        cure = "see to its replication, or remove replica_host to read the primary"
    elif largest is not None and lag > largest:
        problem = f"it is {lag:.0f} s behind its primary, more than the {largest} s allowed"
        cure = (
            "run again later, see to its replication, raise replica_largest_lag_seconds, or "
            "remove replica_host to read the primary"
        )
    else:
        return
    raise SetupError(_line(settings, None, problem, cure))


# DuckDB hands on what PostgreSQL says, without its code.
_WORDS = (
    (r"statement timeout|canceling statement due to user", "57014"),
    (r"permission denied", "42501"),
    (r"column .* does not exist", "42703"),
    (r"relation .* does not exist|could not open relation", "42P01"),
    (r"too many (clients|connections)|remaining connection slots", "53300"),
    (r"conflict with recovery", "40001"),
)


def told_by_duckdb(error: Exception) -> tuple[str | None, str]:
    """Take from an error of DuckDB what PostgreSQL said, and nothing that DuckDB was told.

    Returns:
        SQLSTATE, ``None`` if the connection broke, ``XX000`` for what is not known; the text.
    """
    found = re.search(r"(?:ERROR|FATAL|PANIC): *([^\n]+)", str(error))
    if found is None:
        broke = re.search(r"server closed|connection|SSL|socket|EOF|timed out", str(error))
        return (None, "the connection is lost") if broke else ("XX000", type(error).__name__)
    text = found[1]
    if re.search(r"terminating connection|shutting down|starting up|in recovery mode", text):
        return None, text
    return next((code for words, code in _WORDS if re.search(words, text)), "XX000"), text


def _line(
    settings: Settings,
    stream_id: str | None,
    problem: str,
    cure: str,
    detail: str | None = None,
) -> str:
    facts = {name: getattr(settings, name) for name in ("user", "host", "sslmode", "sslrootcert")}
    facts["host_setting"] = settings.server.host_setting
    where = settings.source if stream_id is None else f"{settings.source}, stream {stream_id}"
    what = problem.format(**facts)
    if detail is not None:
        what += f" ({_first_line(detail)})"
    return f"{where}: {what}: {cure.format(**facts)}"


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it gave no reason"
