"""The views that readers have on Redshift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watershed.publication_plan import quoted
from watershed.redshift_plan import columns_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed.redshift_session import Session

Homes = tuple[str, str | None]
"""The copy that the ledger's tables are read in, and that of the marts."""

VIEWS = "published"
"""Readers' schema. Models and tables of the ledger have names of their own, so one is enough."""


def point_at(
    session: Session, homes: Homes, homes_before: Homes | None, readers: Sequence[str]
) -> None:
    """Let readers' views read the tables of other copies; inside of a transaction.

    A view whose columns stay keeps its identity, and with it queries that wait for it.

    Args:
        session: The warehouse, in a transaction.
        homes: The copies to read.
        homes_before: Those that the views read now.
        readers: Whom to give reading rights, e.g. ``group analysts``.
    """
    session.execute(f"create schema if not exists {VIEWS}")
    columns = columns_of(session, sorted({*_named(homes), *_named(homes_before)}))
    tables, before = _tables(session, homes), _tables(session, homes_before)
    for name, copy in sorted(before.items()):
        if name not in tables or columns[copy, name] != columns[tables[name], name]:
            session.execute(f"drop view if exists {VIEWS}.{quoted(name)}")
    for name, copy in sorted(tables.items()):
        if before.get(name) != copy:
            session.execute(
                f"create or replace view {VIEWS}.{quoted(name)} as "
                f"select * from {quoted(copy)}.{quoted(name)} with no schema binding"
            )
    for reader in readers:
        session.execute(f"grant usage on schema {VIEWS} to {reader}")
        session.execute(f"grant select on all tables in schema {VIEWS} to {reader}")


def _named(homes: Homes | None) -> list[str]:
    """List the copies, that of the marts first: a ledger that is newer comes after it."""
    return [home for home in reversed(homes or ()) if home]


def _tables(session: Session, homes: Homes | None) -> dict[str, str]:
    """Find the copy in which each table is read."""
    schemas = _named(homes)
    found = tables_of(session, schemas) if schemas else {}
    return {name: schema for schema in schemas for name in found[schema]}
