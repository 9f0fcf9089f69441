"""Rows of CSV and of delimited text."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from redshift_standin.transfer.failures import UnfitValueError
from redshift_standin.transfer.records import LARGEST_ROW, Record
from redshift_standin.transfer.statement import Format
from redshift_standin.transfer.values import check_null, converter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from redshift_standin.transfer.copy_statement import Copy
    from redshift_standin.transfer.values import TargetColumn

# One for the whole process; it is the largest row that any reader of rows needs.
csv.field_size_limit(LARGEST_ROW)


class DelimitedRows:
    """Reads the rows of CSV or delimited files for a COPY."""

    def __init__(self, copy: Copy, columns: Sequence[TargetColumn]) -> None:
        self._copy = copy
        self._columns = columns
        self._readers = [self._reader(column) for column in columns]

    def records(self, stream: io.BufferedReader) -> Iterator[Record]:
        """Read the records of a file, each a list of fields."""
        is_csv = self._copy.format is Format.CSV
        # Bytes that are no UTF-8 come as halves of surrogate pairs: their fields are judged later.
        text = io.TextIOWrapper(
            stream, "utf-8", errors="surrogateescape", newline="" if is_csv else "\n"
        )
        for _ in range(self._copy.ignore_header):
            text.readline()
        records = self._csv_records(text) if is_csv else _text_records(text, self._copy)
        for record in records:
            if record.content == [""] and self._copy.ignore_blank_lines:
                continue
            record.line_number += self._copy.ignore_header
            yield record

    def _csv_records(self, text: io.TextIOWrapper) -> Iterator[Record]:
        reader = csv.reader(
            text, delimiter=self._copy.delimiter, quotechar=self._copy.quote, strict=True
        )
        line_number = 1
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                too_large = "field larger" in str(error)
                reason = (
                    "Input row is too large" if too_large else "Invalid quote formatting for CSV"
                )
                yield Record(line_number, [], UnfitValueError(1216, reason))
            else:
                yield Record(line_number, fields or [""])
            line_number = reader.line_num + 1

    def row(self, fields: list[str]) -> list[str | None]:
        """Convert the fields of a record.

        Raises:
            UnfitValueError: there are too many or too few, or one does not fit its column.
        """
        missing = len(self._columns) - len(fields)
        if missing < 0:
            raise UnfitValueError(1202, "Extra column(s) found")
        if missing and not self._copy.fill_record:
            raise UnfitValueError(1214, "Delimiter not found")
        if sum(map(len, fields)) > LARGEST_ROW:
            raise UnfitValueError(1216, "Input row is too large")
        row = [read(field) for read, field in zip(self._readers, fields, strict=False)]
        row.extend(self._filled(column) for column in self._columns[len(fields) :])
        return row

    def _reader(self, column: TargetColumn) -> Callable[[str], str | None]:
        """Make a reader of one column's fields; it names the column in what does not fit."""
        copy, convert = self._copy, converter(column, self._copy)

        def is_null(field: str) -> bool:
            if field == copy.null_as:
                return True
            if not column.is_character:
                return not field.strip()
            if not field:
                return copy.empty_as_null
            return copy.blanks_as_null and not field.strip()

        def read(field: str) -> str | None:
            try:
                return check_null(column, None if is_null(field) else convert(field))
            except UnfitValueError as error:
                raise error.of(column, field) from error.__cause__

        return read

    def _filled(self, column: TargetColumn) -> str | None:
        """What FILLRECORD puts where a record ends early."""
        if column.kind == "character varying" and not self._copy.empty_as_null:
            return ""
        return check_null(column, None)


def _text_records(text: io.TextIOWrapper, copy: Copy) -> Iterator[Record]:
    field = _field_pattern(copy)
    line_number = 0
    record = ""
    for line in text:
        record += line
        line_number += 1
        body = record.removesuffix("\n")
        if copy.is_escaped and body != record and _ends_in_escape(body):
            continue
        without_return = body.removesuffix("\r")
        if not (copy.is_escaped and _ends_in_escape(without_return)):
            body = without_return
        fields = _split(body, field, copy)
        problem = None if fields else UnfitValueError(1216, "Invalid quote formatting")
        yield Record(line_number, fields, problem)
        record = ""
    if record:
        yield Record(line_number, [], UnfitValueError(1216, "Escape character at end of file"))


def _ends_in_escape(text: str) -> bool:
    """Tell whether what follows a text is escaped: an odd number of backslashes ends it."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def _field_pattern(copy: Copy) -> re.Pattern[str]:
    """Match a field, quoted by either sign or plain, and what ends it."""
    backslash = r"\\." if copy.is_escaped else r"\\"
    delimiter = re.escape(copy.delimiter)
    choices = [rf"((?:[^{delimiter}\\]|{backslash})*)"]
    if copy.remove_quotes:
        signs = ('"', "'")
        choices = [rf"{sign}((?:[^{sign}\\]|{backslash})*){sign}" for sign in signs]
        choices.append(rf"(?![\"'])((?:[^{delimiter}\\]|{backslash})*)")
    return re.compile(rf"(?:{'|'.join(choices)})(?P<end>{delimiter}|\Z)", re.DOTALL)


def _split(record: str, field: re.Pattern[str], copy: Copy) -> list[str]:
    """Take a record apart; a malformed one has no fields."""
    fields = []
    position = 0
    while True:
        match = field.match(record, position)
        if not match:
            return []
        text = next(group for group in match.groups() if group is not None)
        if copy.is_escaped and text != copy.null_as:
            text = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
        fields.append(text)
        position = match.end()
        if not match["end"]:
            return fields
