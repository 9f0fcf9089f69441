"""The load plan: what Singer messages do to a warehouse, one transaction per STATE."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watershed_load_plan import ledger, state
from watershed_load_plan.apply import StreamApplier
from watershed_load_plan.conform import Stamp
from watershed_load_plan.exceptions import LoadError, RecordError, SchemaError
from watershed_load_plan.streams import Applied, LoadOptions, StreamLoad
from watershed_load_plan.tables import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from watershed_load_plan.warehouse import Changes, Warehouse

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Load:
    """A stream's share of a commit, prepared; what the ledger will say of it; seconds so far."""

    stream: StreamLoad
    applier: StreamApplier
    row: Mapping[str, Any]
    before: str | None
    after: str | None
    seconds: float


class LoadPlan:
    """Takes Singer messages in their order, and commits.

    Everything that came since the last commit (rows, versions, the bookmark, the ledger) becomes
    visible together or not at all.

    Args:
        warehouse: The dialect.
        options: What the configuration says.
    """

    def __init__(self, warehouse: Warehouse, options: LoadOptions) -> None:
        self._warehouse = warehouse
        self._options = options
        self._streams: dict[str, StreamLoad] = {}
        self._bookmarks: dict[str, str] | None = None
        self._is_committing = False
        self._postponed: dict[str, str] = {}

    def schema(self, stream: str, schema: Mapping[str, Any], keys: Sequence[str] | None) -> None:
        """Take a SCHEMA message.

        Raises:
            SchemaError: it cannot become a table, or its table is another stream's.
        """
        read = read_schema(stream, schema, keys, self._options.target_schema)
        for other in self._streams.values():
            if other.schema.table == read.table and other.schema.stream != stream:
                raise SchemaError(
                    f"streams {other.schema.stream} and {stream} would both land in table "
                    f"{read.table}: rename one with a stream map or leave it out of the selection"
                )
        if stream in self._streams:
            self._streams[stream].change_schema(read, schema["properties"])
        else:
            self._streams[stream] = StreamLoad(read, schema["properties"], self._options)

    def record(
        self, stream: str, record: Mapping[str, Any], version: int | None, extracted_at: str | None
    ) -> None:
        """Take a RECORD message; `extracted_at` is its ``time_extracted``."""
        self._stream(stream).add_record(record, version, extracted_at)

    def files(self, stream: str, files: Sequence[str], version: int | None) -> None:
        """Take the Parquet files of a BATCH message, and the table version it names."""
        self._stream(stream).add_files(files, version)

    def activate_version(self, stream: str, version: int) -> None:
        """Take an ACTIVATE_VERSION message: rows of other versions are the table's no longer."""
        self._stream(stream).add_activation(version)

    def commit(self, value: dict[str, Any] | None = None) -> None:
        """Commit what came since the last commit, with the bookmarks of a STATE message.

        Args:
            value: The STATE's value; None at the end of input.

        Raises:
            LoadError: nothing of it was committed.
        """
        if value is not None and not isinstance(value, dict):
            raise LoadError(
                f"STATE is not a JSON object but {type(value).__name__}: correct the tap"
            )
        parts = self._postponed | ({} if value is None else state.split(value))
        if value is not None and not self._is_urgent(parts):
            self._postponed = parts
            return
        if not self._has_news(parts):
            return
        self._is_committing = True
        with self._warehouse.session():
            if self._bookmarks is None:
                ledger.create_tables(self._warehouse)
                self._bookmarks = ledger.read_bookmarks(self._warehouse, self._options.state_id)
            stamp = _stamp()
            loads = [
                self._prepare(stream, parts, stamp)
                for stream in self._streams.values()
                if stream.has_news
            ]
            self._warehouse.transact(lambda: self._apply(loads, parts, stamp))
        for name, stream in self._streams.items():
            stream.settle(is_synced=name in parts)
        self._bookmarks.update(parts)
        self._postponed = {}
        self._is_committing = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing came since the last commit, and none is under way."""
        return not self._is_committing and not any(s.pending for s in self._streams.values())

    def close(self) -> None:
        """Delete what was never committed, and let the warehouse tidy up."""
        for stream in self._streams.values():
            stream.discard()
        self._warehouse.close()

    def totals(self) -> dict[str, Changes]:
        """Count what this run has done so far, by stream."""
        return {name: stream.total for name, stream in self._streams.items()}

    def _stream(self, name: str) -> StreamLoad:
        if name not in self._streams:
            raise RecordError(f"stream {name}: a message came before its SCHEMA: correct the tap")
        return self._streams[name]

    def _is_urgent(self, parts: Mapping[str, str]) -> bool:
        """Whether a STATE brings more than that nothing is new, which can wait for the next one."""
        if self._bookmarks is None or any(stream.pending for stream in self._streams.values()):
            return True
        return any(self._bookmarks.get(name) != text for name, text in parts.items())

    def _has_news(self, parts: Mapping[str, str]) -> bool:
        if any(stream.has_news for stream in self._streams.values()):
            return True
        return any(self._is_bookmark_news(name, text) for name, text in parts.items())

    def _is_bookmark_news(self, name: str, text: str) -> bool:
        """Whether a bookmark is to be written: it moved, or its stream was not yet seen synced."""
        stream = self._streams.get(name)
        is_unseen = stream is not None and (stream.has_news or not stream.is_synced)
        return is_unseen or (self._bookmarks or {}).get(name) != text

    def _prepare(self, stream: StreamLoad, parts: Mapping[str, str], stamp: Stamp) -> _Load:
        """Do for a stream what comes before the transaction."""
        began = time.monotonic()
        name = stream.schema.stream
        before, after = self._span(stream, parts)
        epoch = stream.version or (self._options.run_id if before == after else None)
        load_id = ledger.identity(
            self._options.state_id, name, before, after, stream.ordinal, epoch
        )
        row = {
            "load_id": load_id,
            "run_id": self._options.run_id,
            "state_id": self._options.state_id,
            "target_schema": stream.schema.table.schema,
            "stream": name,
            "table_name": stream.schema.table.name,
        }
        is_known = ledger.is_known(self._warehouse, ledger.LOADS, load_id)
        applier = StreamApplier(self._warehouse, stream, stamp, is_known=is_known)
        with _noted(name):
            applier.prepare()
        return _Load(stream, applier, row, before, after, time.monotonic() - began)

    def _apply(self, loads: Sequence[_Load], parts: Mapping[str, str], stamp: Stamp) -> None:
        """Do all that one transaction holds; where it was done before, the ledger says so."""
        for load in loads:
            self._load(load, stamp)
        self._write_bookmarks(parts, stamp)

    def _load(self, load: _Load, stamp: Stamp) -> None:
        began = time.monotonic()
        stream = load.stream
        is_known = ledger.is_known(self._warehouse, ledger.LOADS, load.row["load_id"])
        with _noted(stream.schema.stream):
            applied = load.applier.apply(is_known=is_known)
        self._quarantine(applied, load.row, stamp)
        if applied.is_worth_a_row:
            changes = applied.changes
            ledger.insert_once(
                self._warehouse,
                ledger.LOADS,
                {
                    **load.row,
                    "bookmark_before": load.before,
                    "bookmark_after": load.after,
                    "ordinal": stream.ordinal,
                    "table_version": stream.version,
                    "rows_inserted": changes.inserted,
                    "rows_updated": changes.updated,
                    "rows_unchanged": changes.unchanged,
                    "rows_deleted": changes.deleted,
                    "rows_quarantined": len(applied.unfit),
                    "bytes": applied.bytes,
                    "seconds": load.seconds + time.monotonic() - began,
                    "committed_at": stamp.at,
                },
            )
        stream.applied = applied

    def _span(self, stream: StreamLoad, parts: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Find the bookmarks between which a commit lies.

        The first commit of a run begins where the tap says it began, if it does; so the same
        messages coming again have the same span, whatever the warehouse has seen meanwhile.
        """
        name = stream.schema.stream
        known = (self._bookmarks or {}).get(name)
        after = parts.get(name, known)
        if stream.ordinal == 0:
            return state.starting_point(after) or known, after
        return known, after

    def _quarantine(self, applied: Applied, row: Mapping[str, Any], stamp: Stamp) -> None:
        rows = []
        for unfit in applied.unfit:
            place = unfit.key if unfit.key is not None else unfit.ordinal
            name = ledger.identity(row["state_id"], row["stream"], place, unfit.column, unfit.value)
            value, kept = _clipped(unfit.value, self._warehouse.longest_text)
            rows.append(
                {
                    **row,
                    "quarantine_id": name,
                    "record_key": unfit.key,
                    "column_name": unfit.column,
                    "value": value,
                    "reason": unfit.reason + kept,
                    "quarantined_at": stamp.at,
                }
            )
        ledger.insert_new(self._warehouse, ledger.QUARANTINE, rows)

    def _write_bookmarks(self, parts: Mapping[str, str], stamp: Stamp) -> None:
        for name, text in parts.items():
            if self._is_bookmark_news(name, text):
                ledger.write_bookmark(
                    self._warehouse,
                    {
                        "state_id": self._options.state_id,
                        "stream": name,
                        "bookmark": text,
                        "run_id": self._options.run_id,
                        "committed_at": stamp.at,
                    },
                )


def _clipped(value: str, longest: int | None) -> tuple[str, str]:
    """Keep of a value set aside what the ledger can hold, and say what it is not."""
    if longest is None:
        return value, ""
    kept, said = value, ""
    if "\0" in kept:
        kept, said = kept.replace("\0", r"\u0000"), r"; NUL is written \u0000 here"
    encoded = kept.encode()
    if len(encoded) > longest:
        kept = encoded[:longest].decode(errors="ignore")
        said += f"; of its {len(encoded)} bytes the first {len(kept.encode())} are kept here"
    return kept, said


@contextlib.contextmanager
def _noted(stream: str) -> Iterator[None]:
    """Let an error say which stream it met."""
    try:
        yield
    except Exception as error:
        error.add_note(f"stream {stream}")
        raise


def _stamp() -> Stamp:
    now = dt.datetime.now(dt.UTC)
    return Stamp(now.isoformat(timespec="microseconds"), int(now.timestamp() * 1000))
