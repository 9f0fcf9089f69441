"""INCREMENTAL replication: which rows to read, and how far that brought the stream.

A bookmark is the largest value of the replication key that was read and that does not lie in the
source's future. So one row dated 2099 cannot hide every change until then; it is only read again
by each run. The tap's own clock takes no part, and a bookmark never goes back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

from watershed_tap_postgres.exceptions import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from watershed_tap_postgres.tables import Table

BookmarkValue = int | str

INTEGERS = frozenset({"int2", "int4", "int8"})
TIMES = frozenset({"timestamptz", "timestamp", "date"})


@dataclass(frozen=True, slots=True)
class ReplicationKey:
    """The column that says when, or in which order, a row was last changed.

    Attributes:
        place: source and stream, for error texts.
        is_sortable: an index gives the rows in its order.
    """

    place: str
    name: str
    builtin_type: str
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
                f"{place}: its replication key {name!r} does not exist, or the role may "
                "not read it: correct replication-key, or grant select on the column"
            )
        if column.builtin_type not in INTEGERS | TIMES:
            raise SetupError(
                f"{place}: replication key {name!r} is of type {column.declared_type}, "
                "which does not tell what is newer: choose a timestamp, date or integer column, "
                "or replicate the stream as FULL_TABLE"
            )
        return cls(place, name, column.builtin_type, column.leads_an_index)

    def read_bookmark(self, value: object) -> BookmarkValue:
        """Check a bookmark that came from outside, and write it in the one format we compare in.

        Raises:
            SetupError: it is no value of the key's type.
        """
        readers: dict[str, Callable[[str], BookmarkValue]] = {
            "date": lambda text: dt.datetime.fromisoformat(text).date().isoformat(),
            "timestamp": lambda text: _utc(text).replace(tzinfo=None).isoformat(timespec=_MICRO),
            "timestamptz": lambda text: _utc(text).isoformat(timespec=_MICRO),
        }
        try:
            return readers.get(self.builtin_type, int)(str(value))
        except ValueError as error:
            raise SetupError(
                f"{self.place}: its bookmark {value!r} is no {self.builtin_type} as "
                f"{self.name!r} needs it: correct the state, or remove this stream from it to "
                "read the table anew (meltano state get, set)"
            ) from error

    def not_before(self, bookmark: BookmarkValue, overlap_seconds: int) -> sql.Composed:
        """SQL: what changed since the bookmark, and what may have been committed late before it.

        Keys that count rather than tell the time have no overlap.
        """
        column = sql.Identifier(self.name)
        if self.builtin_type in INTEGERS:
            return sql.SQL("{} >= {}").format(column, sql.Literal(bookmark))
        return sql.SQL("{} >= ({}::{} - {} * interval '1 second')::{}").format(
            column,
            sql.Literal(bookmark),
            sql.SQL(self.builtin_type),
            sql.Literal(overlap_seconds),
            sql.SQL(self.builtin_type),
        )

    def never_covered(self) -> sql.Composed:
        """SQL: rows that no bookmark ever covers, and that each run therefore reads."""
        column = sql.Identifier(self.name)
        if self.builtin_type in INTEGERS:
            return sql.SQL("{} is null").format(column)
        return sql.SQL("({0} is null or {0} = '-infinity')").format(column)


class Bookmark:
    """How far a stream has got.

    Args:
        value: where the last run ended; ``None`` if there was none.
        now: the source's clock as a value of the key; ``None`` if the key does not tell the time.
    """

    def __init__(self, value: BookmarkValue | None, now: str | None) -> None:
        self.value = value
        self.is_future_seen = False
        self._now = now

    def see(self, value: BookmarkValue | None) -> None:
        """Move on to the key of a row just sent, unless it lies behind, or in the future."""
        if value is None or (self.value is not None and value <= self.value):  # type: ignore[operator]  # one key has one type
            return
        if self._now is not None and (len(value) != len(self._now) or value > self._now):  # type: ignore[arg-type,operator]  # only text has a `now`
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
        "timestamptz": utc.isoformat(timespec=_MICRO),
        "timestamp": latest_wall_clock.isoformat(timespec=_MICRO),
        "date": latest_wall_clock.date().isoformat(),
    }.get(key.builtin_type)


def _utc(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC)
