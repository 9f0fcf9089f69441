"""The unit tests of the dbt project, as the SQL that dbt makes of them."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from sqlglot import exp

from watershed_mutation import macros
from watershed_mutation.branches import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

ACTUAL = "dbt_internal_unit_test_actual"
EXPECTED = "dbt_internal_unit_test_expected"
FIXTURE = "__dbt__cte__"
"""How dbt begins the name of the CTE that holds what a test gives."""

Rows = Counter[tuple[str, ...]]


class UnitTestsError(Exception):
    """The unit tests cannot be had, or do not pass as they are."""


@dataclass(frozen=True)
class UnitTest:
    """One unit test.

    Attributes:
        name: ``<model>.<test>``.
        model: The model it tests.
        fixtures: The rows it gives: a name, and the SQL that makes them.
        query: The model on these rows, reduced to the columns that are expected.
        expected: The SQL of the rows that should come.
    """

    name: str
    model: str
    fixtures: tuple[tuple[str, str], ...]
    query: exp.Expr
    expected: str


def schema_copy(warehouse: Path, folder: Path) -> Path:
    """Make a warehouse that has every table and view of another, and no row.

    dbt asks it for the types of the columns that a test leaves out.

    Raises:
        UnitTestsError: there is no warehouse, or it cannot be read.
    """
    if not warehouse.exists():
        raise UnitTestsError(f"{warehouse} does not exist: `make demo` builds one")
    copy = folder / warehouse.name
    with duckdb.connect() as connection:
        try:
            # A view of dbt's names the database it was made in.
            connection.execute(f"attach '{warehouse}' as \"{warehouse.stem}\" (read_only)")
        except duckdb.Error as error:
            raise UnitTestsError(f"{warehouse}: {error}") from error
        connection.execute(f"attach '{copy}' as empty_copy")
        relations = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = ?",
            [warehouse.stem],
        ).fetchall()
        for schema, name in relations:
            connection.execute(f'create schema if not exists empty_copy."{schema}"')
            connection.execute(
                f'create table empty_copy."{schema}"."{name}" as '
                f'from "{warehouse.stem}"."{schema}"."{name}" limit 0'
            )
    return copy


def collect(
    project: Path, warehouse: Path, target: Path, models: Sequence[str], manifest: Manifest | None
) -> list[UnitTest]:
    """Let dbt run the unit tests, and keep the statement of each.

    Args:
        project: The dbt project.
        warehouse: Has every relation; see `schema_copy`.
        target: A folder for what dbt writes.
        models: Whose tests are wanted; none: all.
        manifest: The parsed project, when somebody has it.

    Raises:
        UnitTestsError: dbt does not pass them as they are.
    """
    statements: dict[str, str] = {}

    def keep(event: EventMsg) -> None:
        if event.info.name == "SQLQuery" and ACTUAL in event.data.sql:
            statements[event.data.node_info.unique_id] = event.data.sql

    def run(manifest: Manifest | None, *command: str) -> object:
        result = dbtRunner(manifest=manifest, callbacks=[keep]).invoke(
            [
                *("--quiet", "--log-level-file", "none", *command),
                *("--project-dir", str(project), "--profiles-dir", str(project / "profiles")),
                *("--target-path", str(target)),
            ]
        )
        if not result.success:
            raise UnitTestsError(f"the unit tests do not pass: {result.exception or 'see above'}")
        return cast("object", result.result)

    chosen = ["--select", *models] if models else []
    with _environment(WATERSHED_WAREHOUSE=str(warehouse), DBT_TARGET="dev"):
        try:
            manifest = manifest or cast("Manifest", run(None, "parse"))
            with macros.marked(manifest):
                run(manifest, "test", "--resource-type", "unit_test", *chosen)
        finally:
            # dbt-duckdb would keep the file until the process ends.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    return [_unit_test(unique_id, sql) for unique_id, sql in sorted(statements.items())]


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    """Run a query; rows are compared as dbt does, whatever their order."""
    cells: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return Counter(tuple(map(repr, row)) for row in cells)


@contextmanager
def given(connection: duckdb.DuckDBPyConnection, test: UnitTest) -> Iterator[None]:
    """Hold what a test gives in tables while it runs."""
    for name, sql in test.fixtures:
        connection.execute(f'create temp table "{name}" as {sql}')
    try:
        yield
    finally:
        for name, _ in test.fixtures:
            connection.execute(f'drop table "{name}"')


def _unit_test(unique_id: str, sql: str) -> UnitTest:
    """Take dbt's statement apart."""
    # unit_test.<project>.<model>.<test>
    _, _, model, name = unique_id.split(".")
    parts = {cte.alias: cte.this for cte in macros.parse(sql).find_all(exp.CTE)}
    query, expected = parts[ACTUAL], parts[EXPECTED]
    for part in (query, expected):
        part.selects[-1].pop()  # says 'actual' or 'expected'
    fixtures = []
    for cte in list(query.find_all(exp.CTE)):
        if cte.alias.startswith(FIXTURE):
            fixtures.append((cte.alias, cte.this.sql(DIALECT)))
            cte.pop()
    for listed in list(query.find_all(exp.With)):
        if not listed.expressions:
            listed.pop()
    return UnitTest(
        name=f"{model}.{name}",
        model=model,
        fixtures=tuple(fixtures),
        query=query,
        expected=expected.sql(DIALECT),
    )


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
