"""Tables as Redshift's catalog has them, and the DDL that makes and widens them.

Each statement is a transaction of its own, or a short one: Redshift alters a VARCHAR in no other,
and what is altered while a load's transaction runs would end that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watershed_load_plan.duckdb_types import quoted
from watershed_load_plan.ledger import OPS_TABLES
from watershed_load_plan.redshift_types import (
    LARGEST_VARCHAR,
    from_redshift,
    to_redshift,
)
from watershed_load_plan.tables import Table
from watershed_load_plan.types import INTEGER_DIGITS, ColumnType, Kind
from watershed_redshift import RedshiftError
from watershed_target_redshift.layouts import AUTO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watershed_redshift import RedshiftConnection
    from watershed_target_redshift.layouts import Layout

VARCHAR_SIZES = (256, 1024, 4096, 16384, LARGEST_VARCHAR)
"""Bytes; a column grows in steps, so that it is not altered for each longer value."""

TYPES_THAT_SUPER_TAKES = {Kind.BOOLEAN, Kind.DOUBLE, Kind.DECIMAL, *INTEGER_DIGITS}


class Catalog:
    """The tables of a database.

    Args:
        connection: The session; outside of a transaction.
        layouts: How the rows of new tables lie.
    """

    def __init__(self, connection: RedshiftConnection, layouts: Mapping[Table, Layout]) -> None:
        self._connection = connection
        self._layouts = layouts
        self._known: dict[Table, list[tuple[Any, ...]]] = {}

    def columns(self, table: Table) -> dict[str, ColumnType] | None:
        """Tell the columns of a table in their order, None when there is none."""
        return {name: from_redshift(*of) for name, *of in self._described(table)} or None

    def text_sizes(self, table: Table) -> dict[str, int]:
        """Tell how many bytes each text column of a table holds."""
        texts = {"character varying", "varchar"}
        return {name: int(n) for name, of, n, *_ in self._described(table) if of.lower() in texts}

    def forget(self) -> None:
        """Read anew what others, or statements that did not come from here, may have changed."""
        self._known = {}

    def _described(self, table: Table) -> list[tuple[Any, ...]]:
        if table not in self._known:
            self._known[table] = self._connection.execute(
                "select column_name, data_type, character_maximum_length, numeric_precision, "
                "numeric_scale from svv_columns where table_schema = ? and table_name = ? "
                "order by ordinal_position",
                [table.schema, table.name],
            )
        return self._known[table]

    def _change(self, table: Table, statement: str) -> None:
        self._known.pop(table, None)
        self._connection.execute(statement)

    def create(self, table: Table, columns: Mapping[str, ColumnType]) -> None:
        """Create a table and its schema, unless another run does so at the same moment."""
        size = LARGEST_VARCHAR if table in OPS_TABLES else VARCHAR_SIZES[0]
        listed = ", ".join(f"{quoted(name)} {_native(of, size)}" for name, of in columns.items())
        base = Table(table.schema, table.name.removesuffix("__incoming"))
        layout = self._layouts.get(base, AUTO)
        layout.check(columns)
        for is_last in (False, True):
            try:
                self._connection.execute(f"create schema if not exists {quoted(table.schema)}")
                self._change(table, f"create table {name_of(table)} ({listed}) {layout.clauses()}")
            except RedshiftError:
                self.forget()
                if self.columns(table) is not None:
                    return
                if is_last:
                    raise
            else:
                return

    def add_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Add a column."""
        of = _native(column_type, VARCHAR_SIZES[0])
        self._change(table, f"alter table {name_of(table)} add column {quoted(column)} {of}")

    def grow_text(self, table: Table, column: str, size: int) -> None:
        """Let a text column hold so many bytes."""
        larger = next(step for step in VARCHAR_SIZES if step >= size)
        self._change(
            table,
            f"alter table {name_of(table)} alter column {quoted(column)} type varchar({larger})",
        )

    def change_type(self, table: Table, column: str, wider: ColumnType) -> None:
        """Give a column another type: a new one takes its values and then its name.

        Redshift alters no other type than VARCHAR.
        """
        current = (self.columns(table) or {})[column]
        target, new = name_of(table), quoted(f"{column}__wider")
        value = quoted(column)
        if wider.kind is Kind.JSON and current.kind not in TYPES_THAT_SUPER_TAKES:
            value = f"cast({value} as varchar)"
        statements = (
            f"alter table {target} add column {new} {to_redshift(wider)}",
            f"update {target} set {new} = cast({value} as {to_redshift(wider)})",
            f"alter table {target} drop column {quoted(column)}",
            f"alter table {target} rename column {new} to {quoted(column)}",
        )
        self._connection.begin()
        try:
            for statement in statements:
                self._change(table, statement)
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise


def name_of(table: Table) -> str:
    """Write a table's name, quoted."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _native(column_type: ColumnType, text_size: int) -> str:
    if column_type.kind is Kind.TEXT:
        return f"varchar({text_size})"
    return to_redshift(column_type)
