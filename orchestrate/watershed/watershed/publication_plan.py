"""What a publication is made of: which tables, and whose marts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from watershed.engine import Connection
    from watershed.publications import Publication

PREVIOUS = "previous_publication"
"""The name under which the file that readers see is attached."""
NEXT = "next_publication"

WITHHELD = {"quarantine", "publications", "differences", "versions"}
"""Tables of `ops` that are not copied: originals of bad values, and keys of rows, are raw data; the
ledger of publications gets its newest row in the file itself; versions are the loader's affair."""

LEFTOVERS = ("__dbt_tmp", "__dbt_backup")
"""How dbt names a table that a killed build did not rename."""

LAST_BUILD_SQL = """
    select build_id, command, is_full, status
    from ops.builds
    where command in ('build', 'run', 'seed', 'snapshot')
    order by started_at desc
    limit 1
"""
"""The last command that changed models."""


@dataclass(frozen=True)
class Table:
    """A table to copy.

    Attributes:
        catalog: The attached database that it is read from.
        comment: Its description, which dbt wrote.
        column_comments: Pairs of column and description.
    """

    catalog: str
    schema: str
    name: str
    rows: int
    comment: str | None
    column_comments: tuple[tuple[str, str], ...]

    def qualified(self, catalog: str) -> str:
        """Return its quoted name in a database."""
        return ".".join(quoted(part) for part in (catalog, self.schema, self.name))


@dataclass(frozen=True)
class Plan:
    """What would be published.

    Attributes:
        tables: What the publication holds, sorted by name.
        has_marts: Whether marts are among them.
        keeps_marts: Whether they are those that readers see already.
        build_id: The build that the marts are from.
        note: Why they are not those of the last build; None when they are.
        is_change: Whether readers would see anything new.
        remarks: What else one should know, a line each.
    """

    tables: tuple[Table, ...]
    has_marts: bool
    keeps_marts: bool
    build_id: str | None
    note: str | None
    is_change: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Marts:
    """Whose marts are taken: `catalog` is None when there are none."""

    catalog: str | None
    build_id: str | None
    note: str | None


def make_plan(connection: duckdb.DuckDBPyConnection, previous: Publication | None) -> Plan:
    """Decide what to publish from the warehouse that `connection` has open.

    Args:
        connection: With the file that readers see attached as `PREVIOUS`, when there is one.
        previous: That file's row in the ledger.
    """
    warehouse = catalog_of(connection)
    marts = choose_marts(connection, warehouse, previous)
    ops_tables = _tables(connection, warehouse, "ops")
    tables = ops_tables + (_tables(connection, marts.catalog, "marts") if marts.catalog else [])
    is_change = (
        previous is None
        or marts.catalog == warehouse
        or _content(connection, ops_tables)
        != _content(connection, _tables(connection, PREVIOUS, "ops"))
    )
    remarks = [marts.note] if marts.note else []
    if views := _views(connection, warehouse):
        remarks.append(f"not published, as only tables are: {', '.join(views)}")
    return Plan(
        tables=tuple(sorted(tables, key=lambda table: (table.schema, table.name))),
        has_marts=marts.catalog is not None,
        keeps_marts=marts.catalog == PREVIOUS,
        build_id=marts.build_id,
        note=marts.note,
        is_change=is_change,
        remarks=tuple(remarks),
    )


def catalog_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the name of the database that was opened first."""
    return str(one_row(connection, "select current_database()")[0])


def one_row(
    connection: Connection, sql: str, parameters: tuple[object, ...] = ()
) -> tuple[Any, ...]:
    """Run a query that always gives one row."""
    row = connection.execute(sql, parameters).fetchone()
    if row is None:
        raise ValueError(f"no row from: {sql}")
    return row


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string."""
    return "'" + text.replace("'", "''") + "'"


def choose_marts(connection: Connection, warehouse: str, previous: Publication | None) -> Marts:
    """Take the warehouse's marts when they are proved, else those that readers see."""
    from watershed.proof.records import blocking  # noqa: PLC0415  # it needs `has_ledger`

    build_id, reason = last_build(connection)
    if reason is None and previous and previous.build_id != build_id:
        published_before = (
            has_ledger(connection, "publications")
            and connection.execute(
                "select 1 from ops.publications where build_id = ?", [build_id]
            ).fetchone()
        )
        if published_before:
            reason = (
                f"build {build_id} was rolled back from; `watershed build --force` makes another"
            )
    if reason is None:
        reason = blocking(connection)
    if reason is None:
        is_published = previous is not None and previous.build_id == build_id
        return Marts(PREVIOUS if is_published else warehouse, build_id, None)
    if previous and previous.has_marts:
        return Marts(
            PREVIOUS, previous.build_id, f"marts stay those of build {previous.build_id}: {reason}"
        )
    return Marts(None, None, f"no marts are published: {reason}")


def last_build(connection: Connection) -> tuple[str | None, str | None]:
    """Return the last build, and why its marts cannot be believed; None when they can."""
    row = None
    if has_ledger(connection, "builds"):
        row = connection.execute(LAST_BUILD_SQL).fetchone()
    if row is None:
        return None, "no build has run"
    build_id, command, is_full, status = row
    reason = None
    if status != "green":
        reason = f"build {build_id} {'did not end' if status == 'running' else f'is {status}'}"
    elif command != "build":
        reason = f"`dbt {command}` changed models after the last build, untested"
    elif not is_full:
        reason = f"build {build_id} built a part of the models only"
    return build_id, reason


def _tables(connection: duckdb.DuckDBPyConnection, catalog: str, schema: str) -> list[Table]:
    found = connection.execute(
        """
        select table_name, comment
        from duckdb_tables()
        where database_name = ? and schema_name = ? and not temporary
        """,
        [catalog, schema],
    ).fetchall()
    comments = connection.execute(
        """
        select table_name, column_name, comment
        from duckdb_columns()
        where database_name = ? and schema_name = ? and comment is not null
        order by table_name, column_index
        """,
        [catalog, schema],
    ).fetchall()
    tables = []
    for name, comment in found:
        if (schema == "ops" and name in WITHHELD) or name.endswith(LEFTOVERS):
            continue
        source = ".".join(quoted(part) for part in (catalog, schema, name))
        tables.append(
            Table(
                catalog=catalog,
                schema=schema,
                name=name,
                rows=one_row(connection, f"select count(*) from {source}")[0],
                comment=comment,
                column_comments=tuple((c, text) for owner, c, text in comments if owner == name),
            )
        )
    return tables


def _views(connection: duckdb.DuckDBPyConnection, warehouse: str) -> list[str]:
    found = connection.execute(
        """
        select schema_name || '.' || view_name
        from duckdb_views()
        where database_name = ? and schema_name in ('marts', 'ops') and not internal
        order by all
        """,
        [warehouse],
    ).fetchall()
    return [name for (name,) in found]


def _content(connection: duckdb.DuckDBPyConnection, tables: list[Table]) -> dict[str, object]:
    """Digest each table by name, so that two sets of tables can be compared."""
    return {
        table.name: (
            connection.execute(f"describe {table.qualified(table.catalog)}").fetchall(),
            connection.execute(
                "select count(*), sum(hash(content)::hugeint) "  # quoted
                f"from {table.qualified(table.catalog)} as content"
            ).fetchone(),
        )
        for table in tables
    }


def has_ledger(connection: Connection, name: str) -> bool:
    """Tell whether the warehouse has the table `ops.<name>`."""
    found = connection.execute(
        "select 1 from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'ops' and table_name = ?",
        [name],
    )
    return found.fetchone() is not None
