"""INCREMENTAL replication: which rows to read, and how far that brought the stream.

A bookmark is the largest value of the replication key that was read and that does not lie in the
source's future. So one row dated 2099 cannot hide every change until then; it is only read again
by each run. The tap's own clock takes no part, and a bookmark never goes back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_tap.exceptions import SetupError
from watershed_tap.tables import KeyKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watershed_bulk.writer import BatchWriter
    from watershed_tap.tables import Table

BookmarkValue = int | str


@dataclass(frozen=True, slots=True)
class ReplicationKey:
    """The column that says when, or in which order, a row was last changed.

    Attributes:
        place: source and stream, for error texts.
        is_sortable: an index gives the rows in its order.
    """

    place: str
    name: str
    kind: KeyKind
    is_sortable: bool

    @classmethod
    def of(cls, table: Table, name: str | None, place: str) -> ReplicationKey:
        """Find the replication key of a table.

        Raises:
            SetupError: there is no such column, or its values do not grow with time.
        """
        if not name:
            raise SetupError(
                f"{place}: it is INCREMENTAL without a replication key: set "
                "replication-key in its metadata, or replicate it as FULL_TABLE"
            )
        column = table.columns.get(name)
        if column is None:
            raise SetupError(
                f"{place}: its replication key {name!r} does not exist, or the user may "
                "not read it: correct replication-key, or grant select on the column"
            )
        if column.key_kind is None:
            raise SetupError(
                f"{place}: replication key {name!r} is of type {column.declared_type}, "
                "which does not tell what is newer: choose a timestamp, date or integer column, "
                "or replicate the stream as FULL_TABLE"
            )
        return cls(place, name, column.key_kind, column.leads_an_index)

    def read_bookmark(self, value: object) -> BookmarkValue:
        """Check a bookmark that came from outside, and write it in the one format we compare in.

        Raises:
            SetupError: it is no value of the key's type.
        """
        readers: dict[KeyKind, Callable[[str], BookmarkValue]] = {
            KeyKind.INTEGER: int,
            KeyKind.DATE: lambda text: dt.datetime.fromisoformat(text).date().isoformat(),
            KeyKind.TIMESTAMP: _naive_utc,
            KeyKind.TIMESTAMPTZ: lambda text: _utc(text).isoformat(timespec=_MICRO),
        }
        try:
            return readers[self.kind](str(value))
        except ValueError as error:
            raise SetupError(
                f"{self.place}: its bookmark {value!r} is no {self.kind} as "
                f"{self.name!r} needs it: correct the state, or remove this stream from it to "
                "read the table anew (meltano state get, set)"
            ) from error

    def read_found(self, text: str) -> BookmarkValue | None:
        """Read what DuckDB wrote; ``None`` for what no bookmark says, as ``infinity``."""
        try:
            return self.read_bookmark(text)
        except SetupError:
            return None


class Bookmark:
    """How far a stream has got.

    Args:
        value: where the last run ended; ``None`` if there was none.
        now: the source's clock as a value of the key; ``None`` if the key does not tell the time.
    """

    def __init__(self, value: BookmarkValue | None, now: str | None) -> None:
        self.value = value
        self.is_future_seen = False
        self.now = now

    def see(self, value: BookmarkValue | None) -> None:
        """Move on to the key of a row just sent, unless it lies behind, or in the future."""
        if value is None or (self.value is not None and value <= self.value):  # type: ignore[operator]  # one key has one type
            return
        if self.now is not None and (len(value) != len(self.now) or value > self.now):  # type: ignore[arg-type,operator]  # only text has a `now`
            self.is_future_seen = True
            return
        self.value = value


_MICRO = "microseconds"


def source_now(key: ReplicationKey, utc: dt.datetime) -> str | None:
    """The source's clock in the format of the key's values.

    A key without a zone may hold the wall clock of any place, so it is compared with the latest
    there is, 14 hours ahead of UTC.
    """
    latest_wall_clock = utc.replace(tzinfo=None) + dt.timedelta(hours=14)
    return {
        KeyKind.TIMESTAMPTZ: utc.isoformat(timespec=_MICRO),
        KeyKind.TIMESTAMP: latest_wall_clock.isoformat(timespec=_MICRO),
        KeyKind.DATE: latest_wall_clock.date().isoformat(),
    }.get(key.kind)


_DUCKDB_TYPES = {
    KeyKind.INTEGER: "hugeint",
    KeyKind.DATE: "date",
    KeyKind.TIMESTAMP: "timestamp",
    KeyKind.TIMESTAMPTZ: "timestamptz",
}


def latest_values(
    writer: BatchWriter, path: Path, key: ReplicationKey, now: str | None
) -> list[BookmarkValue]:
    """Find the values of a file that may move a bookmark: the largest, and that before ``now``.

    Args:
        writer: which wrote the file.
        path: of the file.
        key: the replication key.
        now: as :func:`source_now` gives it.

    Returns:
        Up to two values, in the format that bookmarks are compared in; the larger first.
    """
    kind = _DUCKDB_TYPES[key.kind]
    column = '"' + key.name.replace('"', '""') + '"'
    value = f"try_cast({column} as {kind})"
    bound = f"case when {value} <= {kind} '{now}' then {value} end" if now else value
    texts = ", ".join(f"cast(max({expression}) as varchar)" for expression in (value, bound))
    [found] = writer.query(f"select {texts} from read_parquet(?)", [str(path)])
    values = [key.read_found(text) for text in dict.fromkeys(found) if text is not None]
    return [value for value in values if value is not None]


def _naive_utc(text: str) -> str:
    return _utc(text).replace(tzinfo=None).isoformat(timespec=_MICRO)


def _utc(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC)
