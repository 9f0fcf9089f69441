"""One table as a stream of RECORDs: what is selected, which rows a run reads, how far it got."""

from __future__ import annotations

import logging
import sys
import time
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import CatalogEntry, MetadataMapping
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL
from singer_sdk.singerlib.encoding.simple import RecordMessage, StateMessage
from singer_sdk.streams.core import Stream

from watershed_tap import privacy
from watershed_tap.exceptions import SetupError
from watershed_tap.replication import Bookmark, ReplicationKey, source_now
from watershed_tap.tables import text_schema

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from singer_sdk.singerlib import Catalog

    from watershed_tap.replication import BookmarkValue
    from watershed_tap.source import Source
    from watershed_tap.tables import Column, Convert, Table
    from watershed_tap.tap import DatabaseTap

Record = dict[str, Any]

# Rows between two points to resume from. The target commits at each.
ROWS_PER_STATE = 50_000


class RecordStream(Stream, ABC):
    """Reads one table, exactly; :class:`~watershed_tap.stream.TableStream` sends it in files too.

    The schema is that of the table as it is now, not as it was when the catalog was written: a
    column that has since become wider must not be cut. What the catalog decides is which streams
    and columns are selected, the key, and the replication method.

    Args:
        tap: the tap.
        catalog_entry: the stream as discovered, or as the given catalog has it.
        source: the database.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the source has written each value exactly
    _tap: DatabaseTap

    def __init__(self, tap: DatabaseTap, catalog_entry: dict[str, Any], source: Source) -> None:
        self.source = source
        self._entry = CatalogEntry.from_dict(catalog_entry)
        self.table = self._find_table()
        super().__init__(tap, name=self._entry.tap_stream_id)
        self._bookmark: Bookmark | None = None
        self._resume_from: BookmarkValue | None = None
        if self.selected:
            self._check()
        self.STATE_MSG_FREQUENCY = ROWS_PER_STATE if self.is_sorted else sys.maxsize

    @property
    def tap_stream_id(self) -> str:
        """As the catalog names the stream."""
        return self._entry.tap_stream_id

    @cached_property
    def metadata(self) -> MetadataMapping:
        """What the catalog says about the stream and its columns."""
        return self._entry.metadata

    @cached_property
    def replication_method(self) -> str:
        """FULL_TABLE, unless the catalog says otherwise."""
        root = self.metadata.root
        method = self._entry.replication_method or root.forced_replication_method
        return method or REPLICATION_FULL_TABLE

    @cached_property
    def replication_key(self) -> str | None:
        """The column that the catalog names for INCREMENTAL."""
        if self.replication_method != REPLICATION_INCREMENTAL:
            return None
        return self._entry.replication_key or self.metadata.root.replication_key

    @cached_property
    def primary_keys(self) -> tuple[str, ...]:  # type: ignore[override]  # nobody sets them
        """The key that the catalog's metadata give, or the table's own."""
        return tuple(self.metadata.root.table_key_properties or self.table.key)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """What is selected at the source: columns that the catalog selects, and the keys."""
        wanted = {*self._selected_names, *self.primary_keys, self.replication_key}
        return {
            name: column
            for name, column in self.table.columns.items()
            if name in wanted and self.actions.get(name) != privacy.DROP
        }

    @cached_property
    def actions(self) -> Mapping[str, str]:
        """What is done to columns of personal data: column to ``hash``, ``mask`` or ``drop``."""
        return self.source.settings.privacy.of(self._entry.tap_stream_id)

    @cached_property
    def _selected_names(self) -> list[str]:
        is_selected = self.metadata.resolve_selection()
        names = self._entry.schema.properties or {}
        return [name for name in names if is_selected["properties", name]]

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the stream's records."""
        properties = {
            name: text_schema() if name in self.actions else column.type.schema
            for name, column in self.columns.items()
        }
        return {"type": "object", "properties": properties}

    @cached_property
    def key(self) -> ReplicationKey | None:
        """The replication key; ``None`` for FULL_TABLE."""
        if self.replication_method != REPLICATION_INCREMENTAL:
            return None
        return ReplicationKey.of(self.table, self.replication_key, self._place)

    @property
    def _place(self) -> str:
        return f"{self.source.settings.source}, stream {self._entry.tap_stream_id}"

    @property
    def is_sorted(self) -> bool:
        """Whether rows come in the order of the key, so that each is a point to resume from."""
        return self.key is not None and self.key.is_sortable

    @property
    def emit_activate_version_messages(self) -> bool:
        """Never at the start of a stream, where the SDK would: see :meth:`finish`."""
        return False

    def apply_catalog(self, catalog: Catalog) -> None:
        """Nothing: the constructor has taken this stream's entry of it."""

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[Record]:  # noqa: ARG002  # never partitioned
        """Yield the rows of one run, and after the last one settle how far the stream has got."""
        self.begin()
        yield from self.read()
        self.finish()

    def read(self) -> Iterator[Record]:
        """Yield the rows of :meth:`statements`, each value as a RECORD has it."""
        names = list(self.columns)
        conversions = self._conversions()
        for statement in self.statements():
            for row in self.source.rows(statement, self.name):
                values = list(row)
                for position, convert in conversions:
                    if (value := values[position]) is not None:
                        values[position] = convert(value)
                yield dict(zip(names, values, strict=True))

    def _conversions(self) -> list[tuple[int, Convert]]:
        """What is left to do with which fields of a row."""
        found = []
        for position, (name, column) in enumerate(self.columns.items()):
            convert = column.type.convert
            if name in self.actions:
                salt = self.source.settings.privacy.salt
                convert = privacy.converter(self.actions[name], salt, convert)
            if convert is not None:
                found.append((position, convert))
        return found

    def begin(self) -> None:
        """Note where the stream stands before its first row."""
        if self.key is None:
            previous = self.stream_state.get("version", 0)
            self._stream_version = max(time.time_ns() // 1_000_000, previous + 1)
            return
        state = self.stream_state
        if state.get("replication_key") == self.replication_key:
            self._resume_from = self.key.read_bookmark(state["replication_key_value"])
        now = source_now(self.key, self.source.now)
        self._bookmark = Bookmark(self._resume_from, now)

    def statements(self) -> list[Any]:
        """SQL that reads this run's rows, to run in this order; call :meth:`begin` before."""
        if self.key is None:
            return self.select_all()
        return self.select_since(self.key, self._resume_from)

    @abstractmethod
    def select_all(self) -> list[Any]:
        """SQL that reads :attr:`columns` of every row, each as its type says."""

    @abstractmethod
    def select_since(self, key: ReplicationKey, bookmark: BookmarkValue | None) -> list[Any]:
        """SQL that reads what is new since the bookmark, or everything if there is none.

        Where :attr:`is_sorted`, the rows come in the order of the key, those without one first.
        """

    def finish(self) -> None:
        """Settle how far the stream has got, after its last row and before its last STATE."""
        if self._bookmark is None:
            self.stream_state["version"] = self._stream_version
            self._write_activate_version_message(self.stream_state["version"])
            return
        self._note_bookmark()
        if self._bookmark.is_future_seen:
            self.logger.warning(
                "stream %s has rows whose %s lies in the source's future: they do not move the "
                "bookmark and are read again by each run",
                self.name,
                self.replication_key,
            )

    def get_replication_key_signpost(self, context: object = None) -> None:
        """Nothing: the SDK would cap bookmarks at the tap's clock."""

    def finalize_state_progress_markers(self, state: object = None) -> None:
        """Nothing: :meth:`finish` has done it; the SDK would write the last STATE twice."""

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:  # noqa: ANN401  # the SDK's
        """Log for the SDK, but its word on a failure only to debuggers: a line of ours follows."""
        quiet = logging.DEBUG if level == logging.ERROR else level
        super().log(message, *args, level=quiet, **kwargs)

    def _write_starting_replication_value(self, context: object) -> None:
        """Nothing: :meth:`begin` reads the bookmark, and it alone."""

    def _increment_stream_state(self, latest_record: Record, *, context: object = None) -> None:  # noqa: ARG002  # the SDK's
        if self._bookmark is None or self.key is None:
            return
        self._bookmark.see(latest_record[self.key.name])
        if self.is_sorted:
            self._note_bookmark()

    def _note_bookmark(self) -> None:
        if self._bookmark is not None and self._bookmark.value is not None:
            self.stream_state["replication_key"] = self.replication_key
            self.stream_state["replication_key_value"] = self._bookmark.value

    def _process_record(self, *args: object, **kwargs: object) -> None:
        """Nothing: the SDK would copy each record for child streams, which tables do not have."""

    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        self._tap.bulk_run.throttle.pass_record(record)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=self.source.snapshot_at,
                )

    def _write_state_message(self) -> None:
        """Write STATE also when it says nothing new: the target commits, and dates, at each."""
        if not self.state_manager.is_flushed:
            self._tap.write_message(StateMessage(value=self.tap_state))
            self.state_manager.is_flushed = True

    def _find_table(self) -> Table:
        table = self.source.tables.get(self._entry.tap_stream_id)
        if table is None:
            raise SetupError(
                f"{self.source.settings.source}: selected stream {self._entry.tap_stream_id} does "
                f"not exist, or user {self.source.settings.user!r} may not read it: deselect it, "
                f"or grant {self.source.grants}"
            )
        return table

    def _check(self) -> None:
        if self.replication_method not in {REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL}:
            raise SetupError(
                f"{self._place}: replication method {self.replication_method} is not offered: "
                "choose FULL_TABLE or INCREMENTAL"
            )
        self._check_columns()
        self._check_privacy()
        if self.key is not None and not self.primary_keys:
            raise SetupError(
                f"{self._place}: INCREMENTAL needs a key, for rows come again: give "
                "table-key-properties in its metadata, or replicate it as FULL_TABLE"
            )

    def _check_columns(self) -> None:
        for name in (*self._selected_names, *self.primary_keys):
            if name not in self.table.columns:
                raise SetupError(
                    f"{self._place}: selected column {name!r} does not exist, or user "
                    f"{self.source.settings.user!r} may not read it: deselect it, or grant select"
                )

    def _check_privacy(self) -> None:
        types = {name: column.type for name, column in self.table.columns.items()}
        privacy.check_columns(self.actions, types, self.primary_keys, self._place)
        if self.replication_key in self.actions:
            raise SetupError(
                f"{self._place}: pseudonymise names the replication key {self.replication_key!r}, "
                "whose clear value every bookmark holds: choose another key"
            )
