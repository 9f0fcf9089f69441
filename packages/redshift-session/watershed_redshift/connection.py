"""A connection to Redshift that can be had again, and errors that say how one recovers."""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # as above

from watershed_redshift.exceptions import ConflictError, ConnectionLostError, RedshiftError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK_OR_CONFLICT = {"40001", "40P01"}
"""SQLSTATEs of transactions that others were in the way of."""
SERIALIZATION_FAILURE = re.compile(r"^1023\b|serializable isolation violation", re.IGNORECASE)
"""Redshift's own number for it stands in the text."""
LOST = {"57P01", "57P02", "57P03", "08000", "08003", "08006"}
"""SQLSTATEs of servers that end the connection."""

# At DEBUG the driver logs statements, and a COPY may hold keys.
logging.getLogger("redshift_connector").setLevel(logging.WARNING)


@dataclass(frozen=True)
class ConnectionSettings:
    """Where Redshift is, and as whom we come.

    Attributes:
        host: Of the cluster or workgroup; None asks AWS for the address, with IAM.
        port: Its port.
        database: The database.
        user: The database user; with IAM None takes the IAM identity's own.
        password: None takes temporary credentials from IAM, anew for each connection.
        cluster_identifier: The cluster, for IAM.
        workgroup: The serverless workgroup, for IAM; one of the two.
        region: AWS region, for IAM.
        sslmode: ``verify-full`` or ``verify-ca``.
        iam_endpoint_url: Where IAM credentials are had; None is AWS itself.

    Raises:
        RedshiftError: there is no way in.
    """

    host: str | None
    port: int
    database: str
    user: str | None
    password: str | None = field(repr=False)
    cluster_identifier: str | None
    workgroup: str | None
    region: str | None
    sslmode: str = "verify-full"
    iam_endpoint_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no way in.

        Raises:
            RedshiftError: neither a password nor IAM is complete.
        """
        if self.password and not (self.host and self.user):
            raise RedshiftError("a password for Redshift needs host and user beside it: set them")
        if not self.password and not (self.cluster_identifier or self.workgroup):
            raise RedshiftError(
                "no way into Redshift is configured: set cluster or workgroup, for credentials of "
                "IAM, or host, user and password (WATERSHED_REDSHIFT_CLUSTER, _WORKGROUP, _HOST, "
                "_USER, _PASSWORD)"
            )

    def arguments(self) -> dict[str, Any]:
        """Say it in the driver's words."""
        given: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "ssl": True,
            "sslmode": self.sslmode,
            "tcp_keepalive": True,
            "application_name": "watershed",
        }
        if self.password is not None:
            return {**given, "user": self.user, "password": self.password}
        given |= {"iam": True, "region": self.region, "endpoint_url": self.iam_endpoint_url}
        if self.workgroup:
            given |= {"is_serverless": True, "serverless_work_group": self.workgroup}
        else:
            given |= {"cluster_identifier": self.cluster_identifier, "db_user": self.user}
            # Without a name the database user is that of the IAM identity, as dbt has it.
            given["group_federation"] = True if self.user is None else None
        return {name: value for name, value in given.items() if value is not None}


class RedshiftConnection:
    """One session of Redshift, opened when needed, and anew when it was lost.

    Outside of `begin` and `commit` each statement is a transaction of its own.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._connection: Any = None
        self._described: list[tuple[str, int]] = []

    def ensure(self) -> None:
        """Connect, unless there is a connection that answers.

        Raises:
            RedshiftError: Redshift, or AWS for its credentials, lets us not in.
        """
        if self._connection is not None:
            with contextlib.suppress(RedshiftError):
                self.execute("select 1")
                return
        self.close()
        place = self._settings.host or self._settings.cluster_identifier or self._settings.workgroup
        try:
            with warnings.catch_warnings():
                # The driver's own, of how it makes its TLS context.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._connection = redshift_connector.connect(**self._settings.arguments())
        except (redshift_connector.error.Error, ClientError, BotoCoreError, OSError) as error:
            text = _text(error).replace(self._settings.password or "\0", "***")
            raise RedshiftError(
                f"Redshift {place} cannot be reached: {text}: check address, user, role and TLS"
            ) from None
        self._connection.autocommit = True
        self.execute("set timezone to 'UTC'")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with ``?`` for parameters; return its rows.

        Raises:
            ConflictError: another transaction was in the way.
            ConnectionLostError: the connection broke.
            RedshiftError: Redshift refuses it for another reason.
        """
        return self._run(sql, parameters)[0]

    def change(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that changes rows; return their number."""
        return self._run(sql, parameters)[1]

    def ask(self, sql: str) -> tuple[list[tuple[str, int]], list[tuple[Any, ...]]]:
        """Run a statement; return its columns, each a name and the number of its type, and rows."""
        rows = self.execute(sql)
        return self._described, rows

    def begin(self) -> None:
        """Begin a transaction."""
        self.execute("begin")

    def commit(self) -> None:
        """Commit it."""
        self.execute("commit")

    def rollback(self) -> None:
        """Undo it, if the connection still stands; if not, the server does."""
        with contextlib.suppress(RedshiftError):
            self.execute("rollback")

    def close(self) -> None:
        """Close the connection; what is not committed is undone."""
        if self._connection is not None:
            with contextlib.suppress(redshift_connector.error.Error, OSError):
                self._connection.close()
            self._connection = None

    def _run(self, sql: str, parameters: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
        if self._connection is None:
            raise ConnectionLostError("the connection to Redshift was lost")
        try:
            with self._connection.cursor() as cursor:
                cursor.paramstyle = "qmark"
                cursor.execute(sql, list(parameters) or None)
                self._described = [(name, of) for name, of, *_ in cursor.description or ()]
                rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
                return rows, cursor.rowcount
        except (redshift_connector.error.Error, OSError) as error:
            raise _judged(error) from None  # what it came from may show a statement with keys


def _judged(error: Exception) -> RedshiftError:
    text, code = _text(error), _fields(error).get("C", "")
    if code in LOCK_OR_CONFLICT or SERIALIZATION_FAILURE.search(text):
        return ConflictError(text, code)
    if isinstance(error, OSError) or code in LOST or not code:
        return ConnectionLostError(f"the connection to Redshift was lost: {text}", code)
    return RedshiftError(f"Redshift refuses: {text}", code)


def _fields(error: Exception) -> dict[str, str]:
    """Read what the server sent with an error, by the protocol's letters."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, dict) else {}


def _text(error: Exception) -> str:
    fields = _fields(error)
    said = fields.get("M") or str(error)
    if detail := fields.get("D"):
        said += f" ({detail})"
    return " ".join(said.split())
