"""Redshift's dialect of the load plan."""

from __future__ import annotations

import contextlib
import logging
import random
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from watershed_load_plan.duckdb_types import literal, quoted
from watershed_load_plan.redshift_types import LARGEST_VARCHAR
from watershed_load_plan.tables import METADATA_COLUMNS
from watershed_load_plan.warehouse import Changes
from watershed_redshift import ConflictError, ConnectionLostError, RedshiftError
from watershed_target_redshift import load_errors, statements
from watershed_target_redshift.catalog import Catalog, name_of
from watershed_target_redshift.exceptions import StagingError
from watershed_target_redshift.export import (
    PARQUET,
    export,
    is_loadable,
    is_parquet,
)
from watershed_target_redshift.limits import held
from watershed_target_redshift.stage import (
    Stage,
    constants_of,
    find_empty,
    measured,
    opened_engine,
    stage_types,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from watershed_load_plan.tables import Table
    from watershed_load_plan.types import ColumnType
    from watershed_redshift import RedshiftConnection
    from watershed_target_redshift.settings import LoadSettings
    from watershed_target_redshift.staging import Staging

logger = logging.getLogger(__name__)

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5


class RedshiftWarehouse:
    """A database of Redshift, one session for a run.

    Args:
        connection: The session, not yet opened.
        staging: The run's folder in S3.
        folder: Where files lie until they are uploaded; this run's own.
        settings: How rows are loaded.
    """

    stages_ahead = True
    """Yes: an upload takes long, and Redshift alters a VARCHAR outside of transactions only."""

    longest_text = LARGEST_VARCHAR

    def __init__(
        self,
        connection: RedshiftConnection,
        staging: Staging,
        folder: Path,
        settings: LoadSettings,
    ) -> None:
        self._connection = connection
        self._staging = staging
        self._folder = folder
        self._settings = settings
        self._catalog = Catalog(connection, settings.layouts)
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._uploads: ThreadPoolExecutor | None = None
        self._expected: dict[tuple[Path, ...], Future[str]] = {}
        self._stages: dict[str, Stage] = {}
        self._tables: set[Table] = set()
        self._changed: set[Table] = set()
        self._renamed: dict[Table, Table] = {}

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB in memory, which ends with the session."""
        if self._engine is None:
            raise RuntimeError("the warehouse is used outside of a session")
        return self._engine

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Connect, or see that we are; in the end remove what was staged.

        Raises:
            RedshiftError: Redshift lets us not in.
        """
        try:
            self._connection.ensure()
            self._limit_statements(self._settings.statement_timeout_seconds)
            with (
                opened_engine(self._folder) as self._engine,
                ThreadPoolExecutor(max_workers=1) as self._uploads,
            ):
                yield
        except BaseException:
            self._connection.close()
            with contextlib.suppress(StagingError):  # what went wrong first is what is told
                self._staging.remove()
            self._staging.close()
            raise
        else:
            self._staging.remove()
        finally:
            self._engine = self._uploads = None
            self._expected = {}
            self._stages = {}
            self._tables = set()
            self._catalog.forget()

    def transact(self, work: Callable[[], None]) -> None:
        """Do work in one transaction; again where others were in its way or the session was lost.

        Raises:
            LoadError: nothing of it was committed, as far as can be known: the ledger knows.
        """
        for attempt in range(1, ATTEMPTS + 1):
            self._renamed = {}
            self._catalog.forget()
            try:
                self._connection.begin()
                self._lock()
                work()
                self._connection.commit()
            except (ConflictError, ConnectionLostError) as error:
                self._connection.rollback()
                if attempt == ATTEMPTS:
                    raise
                logger.warning("commit %d of %d tries: %s", attempt, ATTEMPTS, error)
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311  # spreads those that wait
                self._connection.ensure()
            except BaseException:
                self._connection.rollback()
                raise
            else:
                return

    def close(self) -> None:
        """Analyze, and vacuum if asked, the tables that changed; close the session."""
        try:
            if self._changed:
                self._connection.ensure()
            for table in sorted(self._changed, key=str):
                if self._settings.is_vacuumed:
                    self._connection.execute(f"vacuum {name_of(table)}")
                self._connection.execute(f"analyze {name_of(table)}")
        except RedshiftError as error:
            logger.warning("tables are loaded, but not all are analyzed: %s", error)
        self._connection.close()
        self._staging.close()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        return self._connection.execute(sql, parameters)

    def columns(self, table: Table) -> dict[str, ColumnType] | None:
        """Read the columns of a table."""
        return self._catalog.columns(table)

    def create(self, table: Table, columns: Mapping[str, ColumnType]) -> None:
        """Create a table and its schema."""
        self._catalog.create(table, columns)

    def add_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Add a column."""
        self._catalog.add_column(table, column, column_type)

    def widen_column(self, table: Table, column: str, column_type: ColumnType) -> None:
        """Change a column's type."""
        self._catalog.change_type(table, column, column_type)

    def fits(self, value: str, column_type: ColumnType) -> str | None:
        """Write the condition that Redshift can hold a value."""
        return held(value, column_type)

    def stage(self, table: Table, columns: Sequence[str]) -> str:
        """Write the stage to files, upload them, and let the table's texts hold its longest."""
        types = stage_types(self.engine, columns)
        rows = self._measure(table, types)
        manifest = options = ""
        empty: tuple[str, ...] = ()
        if rows:
            folder = self._folder / "files"
            empty = () if is_parquet(types) else find_empty(self.engine, types)
            slices = self._settings.slices
            exported = export(self.engine, types, folder, rows=rows, slices=slices, empty=empty)
            manifest, options = self._upload(exported.files).result(), exported.options
            shutil.rmtree(folder)
        return self._note(Stage(table, types, {}, rows, manifest, options, {}, empty))

    def fetch(self, files: Sequence[str]) -> tuple[str, ...]:
        """Download what lies in the staging bucket.

        Raises:
            StagingError: it lies in another.
        """
        folder = self._folder / "fetched"
        return tuple(
            str(self._staging.fetch(file, folder)) if file.startswith("s3://") else file
            for file in files
        )

    def expect_files(self, files: Sequence[Path], types: Mapping[str, ColumnType]) -> None:
        """Begin to upload files that COPY reads as they are, but for those that lie in S3."""
        if is_loadable(types):
            self._expected[tuple(files)] = self._upload(files)

    def stage_files(
        self,
        table: Table,
        columns: Sequence[str],
        in_files: Sequence[str],
        files: Sequence[Path],
    ) -> str:
        """Take files that were expected, or write the stage anew."""
        uploaded = self._expected.pop(tuple(files), None)
        if uploaded is None:
            return self.stage(table, columns)
        types = stage_types(self.engine, [*in_files, *(c for c in columns if c not in in_files)])
        rows = self._measure(table, types)
        manifest = uploaded.result()
        constants = constants_of(self.engine, [name for name in types if name not in in_files])
        return self._note(Stage(table, types, {}, rows, manifest, PARQUET, constants))

    def _upload(self, files: Sequence[Path]) -> Future[str]:
        """Upload files beside what goes on, one batch after another."""
        if self._uploads is None:
            raise RuntimeError("the warehouse is used outside of a session")
        return self._uploads.submit(self._staging.upload, files)

    def _note(self, stage: Stage) -> str:
        name = f"watershed_stage_{len(self._stages) + 1}"
        self._tables.add(stage.table)
        self._stages[name] = replace(stage, sizes=self._catalog.text_sizes(stage.table))
        return name

    def append(self, table: Table, columns: Sequence[str], stage: str) -> Changes:
        """Insert a stage."""
        staged = self._stages[stage]
        if staged.rows == 0:
            return Changes()
        self._copy(stage, staged)
        return self._insert(table, columns, stage)

    def _insert(self, table: Table, columns: Sequence[str], stage: str) -> Changes:
        listed = statements.listed(columns)
        self.execute(f"insert into {name_of(table)} ({listed}) select {listed} from {stage}")
        self.execute(f"drop table {stage}")
        self._changed.add(table)
        return Changes(inserted=self._stages[stage].rows)

    def merge(
        self, table: Table, columns: Sequence[str], stage: str, keys: Sequence[str]
    ) -> Changes:
        """Delete-and-insert the rows of a stage that are new or different."""
        staged, target = self._stages[stage], name_of(table)
        if staged.rows == 0:
            return Changes()
        self._copy(stage, staged)
        if not self.execute(f"select 1 from {target} limit 1"):
            return self._insert(table, columns, stage)
        self.execute(statements.find_changed(target, stage, staged.types, keys))
        ((changed, present, deleted),) = self.execute(
            "select count(*), coalesce(sum(watershed_is_present), 0), "
            f"coalesce(sum(watershed_is_deleted), 0) from {statements.CHANGED}"
        )
        if present:
            self.execute(statements.delete_changed(target, keys))
        if changed:
            listed = statements.listed(columns)
            self.execute(
                f"insert into {target} ({listed}) select {listed} from {statements.CHANGED}"
            )
            self._changed.add(table)
        if changed < staged.rows:
            self.execute(statements.carry_version(target, stage, keys))
        self.execute(f"drop table {statements.CHANGED}")
        self.execute(f"drop table {stage}")
        return Changes(
            inserted=changed - present,
            updated=present - deleted,
            unchanged=staged.rows - changed,
            deleted=deleted,
        )

    def drop_other_versions(self, table: Table, version: int) -> None:
        """Delete the rows of other versions."""
        if renamed := self._renamed.get(table):  # an earlier version of this transaction took it
            self.execute(f"create table if not exists {name_of(table)} (like {name_of(renamed)})")
        self.execute(
            f"delete from {name_of(table)} where _sdc_table_version <> ? "
            "or _sdc_table_version is null",
            [version],
        )

    def delete_older_versions(self, table: Table, version: int, at: str) -> Changes:
        """Mark the rows of older versions as deleted at a time."""
        deleted = self._connection.change(
            f"update {name_of(table)} set _sdc_deleted_at = cast(? as timestamptz) "
            "where _sdc_deleted_at is null and coalesce(_sdc_table_version, -1) < ?",
            [at, version],
        )
        return Changes(deleted=deleted)

    def replace(self, table: Table, columns: Sequence[str]) -> Changes:
        """Let the incoming table take the table's name, unless both hold the same rows."""
        del columns
        old, new = name_of(table), name_of(table.incoming)
        present = self._data_types(table)
        arrived = self._data_types(table.incoming)
        ((rows,),) = self.execute(f"select count(*) from {new}")
        if present == arrived:
            ((inserted, deleted),) = self.execute(statements.count_surplus(new, old, arrived))
        else:
            ((deleted,),) = self.execute(f"select count(*) from {old}")
            inserted = rows
        if inserted or deleted:
            self.execute(f"drop table {old}")
            self.execute(f"alter table {new} rename to {quoted(table.name)}")
            self._changed.add(table)
        else:
            self.execute(
                f"update {old} set _sdc_table_version = (select max(_sdc_table_version) from {new})"
            )
            self.execute(f"drop table {new}")
        self._catalog.forget()
        self._renamed[table.incoming] = table
        self._changed.discard(table.incoming)
        return Changes(inserted=int(inserted), deleted=int(deleted), unchanged=rows - int(inserted))

    def _data_types(self, table: Table) -> dict[str, ColumnType]:
        found = self._catalog.columns(table) or {}
        return {name: of for name, of in sorted(found.items()) if name not in METADATA_COLUMNS}

    def _measure(self, table: Table, types: Mapping[str, ColumnType]) -> int:
        """Count the stage's rows, and let each text column hold the longest value that comes."""
        rows, longest = measured(self.engine, types)
        sizes = self._catalog.text_sizes(table) if longest else {}
        for name, size in longest.items():
            if size > sizes.get(name, LARGEST_VARCHAR):
                self._catalog.grow_text(table, name, size)
        return rows

    def _copy(self, name: str, stage: Stage) -> None:
        """Load a batch from S3 into a temporary table.

        Raises:
            RedshiftError: it cannot be loaded; with file, line and column where Redshift says so.
        """
        self.execute(f"create temp table {name} ({stage.columns()})")
        try:
            self.execute(
                f"copy {name} from {literal(stage.manifest)} {self._staging.authorization()} "
                f"manifest {stage.options}"
            )
        except (ConflictError, ConnectionLostError):
            raise
        except RedshiftError as error:
            self._connection.rollback()
            found = load_errors.cause(self._connection, self._staging.url)
            text = self._staging.hidden(found or str(error))
            raise RedshiftError(f"COPY into {stage.table} failed: {text}", error.code) from None
        for statement in stage.completions(name):
            self.execute(statement)

    def _lock(self) -> None:
        """Take the tables before anything is read, so that of two runs one sees what one did.

        What follows may take as long as it must.
        """
        self._limit_statements(self._settings.statement_timeout_seconds)
        bases = {table for table in self._tables if not table.name.endswith("__incoming")}
        listed = ", ".join(name_of(table) for table in sorted(bases, key=str))
        if listed:
            self.execute(f"lock table {listed}")
        self._limit_statements(0)

    def _limit_statements(self, seconds: float) -> None:
        self.execute(f"set statement_timeout to {int(seconds * 1000)}")
