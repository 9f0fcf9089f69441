"""One collection as a Singer stream."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from watershed_bulk.columns import Action, BulkColumn
from watershed_tap import privacy
from watershed_tap.bulk import SchemaChange
from watershed_tap.exceptions import SetupError
from watershed_tap.stream import TableStream
from watershed_tap.tables import text_schema
from watershed_tap_mongodb import replication
from watershed_tap_mongodb.field_types import JSON, PLAIN_TYPES, FieldType, Kind
from watershed_tap_mongodb.fields import KEY_SCHEMAS, Fields
from watershed_tap_mongodb.replication import Bookmark, KeyType, ReplicationKey
from watershed_tap_mongodb.source import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyarrow import RecordBatch

    from watershed_bulk.writer import BatchFile
    from watershed_tap.stream import Record
    from watershed_tap_mongodb.columns import Columns
    from watershed_tap_mongodb.fields import Document
    from watershed_tap_mongodb.source import MongoSource
    from watershed_tap_mongodb.tap import TapMongoDB


# What the bookmark of a stream says of its columns: field to type, as they were sent last.
FIELDS = "fields"


class MongoStream(TableStream):
    """Reads one collection, exactly.

    The types of its fields are what discovery wrote into the catalog, what earlier runs learnt
    (which stands in the state), and what this run learns. When a field has a value that its column
    cannot hold, the column becomes JSON: a new SCHEMA says so, and after its last document the
    collection is read once more from the beginning, so that the column has one form in all rows.
    """

    source: MongoSource
    _tap: TapMongoDB
    _bookmark: Bookmark | None  # type: ignore[assignment]  # of MongoDB's own order

    def __init__(self, tap: TapMongoDB, catalog_entry: dict[str, Any], source: MongoSource) -> None:
        self._is_recalled = False
        self._is_outdated = False  # there are rows of another form than the columns have now
        self._last_key: Any = None
        super().__init__(tap, catalog_entry, source)

    @cached_property
    def fields(self) -> Fields:
        """The columns, as far as they are known by now."""
        described = self._entry.schema.properties or {}
        left_off = KEY_SCHEMAS.keys() | self._dropped_names
        selected = dict.fromkeys(name for name in self._selected_names if name not in left_off)
        if self.replication_key is not None and self.replication_key not in KEY_SCHEMAS:
            selected.setdefault(self.replication_key)
        types = {
            name: self._described_type(name, described[name].x_sql_datatype)
            if name in described
            else None
            for name in selected
        }
        return Fields(types, self._deselected_names, self._is_wanted)

    def _described_type(self, field: str, text: str | None) -> FieldType | None:
        known = FieldType.parse(text)
        if text is not None and known is None:
            raise SetupError(
                f"{self._place}: the catalog gives field {field} the x-sql-datatype {text!r}: "
                f"choose decimal(precision,scale) or one of {', '.join(PLAIN_TYPES)}"
            )
        return known

    @cached_property
    def _deselected_names(self) -> set[str]:
        described = self._entry.schema.properties or {}
        kept = {*self._selected_names, self.replication_key, *KEY_SCHEMAS}
        return (described.keys() - kept) | self._dropped_names

    @cached_property
    def _dropped_names(self) -> set[str]:
        return {name for name, action in self.actions.items() if action == privacy.DROP}

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the stream's records."""
        schema = self.fields.schema
        hidden = {name: text_schema() for name in schema["properties"] if name in self.actions}
        return schema | {"properties": schema["properties"] | hidden}

    @cached_property
    def key(self) -> ReplicationKey | None:  # type: ignore[override]  # of MongoDB's own order
        """The replication key; ``None`` for FULL_TABLE."""
        if self.replication_method != "INCREMENTAL":
            return None
        indexed = self.source.indexed_fields(self.table, self.name)
        return ReplicationKey.of(self.replication_key, indexed, self._place)

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[Record]:  # noqa: ARG002  # never partitioned
        """Yield the documents of one run, and at the end settle how far the stream has got."""
        self.begin()
        yield from self._records()
        while self._is_outdated:
            self._start_over()
            yield from self._records()
        self.finish()

    def bulk_batches(self) -> Iterator[RecordBatch | SchemaChange]:
        """Yield the documents of one run as batches of Arrow, with the columns of the SCHEMA.

        Call :meth:`begin` before and :meth:`finish` after it. The stream's state covers a batch
        from the moment it is yielded: before the next STATE send all that was yielded.

        Yields:
            A batch of some megabytes, unless a single document is larger; see
            :meth:`~watershed_tap_mongodb.columns.Columns.record_batch` for its types. Or a
            :class:`~watershed_tap.bulk.SchemaChange`.

        Raises:
            TapError: the source stopped.
        """
        from watershed_tap_mongodb.columns import Columns  # noqa: PLC0415  # loading it takes 0.3 s

        columns = Columns(self.fields)
        yield from self._batches(columns)
        while self._is_outdated:
            yield SchemaChange()
            self._start_over()
            yield from self._batches(columns)

    @property
    def bulk_columns(self) -> list[BulkColumn]:
        """What becomes of each field of a record batch."""
        kinds = {name: known.kind for name, known in self.fields.columns.items() if known}
        return [self._bulk_column(name, kinds.get(name)) for name in self.schema["properties"]]

    def _bulk_column(self, name: str, kind: Kind | None) -> BulkColumn:
        action = Action(self.actions[name]) if name in self.actions else None
        if kind is Kind.JSON:
            # A text that is hashed has the same hash in whatever column it stands.
            is_text, inside = "json_type({}) = 'VARCHAR'", "json_extract_string({}, '$')"
            plain = f"case when {is_text} then {inside} else {{}} end"
            return BulkColumn(
                name, "cast({} as JSON)", text=plain if action else "{}", action=action
            )
        typed = "cast({} as UUID)" if kind is Kind.UUID else "{}"
        return BulkColumn(name, typed, action=action)

    def _note_file(self, file: BatchFile, last: RecordBatch) -> None:
        """Nothing: :meth:`bulk_batches` has moved the bookmark over what it yielded."""

    def begin(self) -> None:
        """Note where the stream stands before its first document."""
        self._is_outdated = False
        if self.key is None:
            super().begin()
            return
        state = self.stream_state
        is_same_key = state.get("replication_key") == self.key.name
        self._key_type = self._find_key_type(self.key, state if is_same_key else {})
        resume_from = None
        if is_same_key and "replication_key_value" in state:
            text = state["replication_key_value"]
            resume_from = replication.read(self.key, self._key_type, text)
        self._start_at(resume_from)
        if not self.key.is_sortable:
            self.logger.warning(
                "stream %s: no index begins with %s, so each run makes the source look at every "
                "document, and one that breaks off starts anew: create an index",
                *(self.name, self.key.name),
            )

    def statements(self) -> list[Query]:
        """What to read in this run, in this order; call :meth:`begin` before."""
        if self.key is None:
            return self.select_all()
        return self.select_since(self.key, self._resume_from)

    def select_all(self) -> list[Query]:
        """Every document of the collection."""
        return [self._query({})]

    def select_since(
        self,
        key: ReplicationKey,  # type: ignore[override]  # of MongoDB's own order
        bookmark: replication.BookmarkValue | None,
    ) -> list[Query]:
        """What is new since the bookmark, or everything; first what no bookmark covers."""
        overlap = self.source.settings.overlap_seconds
        since = None
        if bookmark is not None:
            since = replication.overlapping(self._key_type, bookmark, overlap)
        outside = key.never_covered(self._key_type)
        newer = key.newer_than(self._key_type, since)
        if key.is_sortable:
            return [self._query(outside), self._query(newer, sort=key.name)]
        return [self._query({} if since is None else {"$or": [newer, *outside["$or"]]})]

    def finish(self) -> None:
        """Settle how far the stream has got, after its last document and before its last STATE."""
        super().finish()
        if self._bookmark is not None and self._bookmark.outside:
            self.logger.warning(
                "stream %s has %d documents without a %s that is a %s: no bookmark covers them, "
                "and each run reads them again",
                *(self.name, self._bookmark.outside, self.replication_key, self._key_type),
            )

    def _records(self) -> Iterator[Record]:
        key = "" if self.key is None else self.key.name
        for documents in self._documents():
            for document in documents:
                record = self.fields.record(document)
                if self.fields.has_changes:
                    self._announce_changes()
                self._last_key = document.get(key)
                for name in self.actions:
                    if record.get(name) is not None:
                        record[name] = self._hide(name, record[name])
                yield record

    def _hide(self, name: str, value: Any) -> str:  # noqa: ANN401  # what a RECORD would have
        known = self.fields.columns.get(name)
        if known is JSON and value.startswith('"'):
            value = json.loads(value)
        hidden = privacy.converter(self.actions[name], self.source.settings.privacy.salt, None)
        return str(hidden(value))

    def _batches(self, columns: Columns) -> Iterator[RecordBatch | SchemaChange]:
        for documents in self._documents():
            batch = columns.record_batch(documents)
            if self.fields.has_changes:
                yield SchemaChange()
                self._announce_changes()
            self._see(documents)
            yield batch

    def _documents(self) -> Iterator[list[Document]]:
        for query in self.statements():
            yield from self.source.documents(query, self.name)

    def _see(self, documents: list[Document]) -> None:
        """Move the bookmark over documents that were just made a batch."""
        if self._bookmark is None or self.key is None:
            return
        for document in documents:
            self._bookmark.see(document.get(self.key.name))
        if self.is_sorted:
            self._note_bookmark()

    def _query(self, condition: dict[str, Any], sort: str | None = None) -> Query:
        return Query(self.table.name, condition, sort, self.fields.left_off_by_source)

    def _start_at(self, bookmark: replication.BookmarkValue | None) -> None:
        self._resume_from = bookmark
        if self.key is not None:
            self._bookmark = Bookmark(self._key_type, bookmark, lambda: self.source.now)

    def _start_over(self) -> None:
        """Begin to read the collection once more, in the form that its columns have by now."""
        self._is_outdated = False
        if self._stream_version is not None:
            self._stream_version += 1  # without a key, rows of the first reading would be doubled
        self._start_at(None)

    def _find_key_type(self, key: ReplicationKey, state: Mapping[str, Any]) -> KeyType:
        """The type that an earlier run chose, that of all documents, or the likeliest there is."""
        known = replication.read_key_type(key, state)
        known = known or replication.key_type_of_field(self.fields.columns.get(key.name))
        if known is not None:
            return known
        for candidate in KeyType:
            if self.source.has_any(self._query(key.with_type(candidate)), self.name):
                return candidate
        return KeyType.DATE

    def _write_schema_message(self) -> None:
        """Write the columns as they are known by now, and note them for the next run."""
        if not self._is_recalled:
            self._recall()
            self._is_recalled = True
        self._tap.mapper.register_raw_stream_schema(self.name, self.schema, self.primary_keys)
        self._stream_maps = None
        super()._write_schema_message()
        self.stream_state[FIELDS] = {
            name: str(known) for name, known in self.fields.columns.items()
        }

    def _recall(self) -> None:
        """Take over what earlier runs learnt.

        Where the catalog knows better by now, their rows have another form than this run's.
        """
        fields = self.stream_state.get(FIELDS, {})
        if not isinstance(fields, dict):
            raise SetupError(
                f"{self._place}: its state has fields that are no object: correct them, or remove "
                "this stream from the state to read the collection anew (meltano state get, set)"
            )
        remembered = {name: FieldType.parse(str(text)) for name, text in fields.items()}
        self.fields.learn(remembered)
        self.fields.take_changes()
        for name, before in remembered.items():
            if before not in {None, JSON} and self.fields.columns.get(name) is JSON:
                self._announce_break(name, before)

    def _announce_changes(self) -> None:
        for change in self.fields.take_changes():
            if change.is_break:
                self._announce_break(change.field, change.before)
            elif change.before is None:
                self.logger.info(
                    "stream %s: new field %s: %s", self.name, change.field, change.after
                )
            else:
                self.logger.info(
                    "stream %s: field %s is %s by now", self.name, change.field, change.after
                )
        self._write_schema_message()

    def _announce_break(self, field: str, before: FieldType | None) -> None:
        """A column has a new form: until all rows have it, there is no bookmark to resume from."""
        self._is_outdated = True
        self.stream_state.pop("replication_key_value", None)
        self.logger.warning(
            "stream %s: field %s was always %s and is no longer: its column becomes JSON, for "
            "which the collection is read from its beginning",
            *(self.name, field, before),
        )

    def _increment_stream_state(self, latest_record: Record, *, context: object = None) -> None:  # noqa: ARG002  # the SDK's
        if self._bookmark is None:
            return
        self._bookmark.see(self._last_key)
        if self.is_sorted:
            self._note_bookmark()

    def _note_bookmark(self) -> None:
        if self._bookmark is None or self._bookmark.value is None or self._is_outdated:
            return
        value = replication.written(self._key_type, self._bookmark.value)
        self.stream_state["replication_key"] = self.replication_key
        self.stream_state["replication_key_type"] = self._key_type.value
        self.stream_state["replication_key_value"] = value

    def _is_wanted(self, field: str) -> bool:
        """Whether a field that the catalog does not know is selected."""
        is_dropped = field in self._dropped_names
        return not is_dropped and self._tap.selects(
            self.name, field, default=not self._deselected_names
        )

    def _check_privacy(self) -> None:
        if self.replication_key in self.actions:
            raise SetupError(
                f"{self._place}: pseudonymise names the replication key {self.replication_key!r}, "
                "whose clear value every bookmark holds: choose another key"
            )
        if KEY_SCHEMAS.keys() & self.actions.keys():
            raise SetupError(
                f"{self._place}: pseudonymise names _id, by which documents are found: hash the "
                "fields that tell of a person"
            )
        described = self._entry.schema.properties or {}
        for name in sorted(self.actions.keys() - described.keys()):
            self.logger.warning(
                "stream %s: pseudonymise names field %s, which no document had so far: check how "
                "it is written, lest another stay clear",
                *(self._entry.tap_stream_id, name),
            )

    def _check_columns(self) -> None:
        if not set(self.primary_keys) <= KEY_SCHEMAS.keys():
            raise SetupError(
                f"{self._place}: table-key-properties can only be {', '.join(KEY_SCHEMAS)}"
            )
