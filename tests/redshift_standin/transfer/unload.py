"""UNLOAD: rows of PostgreSQL as files of S3."""

from __future__ import annotations

import io
import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.failures import S3_ERRORS, s3_error
from redshift_standin.transfer.statement import Format
from redshift_standin.transfer.unload_files import ParquetFiles, TextFiles, WrittenFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from redshift_standin.transfer.unload_statement import Unload
    from redshift_standin.transfer.values import TargetColumn

BLOCK_BYTES = 32 * 1024 * 1024
"""Holds the longest row: one value of SUPER may have 16 MB."""
SLICES = 2
"""Each writes files of its own, if PARALLEL."""


def write_unload(
    unload: Unload, rows: Iterable[bytes], columns: Sequence[TargetColumn], s3: Any
) -> None:
    """Write the result of an UNLOAD's query. A result without rows leaves no file at all.

    Args:
        unload: The statement.
        rows: What PostgreSQL's ``COPY (query) TO STDOUT (FORMAT csv)`` sends, in any pieces.
        columns: The query's columns.
        s3: A boto3 client.

    Raises:
        RedshiftError: the target is not empty, S3 refuses, or a column cannot be unloaded so.
    """
    unload.authorization.check()
    writer = ParquetFiles if unload.format is Format.PARQUET else TextFiles
    count = SLICES if unload.is_parallel else 1
    slices = [writer(unload, columns, number, s3) for number in range(count)]
    try:
        _prepare_target(unload, s3)
        for batch in _batches(rows, columns):
            share = -(-len(batch) // count)
            for number, files in enumerate(slices):
                part = batch.slice(number * share, share)
                if len(part):
                    files.write(part)
        written = [file for files in slices for file in files.close()]
        if unload.manifest and written:
            _write_manifest(unload, written, columns, s3)
    except S3_ERRORS as error:
        raise s3_error(error) from error
    finally:
        for files in slices:
            files.discard()


def _prepare_target(unload: Unload, s3: Any) -> None:
    bucket, prefix = unload.target.bucket, unload.target.key
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    if unload.clean_path:
        for key in keys:
            s3.delete_object(Bucket=bucket, Key=key)
    elif keys and not unload.allow_overwrite:
        raise RedshiftError(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / "
            "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option."
        )


class _Pieces(io.RawIOBase):
    """Pieces of bytes as one file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        read = self._rest[: len(buffer)]
        self._rest = self._rest[len(read) :]
        buffer[: len(read)] = read
        return len(read)


def _batches(rows: Iterable[bytes], columns: Sequence[TargetColumn]) -> Iterator[pa.RecordBatch]:
    """Read rows as columns of text; NULL and an empty text stay different."""
    pieces = iter(rows)
    first = next((piece for piece in pieces if piece), None)
    if first is None:
        return
    # Columns may share a name in a query's result.
    names = [str(number) for number in range(len(columns))]
    reader = pa_csv.open_csv(
        io.BufferedReader(_Pieces(chain([first], pieces)), 65536),
        read_options=pa_csv.ReadOptions(
            column_names=names, block_size=BLOCK_BYTES, use_threads=False
        ),
        # A row of one NULL is an empty line.
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    yield from reader


def _write_manifest(
    unload: Unload, written: Sequence[WrittenFile], columns: Sequence[TargetColumn], s3: Any
) -> None:
    is_verbose = unload.manifest == "VERBOSE"
    manifest: dict[str, Any] = {
        "entries": [
            {"url": file.url, "meta": _counts([file], is_verbose=is_verbose)} for file in written
        ]
    }
    if is_verbose:
        manifest["schema"] = {
            "elements": [{"name": column.name, "type": _base(column)} for column in columns]
        }
        manifest["meta"] = _counts(written, is_verbose=True)
        manifest["author"] = {"name": "Amazon Redshift", "version": "1.0.0"}
    s3.put_object(
        Bucket=unload.target.bucket,
        Key=f"{unload.target.key}manifest",
        Body=json.dumps(manifest).encode(),
    )


def _counts(files: Sequence[WrittenFile], *, is_verbose: bool) -> dict[str, int]:
    counts = {"content_length": sum(file.size for file in files)}
    if is_verbose:
        counts["record_count"] = sum(file.records for file in files)
    return counts


def _base(column: TargetColumn) -> dict[str, Any]:
    """A type as a manifest states it."""
    base: dict[str, Any] = {"base": {"jsonb": "super", "bytea": "varbyte"}.get(column.kind)}
    base["base"] = base["base"] or column.kind
    if column.is_character:
        base["max_length"] = column.length
    if column.kind == "numeric":
        base["precision"], base["scale"] = column.digits
    return base
