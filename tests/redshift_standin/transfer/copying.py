"""COPY: the files of S3 as CSV that PostgreSQL loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.delimited import DelimitedRows
from redshift_standin.transfer.documents import DocumentRows
from redshift_standin.transfer.failures import UNDEFINED_COLUMN, LoadError, UnfitValueError
from redshift_standin.transfer.objects import DataFile, find_files, open_anywhere, open_stream
from redshift_standin.transfer.parquet import read_batches
from redshift_standin.transfer.statement import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from redshift_standin.transfer.copy_statement import Copy
    from redshift_standin.transfer.records import Record
    from redshift_standin.transfer.values import TargetColumn

CHUNK_BYTES = 1024 * 1024


def read_copy(
    copy: Copy,
    columns: Sequence[TargetColumn],
    s3: Any,
    report: Callable[[LoadError], None] | None = None,
) -> Iterator[bytes]:
    """Read what a COPY loads.

    Files are found, and rights checked, at once; rows are read and judged as they are asked for,
    so that what was yielded before an error has to be rolled back.

    Args:
        copy: The statement.
        columns: The table's columns; of a statement that names columns, at least those.
        s3: A boto3 client.
        report: Told of each row that is left out, within MAXERROR.

    Returns:
        CSV for PostgreSQL's ``COPY .. FROM STDIN (FORMAT csv)``: the statement's columns in its
        order, else the given ones. A piece has about a megabyte, of Parquet some more.

    Raises:
        RedshiftError: files or right are missing, or a file cannot be read.
        LoadError: more rows cannot be loaded than MAXERROR allows.
    """
    copy.authorization.check()
    targets = _targets(copy, columns)
    files = find_files(copy, s3)
    if copy.format is Format.PARQUET:
        return _read_parquet(copy, targets, files, s3)
    return _Rows(copy, targets, report or (lambda _: None)).read(files, s3)


def _targets(copy: Copy, columns: Sequence[TargetColumn]) -> list[TargetColumn]:
    if not copy.columns:
        return list(columns)
    by_name = {column.name: column for column in columns}
    for name in copy.columns:
        if name not in by_name:
            raise RedshiftError(
                f'column "{name}" of relation "{copy.table_name}" does not exist', UNDEFINED_COLUMN
            )
    return [by_name[name] for name in copy.columns]


def _read_parquet(
    copy: Copy, targets: Sequence[TargetColumn], files: Sequence[DataFile], s3: Any
) -> Iterator[bytes]:
    for file in files:
        with open_anywhere(file, s3) as local:
            yield from read_batches(local, file.location, copy, targets)


class _Rows:
    """Reads files row by row, and counts those that cannot be loaded."""

    def __init__(
        self, copy: Copy, targets: Sequence[TargetColumn], report: Callable[[LoadError], None]
    ) -> None:
        self._copy = copy
        self._report = report
        reader = DocumentRows if copy.format is Format.JSON else DelimitedRows
        self._reader = reader(copy, targets)
        self._errors = 0

    def read(self, files: Sequence[DataFile], s3: Any) -> Iterator[bytes]:
        """Read all files, one after another."""
        rows: list[str] = []
        size = 0
        for file in files:
            with open_stream(file, self._copy.compression, s3) as stream:
                for record in self._reader.records(stream):
                    row = self._convert(record, file)
                    if row is None:
                        continue
                    rows.append(row)
                    size += len(row)
                    if size >= CHUNK_BYTES:
                        yield "".join(rows).encode()
                        rows, size = [], 0
        if rows:
            yield "".join(rows).encode()

    def _convert(self, record: Record, file: DataFile) -> str | None:
        """Make a line of CSV of a record; None where it is left out."""
        try:
            if record.problem:
                raise record.problem
            return _csv_line(self._reader.row(record.content))
        except UnfitValueError as problem:
            error = LoadError(
                table=self._copy.table_name,
                filename=file.location.url,
                line_number=record.line_number,
                column=problem.column.name if problem.column else "",
                type=problem.column.type if problem.column else "",
                raw_value=problem.raw_value,
                err_code=problem.err_code,
                reason=problem.reason,
            )
            self._errors += 1
            if self._errors >= max(1, self._copy.max_errors):
                raise error from problem
            self._report(error)
            return None


def _csv_line(row: Sequence[str | None]) -> str:
    """Write a row so that PostgreSQL tells NULL, which is nothing, from text, which is quoted."""
    fields = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in row)
    return ",".join(fields) + "\n"
