"""UNLOAD, as a statement."""

from __future__ import annotations

from dataclasses import dataclass

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.authorization import Authorization, authorization
from redshift_standin.transfer.statement import (
    COMPRESSIONS,
    FORMATS,
    Compression,
    Format,
    Location,
    Option,
    location,
    null_text,
    one_character,
    read_options,
    refuse_together,
)
from redshift_standin.transfer.tokens import Tokens

MEGABYTE = 1024 * 1024
SMALLEST_FILE = 5 * MEGABYTE
LARGEST_FILE = int(6.2 * 1024 * MEGABYTE)
MISSING = frozenset(
    {
        *("EXTENSION", "FIXEDWIDTH", "JSON", "PARTITION", "ROWGROUPSIZE"),
        *("ENCRYPTED", "KMS_KEY_ID", "MASTER_SYMMETRIC_KEY"),
    }
)
"""Options of Redshift that nobody needed here yet."""


@dataclass(frozen=True, kw_only=True)
class Unload:
    """An UNLOAD statement; each option has Redshift's default. ``max_file_size`` is in bytes."""

    query: str
    target: Location
    authorization: Authorization
    format: Format = Format.DELIMITED
    compression: Compression | None = None
    manifest: str | None = None
    """``PLAIN`` or ``VERBOSE``."""
    has_header: bool = False
    delimiter: str = "|"
    add_quotes: bool = False
    is_escaped: bool = False
    null_as: str = ""
    allow_overwrite: bool = False
    clean_path: bool = False
    is_parallel: bool = True
    max_file_size: int = LARGEST_FILE
    region: str | None = None


def _file_size(tokens: Tokens) -> int:
    number = tokens.number()
    unit = 1024 * MEGABYTE if tokens.skip("GB") else MEGABYTE
    tokens.skip("MB")
    size = int(number * unit)
    if not SMALLEST_FILE <= size <= LARGEST_FILE:
        raise RedshiftError("MAXFILESIZE must be between 5 MB and 6.2 GB")
    return size


OPTIONS = {
    **COMPRESSIONS,
    **FORMATS,
    "MANIFEST": Option("manifest", lambda tokens: "VERBOSE" if tokens.skip("VERBOSE") else "PLAIN"),
    "HEADER": Option("has_header"),
    "DELIMITER": Option("delimiter", one_character),
    "ADDQUOTES": Option("add_quotes"),
    "ESCAPE": Option("is_escaped"),
    "NULL": Option("null_as", null_text),
    "ALLOWOVERWRITE": Option("allow_overwrite"),
    "CLEANPATH": Option("clean_path"),
    "PARALLEL": Option("is_parallel", Tokens.switch),
    "MAXFILESIZE": Option("max_file_size", _file_size),
    "REGION": Option("region", Tokens.string),
}
NOT_WITH_PARQUET = ("DELIMITER", "ADDQUOTES", "ESCAPE", "NULL", "HEADER", *COMPRESSIONS)
NOT_WITH_CSV = ("ADDQUOTES", "ESCAPE")


def parse_unload(statement: str) -> Unload:
    """Read an UNLOAD statement.

    Args:
        statement: For example
            ``unload ('select * from orders') to 's3://bucket/orders_' iam_role default``.

    Raises:
        RedshiftError: Redshift refuses it, or the stand-in does not know all of it.
    """
    tokens = Tokens(statement)
    tokens.expect("UNLOAD")
    tokens.expect_mark("(")
    query = tokens.string()
    tokens.expect_mark(")")
    tokens.expect("TO")
    target = location(tokens.string())
    given = read_options(tokens, OPTIONS, MISSING)
    refuse_together(
        given,
        "PARQUET",
        NOT_WITH_PARQUET,
        lambda word: f"{word} is not supported for UNLOAD to PARQUET",
    )
    refuse_together(
        given, "CSV", NOT_WITH_CSV, lambda word: f"{word} is not supported for UNLOAD to CSV"
    )
    refuse_together(
        given,
        "CLEANPATH",
        ["ALLOWOVERWRITE"],
        lambda word: f"CLEANPATH cannot be specified with {word}",
    )
    if "LIMIT" in Tokens(query).top_level_keywords():
        raise RedshiftError("Limit clause is not supported in the outer SELECT of UNLOAD")
    values = dict(given.values)
    if "CSV" in given.words:
        values.setdefault("delimiter", ",")
    return Unload(
        query=query,
        target=target,
        authorization=authorization(dict(given.authorization)),
        **values,
    )
