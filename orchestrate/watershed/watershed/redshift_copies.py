"""The copies on Redshift that readers can be given: schemas ``published_<n>`` and their ledger.

A copy holds what its publication changed: the ledger's tables, and marts where they are new. Marts
that stay are read from the copy that first had their build.
"""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

from watershed.publication_plan import has_ledger, quoted
from watershed.publications import KEPT, PUBLICATION_COLUMNS, Publication
from watershed_redshift import RedshiftError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed.publication_plan import Plan
    from watershed.redshift_session import Session

LEDGER = "ops.publications"
COPY = "published_"
"""How the schema of a copy begins; its number follows."""
GRACE = timedelta(hours=1)
"""For queries that run when readers' views turn away from a copy."""
DROP_PATIENCE_SECONDS = 5.0


def create_ledger(session: Session) -> None:
    """Create the ledger of publications where it is missing."""
    if has_ledger(session, "publications"):
        return
    session.execute("create schema if not exists ops")
    session.execute(
        f"""
        create table if not exists {LEDGER} (
            publication_id varchar(32),
            published_at timestamptz,
            has_marts boolean,
            build_id varchar(36),
            file varchar(64),
            tables bigint,
            table_rows bigint,
            bytes bigint,
            git_commit varchar(64),
            note varchar(4096)
        )
        """
    )


def read_ledger(session: Session) -> list[Publication]:
    """Read all publications, the newest last."""
    if not has_ledger(session, "publications"):
        return []
    rows = session.execute(
        f"select {PUBLICATION_COLUMNS} from {LEDGER} order by publication_id"
    ).fetchall()
    return [Publication(*row) for row in rows]


def record(session: Session, publication: Publication) -> None:
    """Add a row to the ledger, and show readers the ledger that has it."""
    values = dataclasses.astuple(publication)
    marks = ", ".join("?" * len(values))
    session.execute(f"insert into {LEDGER} ({PUBLICATION_COLUMNS}) values ({marks})", values)
    copy = f"{quoted(publication.file)}.publications"
    session.execute(f"delete from {copy}")
    session.execute(
        f"insert into {copy} ({PUBLICATION_COLUMNS}) select {PUBLICATION_COLUMNS} from {LEDGER}"
    )


def home_of_marts(ledger: Sequence[Publication], publication: Publication | None) -> str | None:
    """Name the copy that holds a publication's marts; None without marts."""
    if publication is None or not publication.has_marts:
        return None
    of_build = (row.file for row in ledger if row.build_id == publication.build_id)
    return next(of_build, publication.file)


class Copies:
    """The copies of a database.

    Args:
        session: The warehouse.
        ledger: All publications, the newest last.
    """

    def __init__(self, session: Session, ledger: Sequence[Publication]) -> None:
        self._session = session
        self._ledger = ledger

    def next_schema(self) -> str:
        """Name the next copy; numbers are never used again."""
        known = {row.file for row in self._ledger} | set(self._present())
        return f"{COPY}{max((_number(name) for name in known), default=0) + 1}"

    def write(self, schema: str, plan: Plan, readers: Sequence[str]) -> None:
        """Copy the tables of a plan, all as they are at one moment, and let readers read them."""
        with self._session.transaction():
            self._session.execute(f"create schema {quoted(schema)}")
            for table in plan.tables:
                if table.schema == "marts" and plan.keeps_marts:
                    continue
                copy = f"{quoted(schema)}.{quoted(table.name)}"
                original = f"{quoted(table.catalog)}.{quoted(table.name)}"
                self._session.execute(f"create table {copy} (like {original})")
                self._session.execute(f"insert into {copy} select * from {original}")
            self._session.execute(f"create table {quoted(schema)}.publications (like {LEDGER})")
            for reader in readers:
                self._session.execute(f"grant usage on schema {quoted(schema)} to {reader}")
                self._session.execute(
                    f"grant select on all tables in schema {quoted(schema)} to {reader}"
                )

    def homes(self, publication: Publication) -> tuple[str, str | None]:
        """Name the copies that hold a publication's ledger, and its marts."""
        return publication.file, home_of_marts(self._ledger, publication)

    def homes_now(self) -> tuple[str, str | None] | None:
        """Name those that readers' views read; None before the first publication."""
        return self.homes(self._ledger[-1]) if self._ledger else None

    def before(self, left: Publication) -> Publication | None:
        """Find the publication of the copy before the one of another publication."""
        present = set(self._present())
        earlier = {
            row.file: row
            for row in reversed(self._ledger)
            if _number(row.file) < _number(left.file)
            and row.file in present
            and home_of_marts(self._ledger, row) in {None, *present}
        }
        return max(earlier.values(), key=lambda row: _number(row.file), default=None)

    def sweep(self) -> None:
        """Drop what a killed publisher left: copies that the ledger does not know."""
        known = {row.file for row in self._ledger}
        for schema in self._present():
            if schema not in known:
                self.drop(schema)

    def prune(self, newest: Publication) -> tuple[str, ...]:
        """Drop the copies that nobody returns to, when queries on them have had time to end.

        Returns:
            What could not be dropped, a line each; the next publication tries again.
        """
        ledger = [*self._ledger, newest]
        kept = list(dict.fromkeys(row.file for row in reversed(ledger)))[:KEPT]
        young = {
            row.file
            for row, successor in itertools.pairwise(ledger)
            if newest.published_at - successor.published_at < GRACE
        }
        needed = {*kept, *young}
        needed |= {home_of_marts(ledger, row) or row.file for row in ledger if row.file in needed}
        remarks = []
        for schema in self._present():
            if schema in needed:
                continue
            try:
                with self._session.patience(DROP_PATIENCE_SECONDS):
                    self.drop(schema)
            except RedshiftError as error:
                remarks.append(f"the old copy {schema} is still there: {error}")
        return tuple(remarks)

    def drop(self, schema: str) -> None:
        """Drop a copy."""
        self._session.execute(f"drop schema if exists {quoted(schema)} cascade")

    def _present(self) -> list[str]:
        found = self._session.execute("select nspname from pg_namespace order by nspname")
        return [name for (name,) in found.fetchall() if _number(name)]


def _number(schema: str) -> int:
    """Read the number of a copy's schema; 0 of any other."""
    number = schema.removeprefix(COPY)
    return int(number) if schema.startswith(COPY) and number.isdecimal() else 0
