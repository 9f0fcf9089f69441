"""Rows of JSON: documents one after another, with nothing but blanks between."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

import simplejson

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.copy_statement import JsonMapping
from redshift_standin.transfer.failures import UnfitValueError
from redshift_standin.transfer.records import LARGEST_ROW, Record
from redshift_standin.transfer.values import check_null, check_super, converter, json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redshift_standin.transfer.copy_statement import Copy
    from redshift_standin.transfer.values import TargetColumn

BUFFER_CHARACTERS = 1024 * 1024
BLANKS = re.compile(r"[ \t\r\n]*")
NOT_FROM_JSON = {
    "bytea": "VARBYTE",
    "time without time zone": "TIME",
    "time with time zone": "TIME",
}


class DocumentRows:
    """Reads the rows of JSON files for a COPY."""

    def __init__(self, copy: Copy, columns: Sequence[TargetColumn]) -> None:
        self._copy = copy
        self._columns = [(column, converter(column, copy)) for column in columns]
        kinds = [column.kind for column in columns]
        for kind, name in NOT_FROM_JSON.items():
            if kind in kinds:
                raise RedshiftError(f"COPY from JSON cannot load a column of type {name}")
        if copy.json_mapping is JsonMapping.NO_SHRED and kinds != ["jsonb"]:
            raise RedshiftError("COPY from JSON 'noshred' needs a table of one SUPER column")

    def records(self, stream: io.BufferedReader) -> Iterator[Record]:
        """Read the documents of a file."""
        text = io.TextIOWrapper(stream, "utf-8", errors="surrogateescape", newline="\n")
        for _ in range(self._copy.ignore_header):
            text.readline()
        yield from _Documents(text, self._copy.ignore_header + 1)

    def row(self, document: Any) -> list[str | None]:
        """Find the columns' values in a document.

        Raises:
            UnfitValueError: it has no keys, or a value does not fit its column.
        """
        if self._copy.json_mapping is JsonMapping.NO_SHRED and isinstance(document, dict | list):
            check_super(document)
            return [json_text(document)]
        if not isinstance(document, dict):
            raise UnfitValueError(1216, "Invalid JSON object: a document must be an object")
        if self._copy.json_mapping is JsonMapping.AUTO_IGNORE_CASE:
            document = {key.lower(): value for key, value in document.items()}
        row = []
        for column, convert in self._columns:
            value = document.get(column.name)
            try:
                text = None if self._is_null(column, value) else _text(column, value)
                if text is not None and column.kind != "jsonb":
                    text = convert(text)
                row.append(check_null(column, text))
            except UnfitValueError as error:
                raise error.of(column, _raw(value)) from error.__cause__
        return row

    def _is_null(self, column: TargetColumn, value: Any) -> bool:
        if value is None:
            return True
        if not isinstance(value, str) or column.kind == "jsonb":
            return False
        if not column.is_character:
            return not value.strip()
        if not value:
            return self._copy.empty_as_null
        return self._copy.blanks_as_null and not value.strip()


def _text(column: TargetColumn, value: Any) -> str:
    """Write a value for its column: JSON for SUPER, else what a text file would hold."""
    if column.kind == "jsonb":
        check_super(value)
        return json_text(value)
    if isinstance(value, dict | list) and not column.is_character:
        raise UnfitValueError(1216, "Invalid value: an object or array for a scalar column")
    return _raw(value)


def _raw(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Number):
        return value.text
    return json_text(value)


class _Number(Decimal):
    """A number that knows how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


class _Documents:
    """The documents of a text, which is held in memory no longer than the longest may be."""

    def __init__(self, text: io.TextIOWrapper, line_number: int) -> None:
        self._text = text
        self._line_number = line_number
        self._decoder = simplejson.JSONDecoder(parse_float=_Number, allow_nan=False)
        self._buffer = ""
        self._position = 0

    def __iter__(self) -> Iterator[Record]:
        while self._skip_blanks():
            yield self._read()

    def _skip_blanks(self) -> bool:
        """Go to where the next document begins; tell whether there is one."""
        while True:
            blanks = BLANKS.match(self._buffer, self._position)
            assert blanks  # narrows for mypy: none at all match too
            self._go_to(blanks.end())
            if self._position < len(self._buffer):
                return True
            if not self._fill():
                return False

    def _read(self) -> Record:
        while True:
            try:
                document, end = self._decoder.raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError) as error:
                # It may go on beyond the buffer.
                if len(self._buffer) - self._position <= LARGEST_ROW and self._fill():
                    continue
                return self._malformed(error)
            length = end - self._position
            self._go_to(end)
            if length > LARGEST_ROW:
                problem = UnfitValueError(1216, "JSON object is larger than 4 MB")
                return Record(self._line_number, None, problem)
            return Record(self._line_number, document)

    def _malformed(self, error: Exception) -> Record:
        """Give up a document, and go on at the next line."""
        message = getattr(error, "msg", "nested too deeply, or too many digits")
        reason = f"Invalid JSON: {message}"
        record = Record(self._line_number, None, UnfitValueError(1216, reason))
        end = self._buffer.find("\n", self._position)
        self._go_to(len(self._buffer) if end < 0 else end)
        return record

    def _go_to(self, position: int) -> None:
        self._line_number += self._buffer.count("\n", self._position, position)
        self._position = position

    def _fill(self) -> bool:
        """Read on; tell whether there was more."""
        more = self._text.read(BUFFER_CHARACTERS)
        self._buffer = self._buffer[self._position :] + more
        self._position = 0
        return bool(more)
