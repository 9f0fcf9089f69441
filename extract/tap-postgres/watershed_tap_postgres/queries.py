"""The SQL that reads a stream: the one place where it is decided what is selected, and how.

Both paths out of the source need it: RECORDs (``stream.py``), and files of whole batches, which
hand the same statements to another engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from watershed_tap_postgres.replication import BookmarkValue, ReplicationKey
    from watershed_tap_postgres.tables import Column, Table


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
    conditions = [key.never_covered()]
    if bookmark is not None:
        conditions.append(key.not_before(bookmark, overlap_seconds))
    elif key.is_sortable:
        conditions.append(sql.SQL("not {}").format(key.never_covered()))
    if key.is_sortable:
        without_key, with_key = (
            every_row + sql.SQL(" where ") + condition for condition in conditions
        )
        return [without_key, with_key + sql.SQL(" order by {}").format(sql.Identifier(key.name))]
    if bookmark is None:
        return [every_row]
    return [every_row + sql.SQL(" where ") + sql.SQL(" or ").join(conditions)]
