"""The SQL that reads a stream: the one place where it is decided what is selected, and how."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from watershed_tap.tables import KeyKind
from watershed_tap_mysql.tables import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from watershed_tap.replication import BookmarkValue, ReplicationKey
    from watershed_tap.tables import Column, Table


def select_all(table: Table, columns: Iterable[Column]) -> str:
    """Read these columns of every row, each written as its :class:`ColumnType` says."""
    expressions = [column.type.expression.format(quoted(column.name)) for column in columns]
    return f"select {', '.join(expressions)} from {quoted(table.schema)}.{quoted(table.name)}"


def select_pass(
    table: Table, columns: Iterable[Column], key: Sequence[str], after: Sequence[str]
) -> str:
    """Read every row in the order of its key, which is of integers.

    Args:
        table: what to read.
        columns: what of it.
        key: the key's columns.
        after: the key of the last row that is not to be read again; empty for all rows.
    """
    names = [quoted(name) for name in key]
    statement = select_all(table, columns)
    if after:
        # Rows cannot be compared as such: the server would look at all of them.
        later = ""
        for name, value in reversed(list(zip(names, map(int, after), strict=True))):
            ties = f" or ({name} = {value} and {later})" if later else ""
            later = f"({name} > {value}{ties})"
        statement += f" where {names[0]} >= {int(after[0])} and {later}"
    return f"{statement} order by {', '.join(names)}"


def select_since(
    table: Table,
    columns: Iterable[Column],
    key: ReplicationKey,
    bookmark: BookmarkValue | None,
    overlap_seconds: int,
) -> list[str]:
    """Read what is new since ``bookmark``, or everything if there is none.

    With an index on the key the rows come in its order, so that each of them is a point to resume
    from; rows without a key come before them. Without one the table is scanned once.

    Returns:
        Statements to run one after the other.
    """
    every_row = select_all(table, columns)
    never_covered = _never_covered(key)
    since = f"not {never_covered}"
    if bookmark is not None:
        since = f"{quoted(key.name)} >= {_lowest(key, bookmark, overlap_seconds)}"
    if key.is_sortable:
        return [
            f"{every_row} where {never_covered}",
            f"{every_row} where {since} order by {quoted(key.name)}",
        ]
    if bookmark is None:
        return [every_row]
    return [f"{every_row} where {never_covered} or {since}"]


def _lowest(key: ReplicationKey, bookmark: BookmarkValue, overlap_seconds: int) -> str:
    """SQL: the bookmark, less the time in which something may have been committed late before it.

    Keys that count rather than tell the time have no overlap.
    """
    if key.kind is KeyKind.INTEGER:
        return str(int(bookmark))
    moment = dt.datetime.fromisoformat(str(bookmark)).replace(tzinfo=None)
    moment -= min(dt.timedelta(seconds=overlap_seconds), moment - dt.datetime.min)  # noqa: DTZ901  # the session's zone is UTC
    if key.kind is KeyKind.DATE:
        return f"'{moment.date()}'"
    return f"'{moment.isoformat(sep=' ', timespec='microseconds')}'"


def _never_covered(key: ReplicationKey) -> str:
    """SQL: rows that no bookmark ever covers, and that each run therefore reads."""
    column = quoted(key.name)
    if key.kind is KeyKind.INTEGER:
        return f"({column} is null)"
    return f"({column} is null or {column} < '0001-01-01')"
