"""Publishing: tables of marts and ops into a new file, which then replaces the old one."""

from __future__ import annotations

import dataclasses
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

import watershed_duckdb
from watershed.exceptions import MissingFileError, WatershedError
from watershed.publication_file import new_publication, write_publication
from watershed.publication_plan import PREVIOUS, Plan, catalog_of, literal, make_plan
from watershed.publications import (
    Publication,
    PublicationFolder,
    create_ledger,
    newest_row,
    published_now,
    read_publication,
    record,
)
from watershed.source_runs import failed_since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watershed.settings import Settings

LOCK_WAIT_SECONDS = 600.0
ROLLBACK_LOCK_WAIT_SECONDS = 5.0
"""Readers have the earlier publication by then; only its row in the warehouse is waited for."""


@dataclass(frozen=True)
class Outcome:
    """What publishing did.

    Attributes:
        action: `published`, `unchanged`, `planned` (a dry run) or `rolled back`.
        publication: What readers see now; in a dry run, what they would go on to see.
        plan: What was, or would be, copied; None after a rollback.
        remarks: What else one should know, a line each.
        failed_sources: Sources whose load failed since the publication before, with the cause.
    """

    action: str
    publication: Publication | None
    plan: Plan | None
    seconds: float
    remarks: tuple[str, ...] = ()
    failed_sources: tuple[tuple[str, str], ...] = ()


def publish(settings: Settings, *, dry_run: bool = False) -> Outcome:
    """Give readers the marts of the last green build and today's ledger.

    When the last build is not green and full, or was rolled back from, marts stay those of the
    publication that readers see. A kill at any moment leaves readers the old file or the new one.

    Raises:
        MissingFileError: there is no warehouse.
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
        WatershedError: the new file could not be written; readers keep what they had.
    """
    started = time.monotonic()
    folder = PublicationFolder(settings.published)
    if dry_run:
        with _warehouse(settings, folder, read_only=True) as connection:
            plan = make_plan(connection, _previous(connection, folder))
        current = published_now(folder)
        return Outcome("planned", current, plan, time.monotonic() - started, plan.remarks)
    with folder.locked(), _warehouse(settings, folder, read_only=False) as connection:
        previous = _previous(connection, folder)
        _complete_ledger(connection, has_previous=previous is not None)
        plan = make_plan(connection, previous)
        failed = tuple(failed_since(connection, previous.published_at if previous else None))
        folder.sweep(_known_files(connection))
        if not plan.is_change:
            seconds = time.monotonic() - started
            return Outcome("unchanged", previous, plan, seconds, plan.remarks, failed)
        publication = write_publication(
            connection, folder, plan, new_publication(settings, connection, plan)
        )
        folder.point_at(folder.path / publication.file)
        record(connection, catalog_of(connection), publication)
        folder.prune()
    seconds = time.monotonic() - started
    return Outcome("published", publication, plan, seconds, plan.remarks, failed)


def roll_back(settings: Settings) -> Outcome:
    """Give readers the publication before the one they see.

    The build that they saw is not published again: only a newer one is.

    Raises:
        WatershedError: there is no earlier publication.
    """
    started = time.monotonic()
    folder = PublicationFolder(settings.published)
    with folder.locked():
        left = published_now(folder)
        target = folder.before(left.file) if left else None
        if left is None or target is None:
            raise WatershedError(
                f"there is no publication to return to: "
                f"{folder.path} holds none before {left.publication_id if left else 'any'}"
            )
        publication = read_publication(target)
        folder.point_at(target)
        remarks = _record_rollback(settings, publication, left)
    return Outcome("rolled back", publication, None, time.monotonic() - started, remarks)


@contextmanager
def _warehouse(
    settings: Settings, folder: PublicationFolder, *, read_only: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse; what fails inside leaves readers what they had."""
    if not settings.warehouse.exists():
        raise MissingFileError(
            f"warehouse {settings.warehouse} does not exist: run `meltano run all`"
        )
    with watershed_duckdb.connect(
        settings.warehouse, read_only=read_only, wait_seconds=LOCK_WAIT_SECONDS
    ) as connection:
        try:
            yield connection
        except (duckdb.Error, OSError) as error:
            raise WatershedError(
                f"publishing into {folder.path} failed, readers keep what they had: "
                f"{str(error).splitlines()[0]}"
            ) from error


def _previous(
    connection: duckdb.DuckDBPyConnection, folder: PublicationFolder
) -> Publication | None:
    """Attach what readers see, when there is something."""
    if not folder.published.exists():
        return None
    connection.execute(f"attach {literal(str(folder.published))} as {PREVIOUS} (read_only)")
    return newest_row(connection, f"{PREVIOUS}.ops")


def _complete_ledger(connection: duckdb.DuckDBPyConnection, *, has_previous: bool) -> None:
    """Add the rows that a publisher killed after the switch, or a new warehouse, does not have."""
    create_ledger(connection, catalog_of(connection))
    if has_previous:
        connection.execute(
            f"insert into ops.publications by name from {PREVIOUS}.ops.publications as theirs "
            "where theirs.publication_id not in (select publication_id from ops.publications)"
        )


def _known_files(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {file for (file,) in connection.execute("select file from ops.publications").fetchall()}


def _record_rollback(settings: Settings, target: Publication, left: Publication) -> tuple[str, ...]:
    """Tell the warehouse; that it cannot be told now must not keep readers on a bad publication."""
    if not settings.warehouse.exists():
        return ("not recorded in ops.publications: there is no warehouse",)
    now = datetime.now(UTC)
    row = dataclasses.replace(
        target,
        publication_id=now.strftime("%Y%m%dT%H%M%S.%fZ"),
        published_at=now,
        note=f"rolled back from {left.publication_id}",
    )
    try:
        with watershed_duckdb.connect(
            settings.warehouse, read_only=False, wait_seconds=ROLLBACK_LOCK_WAIT_SECONDS
        ) as connection:
            create_ledger(connection, catalog_of(connection))
            record(connection, catalog_of(connection), row)
    except watershed_duckdb.WarehouseError as error:
        return (f"not recorded in ops.publications: {error}",)
    return ()


def to_json(outcome: Outcome) -> str:
    """Write the outcome as one JSON object; times are ISO 8601."""
    tables = outcome.plan.tables if outcome.plan else ()
    return json.dumps(
        {
            "action": outcome.action,
            "publication": outcome.publication and dataclasses.asdict(outcome.publication),
            "tables": [f"{table.schema}.{table.name}" for table in tables],
            "remarks": outcome.remarks,
            "failed_sources": dict(outcome.failed_sources),
            "seconds": round(outcome.seconds, 3),
        },
        default=datetime.isoformat,
        indent=2,
    )


def to_text(outcome: Outcome) -> str:
    """Write the outcome in a few lines."""
    failures = [f"source {name} FAILED: {cause}" for name, cause in outcome.failed_sources]
    return "\n".join((_headline(outcome), *(f"  {line}" for line in (*outcome.remarks, *failures))))


def _headline(outcome: Outcome) -> str:
    publication, plan = outcome.publication, outcome.plan
    if outcome.action == "planned" and plan:
        tables = "".join(
            f"\n  {table.schema}.{table.name}: {table.rows:,} rows" for table in plan.tables
        )
        verdict = "would publish" if plan.is_change else "nothing changed; would publish nothing of"
        return f"{verdict} {len(plan.tables)} tables{tables}"
    if publication is None:
        return outcome.action
    if outcome.action == "unchanged":
        return f"nothing changed since publication {publication.publication_id}: published nothing"
    size = "" if publication.bytes is None else f", {publication.bytes / 1e6:,.1f} MB"
    return (
        f"{outcome.action} {publication.publication_id}: {publication.tables} tables, "
        f"{publication.table_rows:,} rows{size} in {outcome.seconds:.1f} s"
    )
