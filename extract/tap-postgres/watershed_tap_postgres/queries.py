"""The SQL that reads a stream: the one place where it is decided what is selected, and how.

Both paths out of the source need it: RECORDs (``stream.py``), and files of whole batches, which
hand the same statements to another engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

from watershed_tap.tables import KeyKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from watershed_tap.replication import BookmarkValue, ReplicationKey
    from watershed_tap.tables import Column, Table


def select_all(table: Table, columns: Iterable[Column]) -> sql.Composed:
    """Read these columns of every row, each written as its :class:`ColumnType` says."""
    expressions = [
        sql.SQL(column.type.expression).format(sql.Identifier(column.name)) for column in columns
    ]
    return sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(expressions), sql.Identifier(table.schema, table.name)
    )


def select_since(
    table: Table,
    columns: Iterable[Column],
    key: ReplicationKey,
    bookmark: BookmarkValue | None,
    overlap_seconds: int,
) -> list[sql.Composed]:
    """Read what is new since ``bookmark``, or everything if there is none.

    With an index on the key the rows come in its order, so that each of them is a point to resume
    from; rows without a key come before them. Without one the table is scanned once.

    Returns:
        Statements to run one after the other.
    """
    every_row = select_all(table, columns)
    conditions = [_never_covered(key)]
    if bookmark is not None:
        conditions.append(_not_before(key, bookmark, overlap_seconds))
    elif key.is_sortable:
        conditions.append(sql.SQL("not {}").format(_never_covered(key)))
    if key.is_sortable:
        without_key, with_key = (
            every_row + sql.SQL(" where ") + condition for condition in conditions
        )
        return [without_key, with_key + sql.SQL(" order by {}").format(sql.Identifier(key.name))]
    if bookmark is None:
        return [every_row]
    return [every_row + sql.SQL(" where ") + sql.SQL(" or ").join(conditions)]


def _not_before(key: ReplicationKey, bookmark: BookmarkValue, overlap_seconds: int) -> sql.Composed:
    """SQL: what changed since the bookmark, and what may have been committed late before it.

    Keys that count rather than tell the time have no overlap.
    """
    column = sql.Identifier(key.name)
    if key.kind is KeyKind.INTEGER:
        return sql.SQL("{} >= {}").format(column, sql.Literal(bookmark))
    return sql.SQL("{} >= ({}::{} - {} * interval '1 second')::{}").format(
        column,
        sql.Literal(bookmark),
        sql.SQL(key.kind),
        sql.Literal(overlap_seconds),
        sql.SQL(key.kind),
    )


def _never_covered(key: ReplicationKey) -> sql.Composed:
    """SQL: rows that no bookmark ever covers, and that each run therefore reads."""
    column = sql.Identifier(key.name)
    if key.kind is KeyKind.INTEGER:
        return sql.SQL("{} is null").format(column)
    return sql.SQL("({0} is null or {0} = '-infinity')").format(column)
