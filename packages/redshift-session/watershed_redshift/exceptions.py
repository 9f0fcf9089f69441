"""What can go wrong between us and Redshift, by how one recovers from it."""

from __future__ import annotations

from watershed_load_plan import LoadError


class RedshiftError(LoadError):
    """Redshift refuses a statement; nothing of its transaction is kept.

    Args:
        text: One line, without secrets.
        code: SQLSTATE, empty where the server said none.
    """

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class ConflictError(RedshiftError):
    """Another transaction was in the way (error 1023, a deadlock): the same again may succeed."""


class ConnectionLostError(RedshiftError):
    """The connection broke, perhaps after a commit: connect, ask the ledger, and do it again."""
