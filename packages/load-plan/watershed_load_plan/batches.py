"""Batches: rows of one stream in files, and how to read each column of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from watershed_load_plan.duckdb_types import from_duckdb, literal, quoted
from watershed_load_plan.exceptions import RecordError
from watershed_load_plan.spool import (
    DELETED_AT,
    EXTRACTED_AT,
    ORDINAL,
    UNREADABLE,
    RecordSpool,
)
from watershed_load_plan.tables import METADATA_COLUMNS
from watershed_load_plan.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watershed_load_plan.tables import StreamSchema

TEXT = ColumnType(Kind.TEXT)


@dataclass(frozen=True)
class RawColumn:
    """A column as it lies in the files.

    Attributes:
        value: SQL expression over the files.
        type: Its type, None when no column of ours has it.
        text: SQL expression for the exact text of the value.
    """

    value: str
    type: ColumnType | None
    text: str


@dataclass(frozen=True)
class Batch:
    """Rows of one stream, in the order they came.

    Attributes:
        stream: The schema they came under.
        relation: What stands after FROM to read them, in DuckDB's SQL.
        columns: Column name to how it is read; one that the files lack is absent.
        metadata: The same for the metadata columns the files bring.
        ordinal: SQL expression that numbers the rows in their order.
        unreadable: SQL expression for cells that are no text at all, None where none can be.
        bytes: Size of the files.
        version: The table version the rows belong to, None for rows that have none.
        files: The files, of which every column is one of ``columns``; empty where one is not.
    """

    stream: StreamSchema
    relation: str
    columns: Mapping[str, RawColumn]
    metadata: Mapping[str, RawColumn]
    ordinal: str
    unreadable: str | None
    bytes: int
    version: int | None
    files: tuple[Path, ...] = ()


def spooled(spool: RecordSpool) -> Batch:
    """Finish a spool of RECORDs and describe it as a batch."""
    size = spool.close()
    columns = {
        column: RawColumn(f"c{position}", TEXT, f"c{position}")
        for position, column in enumerate(spool.stream.columns)
    }
    metadata = {
        "_sdc_extracted_at": RawColumn(EXTRACTED_AT, TEXT, EXTRACTED_AT),
        "_sdc_deleted_at": RawColumn(DELETED_AT, TEXT, DELETED_AT),
    }
    if spool.version is not None:
        version = str(spool.version)
        metadata["_sdc_table_version"] = RawColumn(version, ColumnType(Kind.BIGINT), version)
    relation = f"read_parquet({literal(str(spool.path))})"
    return Batch(
        spool.stream, relation, columns, metadata, ORDINAL, UNREADABLE, size, spool.version
    )


def parquet(
    stream: StreamSchema,
    files: Sequence[str],
    version: int | None,
    engine: duckdb.DuckDBPyConnection,
) -> Batch:
    """Describe the Parquet files of a BATCH message.

    Args:
        stream: The stream's schema.
        files: The message's manifest: paths or ``file://`` addresses.
        version: The table version that the message names; else the files' own column is asked.
        engine: A DuckDB connection to read their schema with.

    Raises:
        RecordError: a file is missing or unreadable, or has a column twice.
    """
    paths = [local_path(stream.stream, file) for file in files]
    listed = ", ".join(literal(str(path)) for path in paths)
    relation = f"read_parquet([{listed}])"
    try:
        described = engine.execute(f"describe from {relation}").fetchall()
    except duckdb.Error as error:
        cause = str(error).splitlines()[0]
        raise RecordError(
            f"stream {stream.stream}: BATCH file {paths[0]} cannot be read as Parquet: {cause}"
        ) from error
    columns: dict[str, RawColumn] = {}
    metadata: dict[str, RawColumn] = {}
    for name, type_name, *_ in described:
        target = metadata if name.lower() in METADATA_COLUMNS else columns
        target[name.lower()] = _raw_column(quoted(name), type_name)
    if extracted_at := _footer(engine, paths[0]).get(EXTRACTED_AT):
        text = literal(extracted_at)
        metadata.setdefault("_sdc_extracted_at", RawColumn(text, TEXT, text))
    size = sum(path.stat().st_size for path in paths)
    if version is not None:
        text = str(version)
        metadata["_sdc_table_version"] = RawColumn(text, ColumnType(Kind.BIGINT), text)
    elif "_sdc_table_version" in metadata:
        (found,) = engine.execute(f"select max(_sdc_table_version) from {relation}").fetchall()
        version = found[0]
    is_all_ours = [name.lower() for name, *_ in described] == list(columns) and (
        set(columns) == set(stream.columns)
    )
    return Batch(
        stream,
        relation,
        columns,
        metadata,
        "row_number() over ()",
        None,
        size,
        version,
        tuple(paths) if is_all_ours else (),
    )


def _footer(engine: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Read the key-value pairs of a file's footer; our taps say there when they read the rows."""
    return dict(
        engine.execute(
            "select decode(key), decode(value) from parquet_kv_metadata(?) where key = ?::blob",
            [str(path), EXTRACTED_AT],
        ).fetchall()
    )


def local_path(stream: str, file: str) -> Path:
    """Turn an entry of a BATCH manifest into a path.

    Raises:
        RecordError: it is not a local file, or it is not there.
    """
    scheme, separator, rest = file.partition("://")
    if separator and scheme != "file":
        raise RecordError(f"stream {stream}: BATCH file {file} is not local: use a file:// address")
    path = Path(rest if separator else file)
    if not path.is_file():
        raise RecordError(f"stream {stream}: BATCH file {path} does not exist")
    return path


def _raw_column(name: str, type_name: str) -> RawColumn:
    column_type = from_duckdb(type_name)
    if type_name == "BLOB":
        text = f"to_base64({name})"
    elif type_name.endswith(("]", ")")) and column_type is None:
        text = f"cast(to_json({name}) as VARCHAR)"
    else:
        text = f"cast({name} as VARCHAR)"
    return RawColumn(name, column_type, text)
