"""Which rows and columns of a stream are compared, and as what, on both sides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watershed.exceptions import WatershedError
from watershed.proof.canonical import DuckDBDialect, PostgresDialect, is_comparable, row_text
from watershed.proof.sides import Side
from watershed_load_plan.duckdb_types import from_duckdb, quoted, to_duckdb
from watershed_load_plan.types import from_json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from watershed.proof.live import Snapshot
    from watershed_load_plan.types import ColumnType
    from watershed_tap.tables import KeyKind, Table

LEFT_OUT = "watershed_left_out"
"""Keys of rows that are compared on neither side."""


@dataclass(frozen=True)
class Stream:
    """A stream that was loaded, as the ledger has it.

    Attributes:
        state_id: Whose bookmark it has.
        name: For example ``shop-orders``.
        schema: Of the raw table.
        table: The raw table.
        bookmark: How far it was read.
    """

    state_id: str
    name: str
    schema: str
    table: str
    bookmark: Mapping[str, Any]

    @property
    def raw_table(self) -> str:
        """SQL of the raw table's name."""
        return f"{quoted(self.schema)}.{quoted(self.table)}"


@dataclass(frozen=True)
class Pair:
    """A stream's two sides.

    Attributes:
        raw_columns: Names of the raw table's columns.
        columns_left_out: Columns that have no common text, each with the reason.
        rows_left_out: Rows with a value that was set aside.
        late: SQL of the source: rows that an open transaction may have hidden from the load.
    """

    source: Side
    raw: Side
    raw_columns: frozenset[str]
    columns_left_out: tuple[str, ...]
    rows_left_out: int
    late: str | None


def pair(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, stream: Stream) -> Pair:
    """Put a stream's sides together.

    Raises:
        WatershedError: it cannot be compared; the text says why.
    """
    table = snapshot.tables.get(stream.name)
    if table is None:
        raise WatershedError("the source has no such table any more")
    raw_types = _raw_types(connection, stream)
    columns, left_out = _columns(raw_types, snapshot, stream, table)
    source, raw = _sides(connection, snapshot, stream, table, columns)
    late = None
    if key_name := stream.bookmark.get("replication_key"):
        if not raw.key:
            raise WatershedError("its rows have no key")
        since, late = _since(snapshot, stream, table, key_name)
        source = _narrowed(source, since)
    aside = _leave_out(connection, snapshot, stream, source, raw)
    if raw.key:
        literals = ", ".join(map(snapshot.dialect.literal, aside))
        source = _narrowed(source, f"{source.key_text} not in ({literals})" if aside else "")
        raw = _narrowed(raw, f"{raw.key_text} not in (select key from {LEFT_OUT})")
    return Pair(source, raw, frozenset(raw_types), tuple(left_out), len(aside), late)


def _raw_types(
    connection: duckdb.DuckDBPyConnection, stream: Stream
) -> dict[str, ColumnType | None]:
    described = connection.execute(
        f"select column_name, column_type from (describe {stream.raw_table})"
    ).fetchall()
    return {name: from_duckdb(of) for name, of in described}


def _columns(
    raw: Mapping[str, ColumnType | None], snapshot: Snapshot, stream: Stream, table: Table
) -> tuple[dict[str, tuple[ColumnType, ColumnType]], list[str]]:
    """Find the columns that both sides have: type at the source and in the warehouse."""
    hidden = snapshot.source.settings.privacy.of(stream.name)
    columns, left_out = {}, []
    for name, column in table.columns.items():
        if name.lower() not in raw or name in hidden:
            continue
        here, there = raw[name.lower()], from_json_schema(column.type.schema)
        if getattr(column.type.convert, "__name__", "") == "ewkb_hex":
            left_out.append(f"{name} is a geometry")
        elif here is None or not is_comparable(there, here):
            left_out.append(f"{name} is {there} at the source and {here} in the warehouse")
        else:
            columns[name] = there, here
    return columns, left_out


def _sides(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    stream: Stream,
    table: Table,
    columns: Mapping[str, tuple[ColumnType, ColumnType]],
) -> tuple[Side, Side]:
    if lacking := [name for name in table.key if name not in columns]:
        raise WatershedError(f"column {lacking[0]} of its key has another text on each side")
    there = {
        name: (snapshot.value(table.columns[name], of), of) for name, (of, _) in columns.items()
    }
    here = {name: (quoted(name.lower()), of) for name, (_, of) in columns.items()}
    source = Side(
        snapshot.dialect,
        snapshot.ask,
        f"{snapshot.quoted(table.schema)}.{snapshot.quoted(table.name)}",
        tuple(there.values()),
        tuple(there[name] for name in table.key),
        "1 = 1",
    )
    raw = Side(
        DuckDBDialect(has_bits=isinstance(snapshot.dialect, PostgresDialect)),
        lambda sql: connection.execute(sql).fetchall(),
        stream.raw_table,
        tuple(here.values()),
        tuple(here[name] for name in table.key),
        "_sdc_deleted_at is null",
    )
    return source, raw


def _narrowed(side: Side, condition: str) -> Side:
    if not condition:
        return side
    where = f"{side.where} and {condition}"
    return Side(side.dialect, side.ask, side.table, side.columns, side.key, where)


def _since(snapshot: Snapshot, stream: Stream, table: Table, key_name: str) -> tuple[str, str]:
    """SQL of the source: rows that the bookmark covers, and those just before it."""
    column = table.columns.get(key_name)
    if column is None or column.key_kind is None:
        raise WatershedError(f"the source has no replication key {key_name} any more")
    kind: KeyKind = column.key_kind
    name, value = snapshot.quoted(key_name), stream.bookmark["replication_key_value"]
    overlap = snapshot.overlap_seconds
    covered = f"{name} <= {snapshot.moment(kind, value)}"
    return covered, f"{name} >= {snapshot.moment(kind, value, overlap)}"


def _leave_out(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    stream: Stream,
    source: Side,
    raw: Side,
) -> list[str]:
    """Note the keys of rows that changed since the load, and of those with a value set aside.

    Returns:
        The latter.
    """
    connection.execute(f"create or replace temp table {LEFT_OUT} (key varchar)")
    if not raw.key:
        return []
    aside = _set_aside(connection, stream, raw)
    changed: list[str] = []
    if stream.bookmark.get("replication_key"):
        condition = source.where.removeprefix("1 = 1 and ")
        changed = [
            str(key)
            for (key,) in snapshot.ask(
                f"select {source.key_text} from {source.table} "
                f"where not coalesce({condition}, false)"
            )
        ]
    if keys := [*aside, *changed]:
        connection.execute(f"insert into {LEFT_OUT} select unnest(?)", [keys])
    return aside


def _set_aside(connection: duckdb.DuckDBPyConnection, stream: Stream, raw: Side) -> list[str]:
    names = [value for value, _ in raw.key]
    casts = ", ".join(
        f"try_cast(json_extract_string(record_key, '$.' || {DuckDBDialect().literal(name)}) "
        f"as {to_duckdb(of)}) as {name}"
        for name, of in raw.key
    )
    rows = connection.execute(
        f"select distinct {row_text(DuckDBDialect(), raw.key)} from (select {casts} "
        "from ops.quarantine where state_id = ? and stream = ? and record_key is not null) "
        f"where {' and '.join(f'{name} is not null' for name in names)}",
        [stream.state_id, stream.name],
    ).fetchall()
    return sorted(key for (key,) in rows)


def bookmark_of(text: str | None) -> dict[str, Any]:
    """Read a bookmark; what is no object tells nothing."""
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
