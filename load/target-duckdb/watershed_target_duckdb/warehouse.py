"""DuckDB's dialect of the load plan."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import duckdb

from watershed_duckdb import connect
from watershed_load_plan.conform import STAGE
from watershed_load_plan.duckdb_types import from_duckdb, quoted, to_duckdb
from watershed_load_plan.exact import as_json
from watershed_load_plan.tables import METADATA_COLUMNS
from watershed_load_plan.types import ColumnType, Kind
from watershed_load_plan.warehouse import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from watershed_load_plan.tables import Table

_CHANGED = "watershed_changed"
_TRIED_IN_VAIN = "dictionary,alp,alprd"
"""Ways to compress that DuckDB need not try: a fifth of a load's work, for a hundredth of bytes."""


class DuckDBWarehouse:
    """A DuckDB file, open only while a transaction runs, so that others get their turn.

    Args:
        path: The file.
        wait_seconds: How long a transaction waits for another process to release the file.
        threads: How many work on a transaction.
    """

    def __init__(self, path: Path, *, wait_seconds: float, threads: int) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._threads = threads
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """The connection itself: DuckDB reads the batches where they are stored."""
        if self._connection is None:
            raise RuntimeError("the warehouse is used outside of a transaction")
        return self._connection

    @property
    def stages_ahead(self) -> bool:
        """No: a stage is read where its files lie, within the transaction."""
        return False

    @property
    def longest_text(self) -> None:
        """None: a text may have any length."""

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Open the file, waiting for its lock; one transaction, committed at the end; close.

        Raises:
            WarehouseLockedError: another process kept the file.
        """
        with connect(self._path, wait_seconds=self._wait_seconds) as connection:
            self._connection = connection
            self.execute("set threads = ?", [self._threads])
            self.execute("set disabled_compression_methods = ?", [_TRIED_IN_VAIN])
            connection.begin()
            try:
                yield
                connection.commit()
            except BaseException:
                with contextlib.suppress(Exception):  # the first error says more
                    connection.rollback()
                raise
            finally:
                self._connection = None

    def transact(self, work: Callable[[], None]) -> None:
        """Do work: the session is its transaction, and nobody else has the file."""
        work()

    def close(self) -> None:
        """Do nothing: the file is closed after each commit."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        return self.engine.execute(sql, parameters).fetchall()

    def quoted(self, table: Table) -> str:
        """Write a table's name, quoted."""
        return f"{quoted(table.schema)}.{quoted(table.name)}"

    def columns(self, table: Table) -> dict[str, ColumnType] | None:
        """Read the columns of a table; a type that is none of ours counts as text."""
        try:
            rows = self.execute(f"describe {self.quoted(table)}")
        except duckdb.CatalogException:
            return None
        return {
            name: from_duckdb(type_name) or ColumnType(Kind.TEXT) for name, type_name, *_ in rows
        }

    def create(self, table: Table, columns: Mapping[str, ColumnType]) -> None:
        """Create a table and its schema."""
        listed = ", ".join(f"{quoted(name)} {to_duckdb(of)}" for name, of in columns.items())
        self.execute(f"create schema if not exists {quoted(table.schema)}")
        self.execute(f"create table {self.quoted(table)} ({listed})")

    def add_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Add a column."""
        of = to_duckdb(column_type)
        self.execute(f"alter table {self.quoted(table)} add column {quoted(column)} {of}")

    def widen_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Change a column's type."""
        of, name = to_duckdb(column_type), quoted(column)
        value = name
        if column_type.kind is Kind.JSON:
            value = as_json(name, (self.columns(table) or {})[column])
        self.execute(
            f"alter table {self.quoted(table)} alter column {name} type {of} using {value}"
        )

    def fits(self, value: str, column_type: ColumnType) -> None:
        """Hold every value of every type of ours."""

    def stage(self, table: Table, columns: Sequence[str]) -> str:
        """Leave the stage where it is."""
        del table, columns
        return STAGE

    def append(self, table: Table, columns: Sequence[str], stage: str) -> Changes:
        """Insert the stage."""
        return Changes(inserted=self._insert(table, columns, stage))

    def merge(
        self, table: Table, columns: Sequence[str], stage: str, keys: Sequence[str]
    ) -> Changes:
        """Delete-and-insert the rows of the stage that are new or different."""
        target = self.quoted(table)
        span = self._span(keys[0])
        if not self._is_any_present(target, keys, span):
            return Changes(inserted=self._insert(table, columns, stage))
        on_keys = " and ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in keys)
        data = [quoted(name) for name in columns if name not in METADATA_COLUMNS]
        differs = " or ".join(f"old.{name} is distinct from new.{name}" for name in data)
        self.execute(
            f"create or replace temp table {_CHANGED} as select new.*, "
            f"old.{quoted(keys[0])} is not null as is_present, "
            "old._sdc_deleted_at is null and new._sdc_deleted_at is not null as is_deleted "
            f"from {stage} as new left join (from {target} where {span}) as old on {on_keys} "
            f"where old.{quoted(keys[0])} is null or {differs} "
            "or old._sdc_deleted_at is distinct from new._sdc_deleted_at"
        )
        self.execute(f"delete from {target} as old using {_CHANGED} as new where {on_keys}")
        self._insert(table, columns, _CHANGED)
        self._carry_version(target, f"{on_keys} and old.{span}")
        ((staged, changed, present, deleted),) = self.execute(
            f"select (select count(*) from {stage}), count(*), count(*) filter (is_present), "
            f"count(*) filter (is_deleted) from {_CHANGED}"
        )
        self.execute(f"drop table {_CHANGED}")
        return Changes(
            inserted=changed - present,
            updated=present - deleted,
            unchanged=staged - changed,
            deleted=deleted,
        )

    def _span(self, key: str) -> str:
        """SQL that is true for rows whose key may be among the stage's.

        Rows lie in the order they came in, and DuckDB passes over blocks of others; so the cost of
        a batch does not grow with the table where keys are counted up.
        """
        column = quoted(key)
        for name, bound in (("low", "min"), ("high", "max")):
            self.execute(f"set variable watershed_{name} = (select {bound}({column}) from {STAGE})")
        low, high = "getvariable('watershed_low')", "getvariable('watershed_high')"
        return f"{column} between {low} and {high}"

    def _is_any_present(self, target: str, keys: Sequence[str], span: str) -> bool:
        """Whether the table has a row of a key that is in the stage."""
        if not self.execute(f"select 1 from {target} where {span} limit 1"):
            return False
        listed = ", ".join(quoted(key) for key in keys)
        return bool(
            self.execute(
                f"select 1 from (select {listed} from {target} where {span}) as old "
                f"semi join {STAGE} as new using ({listed}) limit 1"
            )
        )

    def _carry_version(self, target: str, on_keys: str) -> None:
        """Give rows that did not change the table version that brought them again."""
        self.execute(
            f"update {target} as old set _sdc_table_version = new._sdc_table_version "
            f"from {STAGE} as new where {on_keys} and new._sdc_table_version is not null "
            "and old._sdc_table_version is distinct from new._sdc_table_version"
        )

    def drop_other_versions(self, table: Table, version: int) -> None:
        """Delete the rows of other versions."""
        self.execute(
            f"delete from {self.quoted(table)} where _sdc_table_version is distinct from ?",
            [version],
        )

    def delete_older_versions(self, table: Table, version: int, at: str) -> Changes:
        """Mark the rows of older versions as deleted at a time."""
        ((deleted,),) = self.execute(
            f"update {self.quoted(table)} set _sdc_deleted_at = ?::timestamptz "
            "where _sdc_deleted_at is null and coalesce(_sdc_table_version, -1) < ?",
            [at, version],
        )
        return Changes(deleted=deleted)

    def replace(self, table: Table, columns: Sequence[str]) -> Changes:
        """Make the incoming table the table, or leave it where both hold the same rows."""
        old, new = self.quoted(table), self.quoted(table.incoming)
        present = [name for name in self.columns(table) or {} if name not in METADATA_COLUMNS]
        arrived = [name for name in columns if name not in METADATA_COLUMNS]
        ((rows,),) = self.execute(f"select count(*) from {new}")
        if sorted(present) == sorted(arrived):
            inserted = self._surplus(new, old, arrived)
            deleted = self._surplus(old, new, arrived)
        else:
            ((deleted,),) = self.execute(f"select count(*) from {old}")
            inserted = rows
        if inserted or deleted:
            self.execute(f"drop table {old}")
            self.execute(f"alter table {new} rename to {quoted(table.name)}")
        else:
            self.execute(
                f"update {old} set _sdc_table_version = (select max(_sdc_table_version) from {new})"
            )
            self.execute(f"drop table {new}")
        return Changes(inserted=inserted, deleted=deleted, unchanged=rows - inserted)

    def _surplus(self, left: str, right: str, columns: Sequence[str]) -> int:
        """Count rows that one table has more often than the other."""
        listed = ", ".join(quoted(name) for name in columns) or "1"
        ((count,),) = self.execute(
            f"select count(*) from "
            f"(select {listed} from {left} except all select {listed} from {right})"
        )
        return int(count)

    def _insert(self, table: Table, columns: Sequence[str], source: str) -> int:
        listed = ", ".join(quoted(name) for name in columns)
        ((count,),) = self.execute(
            f"insert into {self.quoted(table)} ({listed}) select {listed} from {source}"
        )
        return int(count)
