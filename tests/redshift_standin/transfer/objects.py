"""The files of a COPY: from a prefix or a manifest, read as streams."""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # it ships no types

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.failures import S3_ERRORS, s3_error, spectrum_error
from redshift_standin.transfer.statement import Compression, Format, Location, location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redshift_standin.transfer.copy_statement import Copy

BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True)
class DataFile:
    """An object to load; ``size`` is in bytes."""

    location: Location
    size: int


def find_files(copy: Copy, s3: Any) -> list[DataFile]:
    """Find all files of a COPY, before the first of them is read.

    Args:
        copy: The statement.
        s3: A boto3 client.

    Raises:
        RedshiftError: there is none, or the manifest or S3 says no.
    """
    try:
        if copy.is_manifest:
            return _from_manifest(copy, s3)
        return _from_prefix(copy.source, s3)
    except S3_ERRORS as error:
        raise s3_error(error) from error


def _from_prefix(source: Location, s3: Any) -> list[DataFile]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=source.key)
    files = [
        DataFile(Location(source.bucket, entry["Key"]), entry["Size"])
        for page in pages
        for entry in page.get("Contents", [])
    ]
    if not files:
        raise RedshiftError(f"The specified S3 prefix '{source.key}' does not exist")
    return files


def _from_manifest(copy: Copy, s3: Any) -> list[DataFile]:
    if not copy.source.key or copy.source.key.endswith("/"):
        raise RedshiftError("COPY with MANIFEST parameter requires full path of an S3 object.")
    manifest = s3.get_object(Bucket=copy.source.bucket, Key=copy.source.key)["Body"].read()
    files = []
    for entry in _entries(manifest):
        place = location(entry["url"])
        size = _size(place, s3)
        if size is not None:
            if copy.format is Format.PARQUET:
                _check_length(place, entry, size)
            files.append(DataFile(place, size))
        elif entry.get("mandatory"):
            raise RedshiftError(
                "Problem reading manifest file - S3ServiceException:The specified key does not "
                f"exist.,Status 404,Error NoSuchKey: {place.url}"
            )
    if not files:
        raise RedshiftError("No valid files were specified in the manifest")
    return files


def _entries(manifest: bytes) -> list[dict[str, Any]]:
    """Read a manifest, for example ``{"entries": [{"url": "s3://b/k", "mandatory": true}]}``."""
    try:
        entries = json.loads(manifest)["entries"]
        if all(isinstance(entry["url"], str) for entry in entries):
            return list(entries)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise RedshiftError("Problem reading manifest file - Invalid JSON or no 'entries' with 'url'")


def _size(place: Location, s3: Any) -> int | None:
    """The size of an object; None if there is none."""
    try:
        return int(s3.head_object(Bucket=place.bucket, Key=place.key)["ContentLength"])
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return None
        raise


def _check_length(place: Location, entry: dict[str, Any], size: int) -> None:
    """Hold a manifest to the sizes it states: Parquet files are read from their end."""
    if "meta" not in entry:
        raise RedshiftError("File entry does not have 'meta' key.")
    stated = entry["meta"].get("content_length")
    if stated is None:
        raise RedshiftError("File entry does not have 'content_length' key in 'meta'.")
    if stated > size:
        raise spectrum_error(
            "HTTP response error code: 416 Message: InvalidRange The requested range is not "
            f"satisfiable, File name: {place.web_url}"
        )
    if stated < size:
        raise spectrum_error(
            f"File '{place.web_url}' is not of the content_length {stated} that the manifest states"
        )


class _S3Bytes(io.RawIOBase):
    """An object's bytes, decompressed."""

    def __init__(self, body: Any, url: str, compression: Compression | None) -> None:
        self._source = body
        if compression:
            self._source = pa.CompressedInputStream(
                pa.PythonFile(body, mode="r"), compression.value
            )
        self._url = url

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            read = self._source.read(len(buffer))
        except OSError as error:
            raise RedshiftError(
                f"The file {self._url} cannot be decompressed: it is damaged or compressed "
                "otherwise than the statement says"
            ) from error
        except S3_ERRORS as error:
            raise s3_error(error) from error
        buffer[: len(read)] = read
        return len(read)


@contextmanager
def open_stream(
    file: DataFile, compression: Compression | None, s3: Any
) -> Iterator[io.BufferedReader]:
    """Read a file from its beginning, decompressed, a buffer at a time.

    Raises:
        RedshiftError: it is gone, or damaged.
    """
    try:
        body = s3.get_object(Bucket=file.location.bucket, Key=file.location.key)["Body"]
    except S3_ERRORS as error:
        raise s3_error(error) from error
    with body:
        yield io.BufferedReader(_S3Bytes(body, file.location.url, compression), BUFFER_BYTES)


@contextmanager
def open_anywhere(file: DataFile, s3: Any) -> Iterator[IO[bytes]]:
    """Read a file from any place in it: it is fetched to disk first.

    Raises:
        RedshiftError: it is gone.
    """
    with tempfile.TemporaryFile() as local:
        with open_stream(file, None, s3) as stream:
            while piece := stream.read(BUFFER_BYTES):
                local.write(piece)
        local.seek(0)
        yield local
