"""How COPY and UNLOAD fail: a row that cannot be loaded, a file, S3, what the stand-in has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import (  # type: ignore[import-untyped]  # it ships no types
    BotoCoreError,
    ClientError,
)

from redshift_standin.errors import RedshiftError

if TYPE_CHECKING:
    from redshift_standin.transfer.values import TargetColumn

S3_ERRORS = (ClientError, BotoCoreError)
"""What S3 answers, and what happens on the way to it."""

SYNTAX_ERROR = "42601"
FEATURE_NOT_SUPPORTED = "0A000"
UNDEFINED_COLUMN = "42703"


class LoadError(RedshiftError):
    """A row that ends the load, or is left out within MAXERROR; a line of ``stl_load_errors``.

    Attributes:
        filename: Where the row is, for example ``s3://bucket/orders.csv.gz``.
        line_number: Its line there, from 1; of a JSON document the last one.
        column: The column's name, blank where the row as a whole is wrong.
        type: The column's type, as PostgreSQL names it.
        raw_value: The field as it came, at most 1,024 characters, as in that table.
        err_code: Redshift's number of the error, for example 1204.
        reason: Redshift's words for it.
    """

    def __init__(  # noqa: PLR0913  # a line of the table
        self,
        *,
        table: str,
        filename: str,
        line_number: int,
        column: str,
        type: str,  # noqa: A002  # the name of the table's column
        raw_value: str,
        err_code: int,
        reason: str,
    ) -> None:
        super().__init__(
            f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for details."
        )
        self.filename = filename
        self.line_number = line_number
        self.column = column
        self.type = type
        # The table holds text: halves of surrogate pairs and NUL are none.
        printable = raw_value.encode(errors="backslashreplace").decode().replace("\0", "\\0")
        self.raw_value = printable[:1024]
        self.err_code = err_code
        self.reason = reason


class UnfitValueError(Exception):
    """A row that cannot be loaded; who knows file and line makes a LoadError of it.

    ``column`` and ``raw_value`` are set where it is a field that its column cannot hold.
    """

    def __init__(self, err_code: int, reason: str) -> None:
        super().__init__(reason)
        self.err_code = err_code
        self.reason = reason
        self.column: TargetColumn | None = None
        self.raw_value = ""

    def of(self, column: TargetColumn, raw_value: str) -> UnfitValueError:
        """Say which field it is about."""
        self.column = column
        self.raw_value = raw_value
        return self


def spectrum_error(context: str, code: int = 15007) -> RedshiftError:
    """Say what is wrong with a Parquet file, as the part of Redshift that reads it does."""
    return RedshiftError(
        "Spectrum Scan Error\n"
        "  -----------------------------------------------\n"
        "  error:  Spectrum Scan Error\n"
        f"  code:      {code}\n"
        f"  context:   {context}\n"
        "  -----------------------------------------------"
    )


def s3_error(error: Exception) -> RedshiftError:
    """Pass on one of the ``S3_ERRORS``."""
    if not isinstance(error, ClientError):
        return RedshiftError(f"S3ServiceException:{error}")
    answer: dict[str, Any] = error.response
    code = answer["Error"]["Code"]
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    message = answer["Error"].get("Message") or code
    return RedshiftError(f"S3ServiceException:{message},Status {status},Error {code}")


def not_in_stand_in(what: str) -> RedshiftError:
    """Refuse what Redshift has and this stand-in has not, so that no test believes it ran."""
    return RedshiftError(f"the Redshift stand-in does not have {what}", FEATURE_NOT_SUPPORTED)


def syntax_error(text: str) -> RedshiftError:
    """Refuse a statement at a word."""
    return RedshiftError(f'syntax error at or near "{text}"', SYNTAX_ERROR)
