"""The SQL that reads a stream: the one place where it is decided what is selected, and how.

Both paths out of the source need it: RECORDs and files differ in how columns are written, not in
which rows are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

from watershed_tap.tables import KeyKind

SPECIAL = "watershed_special"

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


def select_for_files(table: Table, columns: Iterable[Column]) -> sql.Composed:
    """Read these columns of every row in the forms in which files get them.

    Fields are ``c0``, ``c1``, …; behind them stands :data:`SPECIAL`, which is NULL but in rows
    that have a value whose binary form does not arrive: there it is a JSON array of texts, those
    of all columns that have such values.
    """
    columns = list(columns)
    fields = [
        _filled(column.type.bulk.expression, column.name) + sql.SQL(f" as c{position}")
        for position, column in enumerate(columns)
    ]
    risky = [column for column in columns if column.type.bulk.is_special]
    if risky:
        tests = [_filled(column.type.bulk.is_special or "", column.name) for column in risky]
        texts = [_filled(column.type.bulk.special, column.name) for column in risky]
        fields.append(
            sql.SQL("case when {} then to_json(array[{}])::text end as {}").format(
                sql.SQL(" or ").join(tests), sql.SQL(", ").join(texts), sql.SQL(SPECIAL)
            )
        )
    return sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(fields), sql.Identifier(table.schema, table.name)
    )


def select_pass(
    table: Table, columns: Iterable[Column], key: Iterable[Column], after: list[str] | None
) -> sql.Composed:
    """Read every row whose key comes after one, in the key's order."""
    statement = select_for_files(table, columns)
    key = list(key)
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in key)
    if after is not None:
        values = sql.SQL(", ").join(
            sql.Literal(text) + sql.SQL("::" + column.declared_type)
            for text, column in zip(after, key, strict=True)
        )
        statement += sql.SQL(" where ({}) > ({})").format(names, values)
    return statement + sql.SQL(" order by {}").format(names)


def _filled(expression: str, column: str) -> sql.Composed:
    return sql.SQL(expression.replace("{}", "{0}")).format(sql.Identifier(column))


def select_since(
    every_row: sql.Composed,
    key: ReplicationKey,
    bookmark: BookmarkValue | None,
    overlap_seconds: int,
) -> list[sql.Composed]:
    """Narrow ``every_row`` to what is new since ``bookmark``; to everything if there is none.

    With an index on the key the rows come in its order, so that each of them is a point to resume
    from; rows without a key come before them. Without one the table is scanned once.

    Returns:
        Statements to run one after the other.
    """
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
