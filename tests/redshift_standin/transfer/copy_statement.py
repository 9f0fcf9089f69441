"""COPY, as a statement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.authorization import (
    AUTHORIZATION_WORDS,
    Authorization,
    authorization,
)
from redshift_standin.transfer.failures import not_in_stand_in
from redshift_standin.transfer.moments import check_date_format, check_time_format
from redshift_standin.transfer.statement import (
    COMPRESSIONS,
    FORMATS,
    Compression,
    Format,
    GivenOptions,
    Location,
    Option,
    location,
    null_text,
    one_character,
    read_options,
    refuse_together,
)
from redshift_standin.transfer.tokens import Tokens

MOST_ERRORS = 100_000
MISSING = frozenset(
    {
        *("AVRO", "FIXEDWIDTH", "LZOP", "ORC", "SHAPEFILE", "SSH"),
        *("COMPROWS", "EXPLICIT_IDS", "IGNOREALLERRORS", "NOLOAD", "READRATIO"),
        *("ENCRYPTED", "MASTER_SYMMETRIC_KEY"),
    }
)
"""Options of Redshift that nobody needed here yet."""


class JsonMapping(StrEnum):
    """How the keys of a JSON document find their columns."""

    AUTO = "auto"
    AUTO_IGNORE_CASE = "auto ignorecase"
    NO_SHRED = "noshred"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A COPY statement; each option has Redshift's default.

    ``accept_invalid_characters`` is what stands for each byte of an invalid character.
    ``date_format`` and ``time_format`` are None where Redshift's default applies.
    """

    table: str
    columns: tuple[str, ...]
    source: Location
    authorization: Authorization
    format: Format = Format.DELIMITED
    json_mapping: JsonMapping = JsonMapping.AUTO
    is_manifest: bool = False
    compression: Compression | None = None
    region: str | None = None
    delimiter: str = "|"
    quote: str = '"'
    is_escaped: bool = False
    remove_quotes: bool = False
    null_as: str = r"\N"
    ignore_header: int = 0
    ignore_blank_lines: bool = False
    empty_as_null: bool = False
    blanks_as_null: bool = False
    trim_blanks: bool = False
    truncate_columns: bool = False
    fill_record: bool = False
    round_decimals: bool = False
    accept_invalid_characters: str | None = None
    accept_any_date: bool = False
    date_format: str | None = None
    time_format: str | None = None
    encoding: str = "UTF8"
    max_errors: int = 0
    serialize_to_json: bool = False
    compupdate: str = "AUTO"
    statupdate: bool | None = None

    @property
    def table_name(self) -> str:
        """The table without its schema, as errors name it."""
        return self.table.rpartition(".")[2].strip().strip('"')


def _replacement(tokens: Tokens) -> str:
    if tokens.current.keyword == "AS" or tokens.current.kind == "string":
        return one_character(tokens)
    return "?"


def _json_mapping(tokens: Tokens) -> tuple[Format, JsonMapping]:
    if tokens.current.keyword != "AS" and tokens.current.kind != "string":
        return Format.JSON, JsonMapping.AUTO
    text = tokens.string()
    if text.startswith("s3://"):
        raise not_in_stand_in("JSONPaths files")
    if text not in set(JsonMapping):
        raise RedshiftError(f"Invalid JSON option '{text}': use auto, auto ignorecase or noshred")
    return Format.JSON, JsonMapping(text)


def _compupdate(tokens: Tokens) -> str:
    if tokens.skip("PRESET"):
        return "PRESET"
    return "ON" if tokens.switch() else "OFF"


def _encoding(tokens: Tokens) -> str:
    tokens.skip("AS")
    encoding = tokens.read().value.upper()
    if encoding != "UTF8":
        raise not_in_stand_in(f"ENCODING {encoding}")
    return encoding


def _max_errors(tokens: Tokens) -> int:
    number = tokens.integer()
    if number > MOST_ERRORS:
        raise RedshiftError(f"MAXERROR must be between 0 and {MOST_ERRORS}")
    return number


OPTIONS = {
    **COMPRESSIONS,
    **FORMATS,
    "JSON": Option("format", _json_mapping),
    "MANIFEST": Option("is_manifest"),
    "REGION": Option("region", Tokens.string),
    "DELIMITER": Option("delimiter", one_character),
    "QUOTE": Option("quote", one_character),
    "ESCAPE": Option("is_escaped"),
    "REMOVEQUOTES": Option("remove_quotes"),
    "NULL": Option("null_as", null_text),
    "IGNOREHEADER": Option("ignore_header", Tokens.integer),
    "IGNOREBLANKLINES": Option("ignore_blank_lines"),
    "EMPTYASNULL": Option("empty_as_null"),
    "BLANKSASNULL": Option("blanks_as_null"),
    "TRIMBLANKS": Option("trim_blanks"),
    "TRUNCATECOLUMNS": Option("truncate_columns"),
    "FILLRECORD": Option("fill_record"),
    "ROUNDEC": Option("round_decimals"),
    "ACCEPTINVCHARS": Option("accept_invalid_characters", _replacement),
    "ACCEPTANYDATE": Option("accept_any_date"),
    "DATEFORMAT": Option("date_format", lambda tokens: check_date_format(tokens.string())),
    "TIMEFORMAT": Option("time_format", lambda tokens: check_time_format(tokens.string())),
    "ENCODING": Option("encoding", _encoding),
    "MAXERROR": Option("max_errors", _max_errors),
    "SERIALIZETOJSON": Option("serialize_to_json"),
    "COMPUPDATE": Option("compupdate", _compupdate),
    "STATUPDATE": Option("statupdate", Tokens.switch),
}
WITH_PARQUET = {
    *AUTHORIZATION_WORDS,
    *("PARQUET", "MANIFEST", "FILLRECORD", "STATUPDATE", "SERIALIZETOJSON", "ACCEPTINVCHARS"),
}
"""The only ones that a columnar COPY takes."""
NOT_WITH_JSON = ("DELIMITER", "ESCAPE", "FILLRECORD", "IGNOREBLANKLINES", "NULL", "REMOVEQUOTES")
NOT_WITH_CSV = ("ESCAPE", "REMOVEQUOTES")


def parse_copy(statement: str) -> Copy:
    """Read a COPY statement.

    Args:
        statement: For example ``copy orders from 's3://bucket/orders' iam_role default csv``.

    Returns:
        The statement: its table as written, its columns folded to lower case.

    Raises:
        RedshiftError: Redshift refuses it, or the stand-in does not know all of it.
    """
    tokens = Tokens(statement)
    tokens.expect("COPY")
    table = _table(tokens)
    columns = _columns(tokens)
    tokens.expect("FROM")
    source = location(tokens.string())
    given = read_options(tokens, OPTIONS, MISSING)
    _refuse_conflicts(given)
    values = dict(given.values)
    if "JSON" in given.words:
        values["format"], values["json_mapping"] = values["format"]
    if "CSV" in given.words:
        values.setdefault("delimiter", ",")
    return Copy(
        table=table,
        columns=columns,
        source=source,
        authorization=authorization(dict(given.authorization)),
        **values,
    )


def _table(tokens: Tokens) -> str:
    start = tokens.current.start
    tokens.name()
    while tokens.skip_mark("."):
        tokens.name()
    return tokens.statement[start : tokens.current.start].strip()


def _columns(tokens: Tokens) -> tuple[str, ...]:
    if not tokens.skip_mark("("):
        return ()
    columns = [tokens.name()]
    while tokens.skip_mark(","):
        columns.append(tokens.name())
    tokens.expect_mark(")")
    return tuple(columns)


def _refuse_conflicts(given: GivenOptions) -> None:
    refuse_together(
        given,
        "PARQUET",
        given.words - WITH_PARQUET,
        lambda word: f"{word} argument is not supported for PARQUET based COPY",
    )
    if "PARQUET" in given.words and "ACCEPTINVCHARS" in given.words:
        raise not_in_stand_in("ACCEPTINVCHARS for Parquet")
    refuse_together(given, "JSON", NOT_WITH_JSON, lambda word: f"{word} cannot be used with JSON")
    refuse_together(given, "CSV", NOT_WITH_CSV, lambda word: f"CSV cannot be used with {word}")
    for word, required in (("QUOTE", "CSV"), ("SERIALIZETOJSON", "PARQUET")):
        if word in given.words and required not in given.words:
            raise RedshiftError(f"{word} can only be used with {required}")
