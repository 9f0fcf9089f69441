"""`watershed refresh`: reading one stream again, and no other."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from watershed import load as loading
from watershed.engine import engine_of
from watershed.exceptions import MissingFileError, WatershedError
from watershed.publication_plan import has_ledger
from watershed.sources import is_called, is_pipeline_of, read_sources
from watershed_tap.full_pass import STATE_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from watershed.engine import Connection
    from watershed.settings import Settings
    from watershed.sources import Source

LOCK_WAIT_SECONDS = 600.0
KEY, VALUE = "replication_key", "replication_key_value"
"""Of a bookmark, as the Singer SDK names them."""
LOADED_SQL = """
    select
        coalesce(sum(rows_inserted), 0),
        coalesce(sum(rows_updated), 0),
        coalesce(sum(rows_deleted), 0)
    from ops.loads
    where state_id = ? and stream = ? and committed_at >= ?
"""


@dataclass(frozen=True)
class Refreshed:
    """What was read again.

    Attributes:
        since: The value of the replication key from which on; None: all.
        cause: Why it failed; its next load goes on with it.
        inserted: Rows, as are the other two; None in a dry run.
    """

    stream: str
    source: str
    replication_key: str | None
    since: str | None
    cause: str | None = None
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None


@dataclass(frozen=True)
class _Found:
    state_id: str
    stream: str
    bookmark: dict[str, Any]
    source: Source


def refresh(
    settings: Settings,
    stream: str,
    *,
    since: str | None,
    dry_run: bool,
    announce: Callable[[str], None],
) -> Refreshed:
    """Set a stream's bookmark back, and load that stream.

    Args:
        settings: Where everything stands.
        stream: Its name, with or without what stands before its ``-``.
        since: From which value of its replication key on; None: from the first.
        dry_run: Only say what would be read.
        announce: Told each line that the load logs.

    Raises:
        WatershedError: there is no such stream, or several, or `since` is no value of its key.
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
    """
    engine = engine_of(settings)
    if not engine.has_warehouse():
        raise MissingFileError(
            f"warehouse {settings.warehouse} does not exist: load first, with `watershed load`"
        )
    with engine.warehouse(read_only=dry_run, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        found = _find(connection, settings, stream, engine.loader)
        bookmark = _set_back(found, since)
        answer = Refreshed(found.stream, found.source.name, found.bookmark.get(KEY), since)
        if dry_run:
            return answer
        connection.execute(
            "update ops.bookmarks set bookmark = ? where state_id = ? and stream = ?",
            [json.dumps(bookmark), found.state_id, found.stream],
        )
    only = {found.source.variable("select_filter"): json.dumps([found.stream])}
    began = datetime.now(UTC)
    (run,) = loading.load(settings, [found.source.name], engine.loader, announce, only)
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        row = connection.execute(LOADED_SQL, [found.state_id, found.stream, began]).fetchone()
    inserted, updated, deleted = map(int, row or (0, 0, 0))
    return dataclasses.replace(
        answer, cause=run.cause, inserted=inserted, updated=updated, deleted=deleted
    )


def _find(connection: Connection, settings: Settings, stream: str, loader: str) -> _Found:
    declared = read_sources(settings.project_root)
    rows = []
    if has_ledger(connection, "bookmarks"):
        rows = connection.execute(
            "select state_id, stream, bookmark from ops.bookmarks order by stream"
        ).fetchall()
    known = [
        _Found(state_id, name, json.loads(bookmark) or {}, source)
        for state_id, name, bookmark in rows
        for source in declared.values()
        if is_pipeline_of(state_id, source.extractor, loader)
    ]
    found = [one for one in known if is_called(one.stream, {stream})]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.stream for one in found or known)
    if found:
        raise WatershedError(f"stream {stream!r} is one of several: say which of {names}")
    raise WatershedError(f"stream {stream!r} was never loaded: known are {names or 'none'}")


def _set_back(found: _Found, since: str | None) -> dict[str, Any]:
    """Write the bookmark from which the stream is read again."""
    if since is None:
        left = {KEY, VALUE, STATE_KEY}  # a pass that was interrupted begins anew too
        return {key: value for key, value in found.bookmark.items() if key not in left}
    before = found.bookmark.get(VALUE)
    if before is None:
        raise WatershedError(
            f"stream {found.stream} is read whole each time, and has no replication key: "
            "leave out --from"
        )
    try:
        is_earlier = _comparable(since, before) <= _comparable(before, before)
    except (ValueError, TypeError):
        raise WatershedError(
            f"--from {since!r} is no value of {found.bookmark[KEY]}: its last one is {before!r}"
        ) from None
    if not is_earlier:
        raise WatershedError(
            f"--from {since!r} is after {before!r}, up to where stream {found.stream} was read: "
            "rows between them would be left out"
        )
    value = type(before)(since) if isinstance(before, int) else since
    return {**found.bookmark, VALUE: value}


def _comparable(text: str | float, like: str | float) -> Any:  # noqa: ANN401  # of one kind
    """Read a value as what the bookmark's is: a moment, a number, else a text."""
    if isinstance(like, int | float):
        return float(text)
    try:
        datetime.fromisoformat(like)
    except ValueError:
        return str(text)
    moment = datetime.fromisoformat(str(text))
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def to_json(outcome: Refreshed) -> str:
    """Write the outcome as one JSON object."""
    return json.dumps(dataclasses.asdict(outcome), indent=2)


def to_text(outcome: Refreshed) -> str:
    """Write the outcome in a line."""
    part = "whole"
    if outcome.since is not None:
        part = f"from {outcome.replication_key} {outcome.since} on"
    if outcome.inserted is None:
        return f"{outcome.stream} of {outcome.source} would be read again, {part}"
    counts = (
        f"{outcome.inserted:,} inserted, {outcome.updated:,} updated, {outcome.deleted:,} deleted"
    )
    if outcome.cause:
        return (
            f"{outcome.stream} of {outcome.source}: FAILED after {counts}: {outcome.cause}; "
            "its next load goes on with it"
        )
    return (
        f"{outcome.stream} of {outcome.source}: read again, {part}: {counts}; "
        "`watershed build` and `watershed publish` show it to readers"
    )
