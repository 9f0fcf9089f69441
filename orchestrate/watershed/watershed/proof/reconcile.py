"""`watershed reconcile`: comparing what was loaded with its sources, and repairing it."""

from __future__ import annotations

import dataclasses
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import watershed_duckdb
from watershed.engine import engine_of
from watershed.exceptions import WatershedError
from watershed.proof import records
from watershed.proof.comparison import Differences, compare, compare_keys
from watershed.proof.live import COMPARABLE_TAPS, LiveSource, read_configs
from watershed.proof.pairs import Pair, Stream, bookmark_of, pair
from watershed.proof.ranges import Ranges, divide
from watershed.proof.records import Reconciliation
from watershed.publication_plan import has_ledger
from watershed.sources import SEPARATOR, choose_sources, is_called, is_pipeline_of
from watershed_tap.exceptions import TapError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from watershed.engine import Connection
    from watershed.proof.live import Snapshot
    from watershed.settings import Settings
    from watershed.sources import Source

LOCK_WAIT_SECONDS = 600.0
ROUNDS = 3
"""Repairs of a row that its source keeps changing, before it counts as moving."""

STREAMS_SQL = """
    select bookmarks.state_id, bookmarks.stream, loads.target_schema, loads.table_name, bookmark
    from ops.bookmarks as bookmarks
    inner join (
        select state_id, stream, max(target_schema) as target_schema, max(table_name) as table_name
        from ops.loads
        group by state_id, stream
    ) as loads
        on bookmarks.state_id = loads.state_id and bookmarks.stream = loads.stream
    order by bookmarks.state_id, bookmarks.stream
"""


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        sources: Names; none means all.
        streams: Names, with or without what stands before their ``-``; none means all.
        deep: Compare everything, and no sample.
        repair: Bring rows that differ to what the source holds.
    """

    sources: Sequence[str] = ()
    streams: Sequence[str] = ()
    deep: bool = False
    repair: bool = False


def reconcile(
    settings: Settings, wish: Wish, configs: Mapping[str, Any] | None = None
) -> list[Reconciliation]:
    """Compare streams with their sources, and write what was found into the ledger.

    Args:
        settings: Where everything stands.
        wish: What is asked for.
        configs: Settings of extractors by name; by default those that Meltano has.

    Raises:
        WatershedError: a source is not declared.
    """
    chosen = choose_sources(settings.project_root, wish.sources)
    engine = engine_of(settings)
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        streams = {
            source.name: _streams(connection, source, engine.loader, wish) for source in chosen
        }
    asked = [
        source for source in chosen if streams[source.name] and _lacks(settings, source) is None
    ]
    if configs is None and asked:
        configs = read_configs(
            settings.project_root,
            settings.meltano_environment,
            [source.extractor for source in asked],
        )
    found: list[Reconciliation] = []
    for source in chosen:
        config = (configs or {}).get(source.extractor, {})
        found += _of_source(settings, source, streams[source.name], wish, config)
    with engine.warehouse(read_only=False, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        records.write(connection, found)
    return found


def _lacks(settings: Settings, source: Source) -> str | None:
    """Say why nothing of a source can be compared; None when it can."""
    tap = source.extractor.partition(SEPARATOR)[0]
    if settings.redshift:
        return "tables on Redshift are not compared"
    return None if tap in COMPARABLE_TAPS else f"what {tap} loads is not compared"


def _streams(connection: Connection, source: Source, loader: str, wish: Wish) -> list[Stream]:
    if not (has_ledger(connection, "bookmarks") and has_ledger(connection, "loads")):
        return []
    return [
        Stream(state_id, name, schema, table, bookmark_of(bookmark))
        for state_id, name, schema, table, bookmark in connection.execute(STREAMS_SQL).fetchall()
        if is_pipeline_of(state_id, source.extractor, loader)
        and (not wish.streams or is_called(name, wish.streams))
    ]


def _of_source(
    settings: Settings,
    source: Source,
    streams: Sequence[Stream],
    wish: Wish,
    config: Mapping[str, Any],
) -> list[Reconciliation]:
    """Compare the streams of a source; one that cannot be compared hides no other."""
    lack = _lacks(settings, source)
    work = [_Work(settings, source.name, stream, wish) for stream in streams]
    if lack is None and work:
        live = LiveSource(source.extractor.partition(SEPARATOR)[0], config)
        left = list(work)
        while left:
            _compare_all(live, left)
        for each in work:
            with each.failing():
                each.settle(live)
                if wish.repair:
                    each.repair(live)
    return [each.result(lack) for each in work]


def _compare_all(live: LiveSource, left: list[_Work]) -> None:
    """Compare within one snapshot, until one fails: that ends the snapshot."""
    begun = left[0]
    with begun.failing(), live.snapshot() as snapshot:
        while left:
            work = left.pop(0)
            with work.failing():
                work.compare(snapshot)
            if work.reason:
                return
    if begun in left:  # the source cannot be reached
        left.remove(begun)


@dataclass
class _Work:
    """Comparing one stream."""

    settings: Settings
    source: str
    stream: Stream
    wish: Wish
    reason: str | None = None
    first: Differences = field(default_factory=Differences)
    found: Differences = field(default_factory=Differences)
    remaining: Differences = field(default_factory=Differences)
    repaired: int = 0
    rows: int = 0
    rows_left_out: int = 0
    ranges: Ranges | None = None
    columns_left_out: tuple[str, ...] = ()
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Note why it cannot be compared."""
        try:
            yield
        except (TapError, WatershedError) as error:
            self.reason = " ".join(str(error).split())

    def compare(self, snapshot: Snapshot) -> None:
        """Compare the ranges whose turn it is."""
        with self._warehouse() as connection:
            sides = pair(connection, snapshot, self.stream)
            turn = records.samples_taken(connection, self.stream.state_id, self.stream.name)
            ranges = divide(sides.raw, None if self.wish.deep else turn)
            self.rows, self.first = compare(sides.source, sides.raw, ranges)
            self.rows_left_out = sides.rows_left_out
            self.columns_left_out = sides.columns_left_out
            self.ranges = ranges

    def settle(self, live: LiveSource) -> None:
        """Read what differs again, in a new snapshot, before it counts."""
        first, ranges = self.first, self.ranges
        if not first or ranges is None:
            return
        with live.snapshot() as snapshot, self._warehouse() as connection:
            sides = pair(connection, snapshot, self.stream)
            if first.keyless:
                _, self.found = compare(sides.source, sides.raw, ranges)
            else:
                self.found = compare_keys(sides.source, sides.raw, first.keys)
                self.found.unsettled = _unsettled(sides, self.found)
        self.remaining = self.found

    def repair(self, live: LiveSource) -> None:
        """Repair what differs, and compare it again."""
        from watershed.proof import repair as repairing  # noqa: PLC0415  # slow to load

        for _ in range(ROUNDS):
            if not self.remaining.keys:
                return
            keys = self.remaining.keys
            with live.snapshot() as snapshot:
                with self._warehouse() as connection:
                    sides = pair(connection, snapshot, self.stream)
                    before = compare_keys(sides.source, sides.raw, keys)
                if before:
                    repairing.repair(self.settings.warehouse, snapshot, self.stream, sides, before)
            with live.snapshot() as snapshot, self._warehouse() as connection:
                sides = pair(connection, snapshot, self.stream)
                self.remaining = compare_keys(sides.source, sides.raw, keys)
            self.remaining.unsettled = {
                key
                for key in self.remaining.keys
                if self.remaining.source.get(key) != before.source.get(key)
            }
        # Read again while they changed: the next load brings them.

    def result(self, lack: str | None) -> Reconciliation:
        """Say what was found."""
        remaining = len(self.remaining) - len(self.remaining.unsettled)
        reason = lack or self.reason or self._reservation(remaining)
        ranges = self.ranges
        is_sample = ranges is not None and ranges.turn is not None
        state = "unproved" if reason or ranges is None else "sampled" if is_sample else "proved"
        now = datetime.now(UTC)
        return Reconciliation(
            reconciliation_id=f"{now:%Y%m%dT%H%M%S.%fZ}-{self.stream.name}",
            source=self.source,
            state_id=self.stream.state_id,
            stream=self.stream.name,
            state=state,
            reason=reason,
            compared_rows=self.rows,
            rows_left_out=self.rows_left_out,
            ranges=ranges.count if ranges else 0,
            ranges_compared=ranges.compared if ranges else 0,
            missing=len(self.found.missing),
            extra=len(self.found.extra),
            different=len(self.found.different) + self.found.keyless,
            repaired=len(self.found.keys - self.remaining.keys),
            remaining=remaining,
            seconds=time.monotonic() - self.started,
            reconciled_at=now,
            keys=tuple(self.found.named()),
        )

    def _reservation(self, remaining: int) -> str | None:
        if self.remaining.keyless:
            return "its rows differ, and no key tells which: load it again"
        if remaining:
            named = ", ".join(f"{kind} {key}" for kind, key in self.remaining.named()[:3])
            return f"{remaining:,} rows differ from the source: {named}"
        if self.remaining.unsettled:
            return (
                f"{len(self.remaining.unsettled):,} rows changed about the time of the load: "
                "the next one reads them again"
            )
        if self.columns_left_out:
            return f"not all columns are compared: {'; '.join(self.columns_left_out)}"
        return None

    def _warehouse(self) -> duckdb.DuckDBPyConnection:
        return watershed_duckdb.connect(
            self.settings.warehouse, read_only=True, wait_seconds=LOCK_WAIT_SECONDS
        )


def _unsettled(sides: Pair, found: Differences) -> set[str]:
    """Find the keys whose rows an open transaction may have hidden from the load."""
    if sides.late is None:
        return set()
    candidates = found.missing | found.different
    return {
        key
        for condition in sides.source.having(candidates)
        for key in sides.source.digests(f"{sides.late} and {condition}")
    }


def to_json(found: Sequence[Reconciliation]) -> str:
    """Write them as a JSON list; times are ISO 8601."""
    rows = [dataclasses.asdict(each) for each in found]
    return json.dumps(rows, default=datetime.isoformat, indent=2)


def to_text(found: Sequence[Reconciliation]) -> str:
    """Write a line for each stream."""
    if not found:
        return "nothing is loaded yet: run `watershed load`"
    width = max(len(each.stream) for each in found)
    return "\n".join(_line(each, width) for each in found)


def _line(each: Reconciliation, width: int) -> str:
    parts = [f"{each.compared_rows:,} rows in {each.seconds:.1f} s"]
    if each.state == "sampled":
        parts.append(f"{each.ranges_compared} of {each.ranges} ranges")
    parts += [
        f"{count:,} {name}"
        for name, count in (
            ("missing", each.missing),
            ("extra", each.extra),
            ("different", each.different),
            ("repaired", each.repaired),
            ("left out, with a value in quarantine", each.rows_left_out),
        )
        if count
    ]
    if each.reason:
        parts.append(each.reason)
    return f"{each.stream:<{width}}  {each.state:<8}  {'; '.join(parts)}"
