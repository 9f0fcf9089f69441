"""The file of a publication: written beside the others, adopted when it is whole."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from watershed.publication_plan import NEXT, Plan, Table, literal, one_row, quoted
from watershed.publications import Publication, create_ledger, record

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from watershed.engine import Connection
    from watershed.publications import PublicationFolder
    from watershed.settings import Settings


def new_publication(settings: Settings, connection: Connection, plan: Plan) -> Publication:
    """Name the publication that this plan makes; its size is not known yet."""
    now = datetime.now(UTC)
    (last,) = one_row(connection, "select max(published_at) from ops.publications")
    if last:
        # Publications sort by their time, also when the clock was set back.
        now = max(now, last + timedelta(microseconds=1))
    publication_id = now.strftime("%Y%m%dT%H%M%S.%fZ")
    return Publication(
        publication_id=publication_id,
        published_at=now,
        has_marts=plan.has_marts,
        build_id=plan.build_id,
        file=f"{publication_id}.duckdb",
        tables=len(plan.tables),
        table_rows=sum(table.rows for table in plan.tables),
        bytes=0,
        git_commit=_git_commit(settings.project_root),
        note=plan.note,
    )


def write_publication(
    connection: duckdb.DuckDBPyConnection,
    folder: PublicationFolder,
    plan: Plan,
    publication: Publication,
) -> Publication:
    """Write the new file and move it among the publications.

    Returns:
        The publication with the size of its file.
    """
    folder.scratch.mkdir(parents=True)
    written = folder.scratch / publication.file
    try:
        if plan.keeps_marts:
            # Copying bytes is many times faster than copying rows.
            shutil.copyfile(folder.published, written)
        connection.execute(f"attach {literal(str(written))} as {NEXT}")
        try:
            _copy_tables(connection, plan)
            create_ledger(connection, NEXT)
            connection.execute(f"insert into {NEXT}.ops.publications by name from ops.publications")
            record(connection, NEXT, publication)
            connection.execute(f"checkpoint {NEXT}")
            # Writing the size into the row that is there does not change it.
            publication = dataclasses.replace(publication, bytes=written.stat().st_size)
            connection.execute(
                f"update {NEXT}.ops.publications set bytes = ? where publication_id = ?",
                [publication.bytes, publication.publication_id],
            )
            connection.execute(f"checkpoint {NEXT}")
        finally:
            connection.execute(f"detach {NEXT}")
        folder.adopt(written, publication.file)
    except BaseException:
        folder.clear_scratch()
        raise
    return publication


def _copy_tables(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Copy the tables of the plan; marts that stay are in the file already."""
    if plan.keeps_marts:
        connection.execute(f"drop schema {NEXT}.ops cascade")
    for table in plan.tables:
        if table.schema != "marts" or not plan.keeps_marts:
            _copy(connection, table)


def _copy(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Copy a table, in its order, with its descriptions."""
    copy = table.qualified(NEXT)
    connection.execute(f"create schema if not exists {NEXT}.{quoted(table.schema)}")
    connection.execute(f"create table {copy} as from {table.qualified(table.catalog)}")
    if table.comment:
        connection.execute(f"comment on table {copy} is {literal(table.comment)}")
    for column, text in table.column_comments:
        connection.execute(f"comment on column {copy}.{quoted(column)} is {literal(text)}")


def _git_commit(project_root: Path) -> str | None:
    """Name the commit that is checked out; None outside git, or when git refuses."""
    try:
        found = subprocess.run(
            ["git", "-C", project_root, "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
