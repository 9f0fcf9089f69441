"""The ``ops`` tables that a load writes in the same transaction as its rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from watershed_load_plan.exceptions import LoadError
from watershed_load_plan.tables import Table
from watershed_load_plan.types import ColumnType, Kind
from watershed_load_plan.values import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watershed_load_plan.warehouse import Warehouse

_TEXT, _COUNT = ColumnType(Kind.TEXT), ColumnType(Kind.BIGINT)
_TIME, _SECONDS = ColumnType(Kind.TIMESTAMPTZ), ColumnType(Kind.DOUBLE)

ROWS_PER_INSERT = 200
"""A statement of this many rows of parameters; one by one, thousands would take seconds."""

LOADS = Table("ops", "loads")
BOOKMARKS = Table("ops", "bookmarks")
QUARANTINE = Table("ops", "quarantine")
VERSIONS = Table("ops", "versions")

VERSION = 1
"""Of these tables' meaning. It rises when an older release could no longer read them rightly."""

OPS_TABLES: dict[Table, dict[str, ColumnType]] = {
    LOADS: {
        "load_id": _TEXT,
        "run_id": _TEXT,
        "state_id": _TEXT,
        "target_schema": _TEXT,
        "stream": _TEXT,
        "table_name": _TEXT,
        "bookmark_before": _TEXT,
        "bookmark_after": _TEXT,
        "ordinal": _COUNT,
        "table_version": _COUNT,
        "rows_inserted": _COUNT,
        "rows_updated": _COUNT,
        "rows_unchanged": _COUNT,
        "rows_deleted": _COUNT,
        "rows_quarantined": _COUNT,
        "bytes": _COUNT,
        "seconds": _SECONDS,
        "committed_at": _TIME,
    },
    BOOKMARKS: {
        "state_id": _TEXT,
        "stream": _TEXT,
        "bookmark": _TEXT,
        "run_id": _TEXT,
        "committed_at": _TIME,
    },
    QUARANTINE: {
        "quarantine_id": _TEXT,
        "load_id": _TEXT,
        "run_id": _TEXT,
        "state_id": _TEXT,
        "target_schema": _TEXT,
        "stream": _TEXT,
        "table_name": _TEXT,
        "record_key": _TEXT,
        "column_name": _TEXT,
        "value": _TEXT,
        "reason": _TEXT,
        "quarantined_at": _TIME,
    },
    VERSIONS: {"component": _TEXT, "version": _COUNT},
}


def create_tables(warehouse: Warehouse) -> None:
    """Create what is missing of the ``ops`` tables, and of the columns of an older release's.

    Raises:
        LoadError: a newer release has made them.
    """
    for table, columns in OPS_TABLES.items():
        present = warehouse.columns(table)
        if present is None:
            warehouse.create(table, columns)
            continue
        for column, of in columns.items():
            if column not in present:
                warehouse.add_column(table, column, of)
    found = warehouse.execute(f"select max(version) from {VERSIONS} where component = 'ledger'")
    version = found[0][0]
    if version is None:
        warehouse.execute(f"insert into {VERSIONS} values ('ledger', ?)", [VERSION])
    elif version > VERSION:
        raise LoadError(
            f"the warehouse's ledger is of version {version}, and this release writes {VERSION}: "
            "a newer release has loaded it; upgrade this one (git pull, make setup)"
        )


def identity(*parts: object) -> str:
    """Name a thing by what it is, so that the same thing coming twice has the same name."""
    return hashlib.sha256(json_text(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def insert_once(warehouse: Warehouse, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless its identity, the table's first column, is there.

    Returns:
        Whether it was inserted.
    """
    columns = list(OPS_TABLES[table])
    if is_known(warehouse, table, row[columns[0]]):
        return False
    marks = ", ".join("?" for _ in columns)
    warehouse.execute(
        f"insert into {table} ({', '.join(columns)}) values ({marks})",
        [row[column] for column in columns],
    )
    return True


def insert_new(warehouse: Warehouse, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of one state and stream, but for those whose identity is there."""
    if not rows:
        return
    columns = list(OPS_TABLES[table])
    found = warehouse.execute(
        f"select {columns[0]} from {table} where state_id = ? and stream = ?",
        [rows[0]["state_id"], rows[0]["stream"]],
    )
    known = {name for (name,) in found}
    new = list({row[columns[0]]: row for row in rows if row[columns[0]] not in known}.values())
    marks = f"({', '.join('?' for _ in columns)})"
    for start in range(0, len(new), ROWS_PER_INSERT):
        chunk = new[start : start + ROWS_PER_INSERT]
        warehouse.execute(
            f"insert into {table} ({', '.join(columns)}) values {', '.join([marks] * len(chunk))}",
            [row[column] for row in chunk for column in columns],
        )


def row_of_change(
    names: tuple[str, str, str, str], run_id: str, at: str, *, updated: int = 0, deleted: int = 0
) -> dict[str, Any]:
    """Make a row of ``ops.loads`` for what was changed beside the loads.

    Args:
        names: State ID, schema of the warehouse, stream and table.
        run_id: Names the change.
        at: When, in ISO 8601.
        updated: Rows that changed.
        deleted: Rows that were marked as deleted.
    """
    state_id, target_schema, stream, table = names
    counts = {"ordinal": 0, "rows_inserted": 0, "rows_unchanged": 0, "rows_quarantined": 0}
    return dict.fromkeys(OPS_TABLES[LOADS]) | {
        **counts,
        "load_id": identity(state_id, stream, run_id, "updated" if updated else "deleted"),
        "run_id": run_id,
        "state_id": state_id,
        "target_schema": target_schema,
        "stream": stream,
        "table_name": table,
        "rows_updated": updated,
        "rows_deleted": deleted,
        "bytes": 0,
        "seconds": 0.0,
        "committed_at": at,
    }


def is_known(warehouse: Warehouse, table: Table, name: str) -> bool:
    """Say whether the table has a row of this identity."""
    identifier = next(iter(OPS_TABLES[table]))
    return bool(warehouse.execute(f"select 1 from {table} where {identifier} = ?", [name]))


def read_bookmarks(warehouse: Warehouse, state_id: str) -> dict[str, str]:
    """Read where each stream of a pipeline is: stream name to bookmark, JSON text."""
    rows = warehouse.execute(
        f"select stream, bookmark from {BOOKMARKS} where state_id = ?", [state_id]
    )
    return dict(rows)


def write_bookmark(warehouse: Warehouse, row: Mapping[str, Any]) -> None:
    """Put a stream's bookmark in the place of the one it had."""
    warehouse.execute(
        f"delete from {BOOKMARKS} where state_id = ? and stream = ?",
        [row["state_id"], row["stream"]],
    )
    warehouse.execute(
        f"insert into {BOOKMARKS} (state_id, stream, bookmark, run_id, committed_at) "
        "values (?, ?, ?, ?, ?)",
        [row[column] for column in OPS_TABLES[BOOKMARKS]],
    )
