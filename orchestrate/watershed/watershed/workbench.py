"""Where a change is built: in schemas of its own, beside the last good build, which it reads."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from watershed.exceptions import WatershedError
from watershed.publication_plan import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from watershed.engine import Connection
    from watershed.settings import Settings

LAST_BUILD = "last_build"
"""The name under which `profiles.yml` attaches the warehouse that is read."""


class Workbench(Protocol):
    """A place for changed models."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables with which dbt builds there."""

    @property
    def place(self) -> str:
        """What a person has to open to see the result."""

    def clear(self) -> None:
        """Remove what was built there before."""

    def opened(self) -> AbstractContextManager[Connection]:
        """Open it; the last good build has its schemas there too, under their own names."""

    def columns(self, connection: Connection, schema: str, name: str) -> dict[str, str]:
        """Return the columns of a relation, each with its type, in order."""


def schema_prefix(name: str) -> str:
    """Return what the schemas of somebody's changed models begin with.

    Raises:
        WatershedError: the name cannot be part of a schema's.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise WatershedError(
            f"{name!r} cannot be part of a schema's name: "
            "give --name lower-case letters, digits and _"
        )
    return f"changed_{name}_"


class DuckDBWorkbench:
    """A file of its own that shows all of the warehouse as views, and writes nothing to it."""

    def __init__(self, settings: Settings, prefix: str) -> None:
        # The same file name gives the same database name: views and dbt's relations agree.
        self._file = settings.output / "changed" / settings.warehouse.name
        self._warehouse = settings.warehouse
        self.place = f"{self._file}, schemas {prefix}*"
        self.environment = {
            "WATERSHED_WAREHOUSE": str(self._file),
            "WATERSHED_LAST_BUILD": str(settings.warehouse),
            "WATERSHED_SCHEMA_PREFIX": prefix,
            "DBT_TARGET": "changed",
        }

    def clear(self) -> None:
        """Start a new file with a view for each table and view of the last good build."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        self._file.with_name(self._file.name + ".wal").unlink(missing_ok=True)
        with self.opened() as connection:
            relations = connection.execute(
                "select schema_name, table_name, 0 as number from duckdb_tables() "
                "where database_name = ? union all "
                "select schema_name, view_name, view_oid from duckdb_views() "
                # A view is younger than those it reads.
                "where database_name = ? and not internal order by 3",
                [LAST_BUILD, LAST_BUILD],
            ).fetchall()
            for schema, name, _ in relations:
                relation = f"{quoted(schema)}.{quoted(name)}"
                connection.execute(f"create schema if not exists {quoted(schema)}")
                connection.execute(f"create view {relation} as from {LAST_BUILD}.{relation}")

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """Open the file, with the warehouse attached."""
        import watershed_duckdb  # noqa: PLC0415

        with watershed_duckdb.connect(self._file) as connection:
            path = literal(str(self._warehouse))
            connection.execute(f"attach {path} as {LAST_BUILD} (read_only)")
            yield connection

    def columns(self, connection: Connection, schema: str, name: str) -> dict[str, str]:
        """Ask the catalog of this file."""
        found = connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = current_database() and schema_name = ? and table_name = ? "
            "order by column_index",
            [schema, name],
        )
        return dict(found.fetchall())


class RedshiftWorkbench:
    """Schemas of the warehouse's own database."""

    def __init__(self, settings: Settings, prefix: str) -> None:
        self._settings = settings
        self._prefix = prefix
        self.place = f"schemas {prefix}*"
        self.environment = {"WATERSHED_SCHEMA_PREFIX": prefix}

    def clear(self) -> None:
        """Drop the schemas."""
        with self.opened() as connection:
            for (schema,) in connection.execute("select nspname from pg_namespace").fetchall():
                if schema.startswith(self._prefix):
                    connection.execute(f"drop schema {quoted(schema)} cascade")

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """Open a session."""
        from watershed import redshift_session  # noqa: PLC0415

        with redshift_session.opened(self._settings) as session:
            yield session

    def columns(self, connection: Connection, schema: str, name: str) -> dict[str, str]:
        """Ask for the columns of a table, else of a late-binding view."""
        found = connection.execute(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = ? and table_name = ? order by ordinal_position",
            [schema, name],
        ).fetchall()
        if not found:
            found = connection.execute(
                "select col_name, col_type from pg_get_late_binding_view_cols() "
                "cols(view_schema name, view_name name, col_name name, col_type varchar, "
                "col_num int) where view_schema = ? and view_name = ? order by col_num",
                [schema, name],
            ).fetchall()
        return dict(found)
