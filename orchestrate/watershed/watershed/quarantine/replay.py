"""Giving a cell the value that was set aside, once its column can hold it.

Only what the very load of the row set aside is taken: after another load, or when another value was
set aside since, the source may hold something else. A refresh of the stream brings that.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from watershed.raw_tables import columns_of
from watershed.sources import short_name
from watershed_load_plan import ledger
from watershed_load_plan.duckdb_types import quoted, to_duckdb
from watershed_load_plan.exact import exact
from watershed_load_plan.redshift_types import to_redshift
from watershed_load_plan.types import ColumnType, Kind
from watershed_target_redshift.limits import held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watershed.engine import Connection
    from watershed.quarantine.entries import Entry
    from watershed.raw_tables import Columns

LOADED = "loaded"
OUTDATED = "outdated"
"""Its row or column is gone, or its cell has a value by now."""
STAYS = "stays"


@dataclass(frozen=True)
class Replayed:
    """What became of an entry.

    Attributes:
        outcome: `loaded`, `outdated` or `stays`.
        why: Why it stays or is outdated.
    """

    entry: Entry
    outcome: str
    why: str | None = None


class Replay:
    """Replays into one warehouse; whoever calls it holds the transaction.

    Args:
        connection: The warehouse.
        is_redshift: Which engine it is.
    """

    def __init__(self, connection: Connection, *, is_redshift: bool) -> None:
        self._connection = connection
        self._is_redshift = is_redshift
        self._reader = duckdb.connect()
        self._reader.execute("set TimeZone = 'UTC'")
        self._types: dict[str, Columns] = {}
        self._at = datetime.now(UTC)

    def replay(self, entries: Sequence[Entry]) -> list[Replayed]:
        """Load what fits, and delete from ``ops.quarantine`` what is done."""
        found = [self._one(entry) for entry in entries]
        for one in found:
            if one.outcome != STAYS:
                self._connection.execute(
                    "delete from ops.quarantine where quarantine_id = ?", [one.entry.quarantine_id]
                )
        self._note(found)
        return found

    def _one(self, entry: Entry) -> Replayed:
        name = short_name(entry.stream)
        if entry.value is None:
            return Replayed(entry, STAYS, "its value was discarded")
        if entry.column_name is None or entry.record_key is None:
            what = "a whole row" if entry.column_name is None else "its stream has no key"
            return Replayed(entry, STAYS, f"{what}: mend it at the source, and refresh {name}")
        types = self._types_of(entry.target_schema, entry.table_name)
        key = {column.lower(): value for column, value in json.loads(entry.record_key).items()}
        column = entry.column_name
        if column not in types or not key.keys() <= types.keys():
            return Replayed(entry, OUTDATED, "its column is no more")
        if entry.reason.startswith(f"does not fit {ColumnType(Kind.TEXT)} exactly"):
            return Replayed(entry, STAYS, f"what is kept of a text may be a part: refresh {name}")
        value = self._converted(entry.value, types[column])
        keys = {
            part: self._converted(text if isinstance(text, str) else json.dumps(text), types[part])
            for part, text in key.items()
        }
        if value is None or None in keys.values():
            return Replayed(entry, STAYS, f"does not fit {types[column]} exactly")
        return self._give(entry, types, value, keys)

    def _give(
        self,
        entry: Entry,
        types: Mapping[str, ColumnType],
        value: str,
        keys: Mapping[str, str | None],
    ) -> Replayed:
        table = f"{quoted(entry.target_schema)}.{quoted(entry.table_name)}"
        cell = quoted(str(entry.column_name))
        where = " and ".join(f"{quoted(name)} = {self._parameter(types[name])}" for name in keys)
        rows = self._connection.execute(
            f"select {cell} is null, _sdc_batched_at from {table} where {where}",
            [*keys.values()],
        ).fetchall()
        if not rows:
            return Replayed(entry, OUTDATED, "its row is no more")
        if not all(is_null for is_null, _ in rows):
            return Replayed(entry, OUTDATED, "its cell has a value")
        if not entry.is_newest or any(at != entry.quarantined_at for _, at in rows):
            name = short_name(entry.stream)
            return Replayed(entry, STAYS, f"its source may hold another by now: refresh {name}")
        self._connection.execute(
            f"update {table} set {cell} = {self._parameter(types[str(entry.column_name)])}, "
            # Not the moment of its batch, by which its other cells are judged.
            f"_sdc_received_at = cast(? as timestamptz) where {where}",
            [value, self._at.isoformat(), *keys.values()],
        )
        return Replayed(entry, LOADED)

    def _converted(self, text: str, of: ColumnType) -> str | None:
        """Write a value as `_parameter` reads it; None where its column cannot hold it."""
        value = exact("given", of)
        fits = held("value", of) if self._is_redshift else None
        shown = "to_base64(value)" if of.kind is Kind.BINARY else "cast(value as varchar)"
        row = self._reader.execute(
            f"select {shown} from (select {value} as value from (select ? as given)) "
            f"where {fits or 'true'}",
            [text],
        ).fetchone()
        return None if row is None else row[0]

    def _parameter(self, of: ColumnType) -> str:
        if of.kind is Kind.BINARY:
            return "to_varbyte(?, 'base64')" if self._is_redshift else "from_base64(?)"
        if of.kind is Kind.JSON and self._is_redshift:
            return "json_parse(?)"
        return f"cast(? as {to_redshift(of) if self._is_redshift else to_duckdb(of)})"

    def _types_of(self, schema: str, table: str) -> Columns:
        name = f"{quoted(schema)}.{quoted(table)}"
        if name not in self._types:
            self._types[name] = columns_of(
                self._connection, schema, table, is_redshift=self._is_redshift
            )
        return self._types[name]

    def _note(self, found: Sequence[Replayed]) -> None:
        """Write what was loaded into ``ops.loads``, so that the next build sees it."""
        loaded = [one.entry for one in found if one.outcome == LOADED]
        streams = Counter((e.state_id, e.target_schema, e.stream, e.table_name) for e in loaded)
        columns = list(ledger.OPS_TABLES[ledger.LOADS])
        run_id = self._at.strftime("replay-%Y%m%dT%H%M%S.%fZ")
        for names, cells in streams.items():
            row = ledger.row_of_change(names, run_id, self._at.isoformat(), updated=cells)
            self._connection.execute(
                f"insert into {ledger.LOADS} ({', '.join(columns)}) "
                f"values ({', '.join('?' * len(columns))})",
                [row[column] for column in columns],
            )
