"""Publishing on Redshift: tables are copied to ``published_<n>``, then readers' views re-pointed.

Readers have the views of the schema ``published``. One transaction lets all of them read another
copy and writes the row of `ops.publications`; a publisher that is killed before its commit leaves
readers, and the ledger, what they had.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watershed.exceptions import WatershedError
from watershed.publication_file import new_publication
from watershed.publication_plan import last_build
from watershed.publish import Outcome
from watershed.redshift_copies import (
    Copies,
    create_ledger,
    read_ledger,
    record,
)
from watershed.redshift_plan import make_plan
from watershed.redshift_session import TIMED_OUT, Session, opened
from watershed.redshift_views import point_at
from watershed.source_runs import failed_since
from watershed_redshift import ConflictError, RedshiftError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watershed.publication_plan import Plan
    from watershed.publications import Publication
    from watershed.settings import Settings

PUBLISHER_WAIT_SECONDS = 600.0
LOCK_TABLE = "ops.publishing"
"""Has no rows: who publishes locks it, until the session ends, however it ends."""
MADE_BY_ANOTHER = {"23505", "42P06", "42P07"}
"""SQLSTATEs of `create if not exists` of what another session is making at that moment."""

SWITCH_SECONDS = 600.0
"""How long to try to have all views at once, while readers have them."""
FIRST_PATIENCE_SECONDS, PATIENCE_SECONDS = 0.05, 0.5
"""To wait for a view: new readers wait behind us, so rather let go and try again. And less than the
second after which a reader who waits looks for a deadlock, and would be the one that fails."""
LONGER_PATIENCE_SECONDS = 8.0
"""When half of the time is over: better a reader that fails than none that ever sees new rows."""
PAUSE_SECONDS = 0.05


def publish(settings: Settings, *, dry_run: bool = False) -> Outcome:
    """Give readers the marts of the last green build and today's ledger.

    When the last build is not green and full, or was rolled back from, marts stay those that
    readers see.

    Raises:
        RedshiftError: Redshift lets us not in.
        WatershedError: publishing failed, or another publisher did not end; readers keep what they
            had.
    """
    started = time.monotonic()
    with opened(settings) as session, _readers_keep_what_they_have(settings):
        if dry_run:
            previous = published_in(session)
            plan = make_plan(session, read_ledger(session))
            return Outcome("planned", previous, plan, _since(started), plan.remarks)
        with _alone(settings):
            create_ledger(session)
            return _publish(settings, session, started)


def roll_back(settings: Settings) -> Outcome:
    """Give readers the publication before the one they see.

    Raises:
        RedshiftError: Redshift lets us not in.
        WatershedError: there is no earlier publication, or it failed; readers keep what they had.
    """
    started = time.monotonic()
    with opened(settings) as session, _readers_keep_what_they_have(settings), _alone(settings):
        create_ledger(session)
        ledger = read_ledger(session)
        copies = Copies(session, ledger)
        left = ledger[-1] if ledger else None
        target = copies.before(left) if left else None
        if left is None or target is None:
            raise WatershedError(
                "there is no publication to return to: Redshift holds none before "
                f"{left.publication_id if left else 'any'}"
            )
        now = datetime.now(UTC)
        row = replace(
            target,
            publication_id=now.strftime("%Y%m%dT%H%M%S.%fZ"),
            published_at=now,
            note=f"rolled back from {left.publication_id}",
        )
        _switch(settings, session, copies, row)
    return Outcome("rolled back", target, None, _since(started))


def published_now(settings: Settings) -> Publication | None:
    """Read which publication readers see; None before the first.

    Raises:
        RedshiftError: Redshift lets us not in.
    """
    with opened(settings) as session:
        return published_in(session)


def published_in(session: Session) -> Publication | None:
    """Read it in a session."""
    ledger = read_ledger(session)
    return ledger[-1] if ledger else None


def _publish(settings: Settings, session: Session, started: float) -> Outcome:
    ledger = read_ledger(session)
    previous = ledger[-1] if ledger else None
    failed = tuple(failed_since(session, previous.published_at if previous else None))
    copies = Copies(session, ledger)
    copies.sweep()
    plan = make_plan(session, ledger)
    if not plan.is_change:
        return Outcome("unchanged", previous, plan, _since(started), plan.remarks, failed)
    publication = _copy(settings, session, copies, plan)
    if plan.build_id != last_build(session)[0] and not plan.keeps_marts and plan.has_marts:
        # A build began meanwhile, so what was copied may be of two builds.
        copies.drop(publication.file)
        plan = make_plan(session, ledger)
        publication = _copy(settings, session, copies, plan)
    _switch(settings, session, copies, publication)
    remarks = plan.remarks + copies.prune(publication)
    return Outcome("published", publication, plan, _since(started), remarks, failed)


def _copy(settings: Settings, session: Session, copies: Copies, plan: Plan) -> Publication:
    publication = new_publication(settings, session, plan)
    publication = replace(publication, file=copies.next_schema(), bytes=None)
    copies.write(publication.file, plan, settings.readers)
    return publication


def _switch(settings: Settings, session: Session, copies: Copies, publication: Publication) -> None:
    """Re-point all views and write the ledger in one transaction.

    A reader holds the views of its query. To wait for one view while holding others would be a
    deadlock with a reader who has it and wants those; so waiting is short, and begins anew.
    """
    deadline = time.monotonic() + SWITCH_SECONDS
    patience = FIRST_PATIENCE_SECONDS
    homes, before = copies.homes(publication), copies.homes_now()
    while True:
        try:
            with session.patience(patience), session.transaction():
                point_at(session, homes, before, settings.readers)
                record(session, publication)
        except RedshiftError as error:
            is_in_the_way = error.code == TIMED_OUT or isinstance(error, ConflictError)
            if not is_in_the_way:
                raise
            if time.monotonic() > deadline:
                raise WatershedError(
                    f"readers had views of the schema published for all of {SWITCH_SECONDS:g} s "
                    f"({error}): end long queries on them (stv_recents lists them), publish again"
                ) from None
        else:
            return
        is_early = time.monotonic() < deadline - SWITCH_SECONDS / 2
        patience = min(patience * 1.5, PATIENCE_SECONDS) if is_early else LONGER_PATIENCE_SECONDS
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep every other publisher waiting; a session of its own, so that a kill lets go."""
    with opened(settings) as session:
        _ensure_lock_table(session)
        session.execute(f"set statement_timeout to {int(PUBLISHER_WAIT_SECONDS * 1000)}")
        session.connection.begin()
        try:
            session.execute(f"lock table {LOCK_TABLE}")
        except RedshiftError as error:
            if error.code != TIMED_OUT:
                raise
            raise WatershedError(
                f"another `watershed publish` has held {LOCK_TABLE} for {PUBLISHER_WAIT_SECONDS:g}"
                " s: end it, or try again when it is done"
            ) from None
        yield


def _ensure_lock_table(session: Session) -> None:
    """Create it; two that do so at once may both find it missing, and one is then refused."""
    for statement in (
        "create schema if not exists ops",
        f"create table if not exists {LOCK_TABLE} (nothing smallint)",
    ):
        try:
            session.execute(statement)
        except RedshiftError as error:
            if error.code not in MADE_BY_ANOTHER:
                raise


@contextmanager
def _readers_keep_what_they_have(settings: Settings) -> Iterator[None]:
    """Word what fails inside for who has to mend it."""
    try:
        yield
    except RedshiftError as error:
        database = settings.redshift.database if settings.redshift else None
        raise WatershedError(
            f"publishing in Redshift's database {database} failed, readers keep what they had: "
            f"{error}"
        ) from None


def _since(started: float) -> float:
    return time.monotonic() - started
