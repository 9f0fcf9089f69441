"""What the stand-in refuses, in the words that a client gets."""


class RedshiftError(Exception):
    """A refusal.

    Args:
        message: The text that the client shows.
        code: SQLSTATE; Redshift's own errors are ``XX000``.
    """

    def __init__(self, message: str, code: str = "XX000") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
