"""What COPY and UNLOAD statements have in common: a place in S3, a right, and options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.authorization import AUTHORIZATION_WORDS, read_word
from redshift_standin.transfer.failures import SYNTAX_ERROR, not_in_stand_in, syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redshift_standin.transfer.tokens import Tokens


class Format(StrEnum):
    """How rows are written in a file."""

    DELIMITED = "delimited"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class Compression(Enum):
    """How a file is compressed, as Arrow names it."""

    GZIP = "gzip"
    BZIP2 = "bz2"
    ZSTD = "zstd"


@dataclass(frozen=True)
class Location:
    """An object of S3, or all whose key begins so."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        """For example ``s3://bucket/orders/part-1.csv``."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def web_url(self) -> str:
        """As the part of Redshift that reads Parquet writes it."""
        return f"https://s3.us-east-1.amazonaws.com/{self.bucket}/{self.key}"


def location(url: str) -> Location:
    """Read an address.

    Raises:
        RedshiftError: it is none of S3.
    """
    match = re.fullmatch(r"s3://([a-z0-9.-]{3,63})(?:/(.*))?", url, re.DOTALL)
    if not match:
        raise RedshiftError(f"Invalid S3 URI: {url}")
    return Location(match[1], match[2] or "")


@dataclass(frozen=True)
class Option:
    """An option of a statement: which field of the result it sets, and how its value is read."""

    field: str
    read: Callable[[Tokens], Any] = lambda _: True


COMPRESSIONS = {
    "GZIP": Option("compression", lambda _: Compression.GZIP),
    "BZIP2": Option("compression", lambda _: Compression.BZIP2),
    "ZSTD": Option("compression", lambda _: Compression.ZSTD),
}
FORMATS = {
    "CSV": Option("format", lambda _: Format.CSV),
    "PARQUET": Option("format", lambda _: Format.PARQUET),
}


@dataclass(frozen=True)
class GivenOptions:
    """What a statement says after its place in S3."""

    values: Mapping[str, Any]
    """By field, for example ``{"delimiter": ",", "is_manifest": True}``."""
    words: frozenset[str]
    """As they stand there, in capitals, for example MANIFEST."""
    authorization: Mapping[str, str]


def read_options(
    tokens: Tokens, options: Mapping[str, Option], missing: Iterable[str]
) -> GivenOptions:
    """Read all options until the statement's end.

    Args:
        tokens: The statement, its options next.
        options: By word.
        missing: Words that Redshift knows and the stand-in does not.

    Raises:
        RedshiftError: one is unknown, malformed, or given twice.
    """
    values: dict[str, Any] = {}
    words: set[str] = set()
    authorization: dict[str, str] = {}
    while not tokens.at_end:
        is_format = tokens.skip("FORMAT")
        if is_format:
            tokens.skip("AS")
        if tokens.skip("WITH") and tokens.current.keyword != "CREDENTIALS":
            raise tokens.refusal()
        word = tokens.current.keyword
        if word in missing:
            raise not_in_stand_in(word)
        if word not in options and (is_format or word not in AUTHORIZATION_WORDS):
            raise tokens.refusal()
        if is_format and options[word].field != "format":
            raise syntax_error(word)
        tokens.read()
        field = options[word].field if word in options else word
        if field in values or field in authorization:
            raise RedshiftError(f"conflicting or redundant options: {word}", SYNTAX_ERROR)
        words.add(word)
        if word in options:
            values[field] = options[word].read(tokens)
        else:
            authorization[word] = read_word(word, tokens)
    return GivenOptions(values, frozenset(words), authorization)


def refuse_together(
    given: GivenOptions, word: str, others: Iterable[str], refusal: Callable[[str], str]
) -> None:
    """Refuse a statement that has ``word`` and one of the others.

    Raises:
        RedshiftError: with the text that ``refusal`` makes of the other word.
    """
    found = sorted(given.words & set(others))
    if word in given.words and found:
        raise RedshiftError(refusal(found[0]))


def one_character(tokens: Tokens) -> str:
    r"""Read a string of one ASCII character: itself, ``\t``, or octal as in ``\036``.

    Raises:
        RedshiftError: it is longer.
    """
    text = tokens.string()
    if re.fullmatch(r"\\[0-7]{3}", text):
        text = chr(int(text[1:], 8))
    text = {r"\t": "\t", r"\\": "\\"}.get(text, text)
    if len(text) != 1 or not text.isascii():
        raise RedshiftError(f"a single ASCII character is needed, not {text!r}")
    return text


def null_text(tokens: Tokens) -> str:
    r"""Read the text that stands for NULL; ``\\N`` and ``\N`` are the same."""
    text = tokens.string().replace("\\\\", "\\")
    if text in {r"\0", r"\000"}:
        raise not_in_stand_in("NULL AS '\\0'")
    return text
