"""The company database: one connection, and cursors on it that are read to their end."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gc
import logging
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import bson
import pymongo
from bson.errors import InvalidBSON
from pymongo.collation import Collation
from pymongo.errors import ConfigurationError, PyMongoError

from watershed_tap.catalog import catalog_entry
from watershed_tap.exceptions import SetupError
from watershed_tap.source import Source
from watershed_tap.tables import Column, ColumnType, KeyKind, Table, by_stream_id
from watershed_tap_mongodb.failures import client_failure, failure
from watershed_tap_mongodb.field_types import FieldType, Kind
from watershed_tap_mongodb.fields import ID, ID_TYPE, KEY_SCHEMAS, Document, profile
from watershed_tap_mongodb.values import CODEC_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.collection import Collection
    from pymongo.database import Database

    from watershed_tap_mongodb.settings import Settings

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 1_000  # the server ends a batch at 16 MB if that comes first
# Of BSON, decoded at a time, unless a document is larger. Extended JSON takes three times that, and
# six times if it escapes every character.
PART_BYTES = 2_500_000

_SMALLEST_DOCUMENT = 5  # bytes

_KEY_KINDS = {
    Kind.DATE: KeyKind.TIMESTAMPTZ,
    Kind.INT: KeyKind.INTEGER,
    Kind.LONG: KeyKind.INTEGER,
}


@dataclass(frozen=True, slots=True)
class Query:
    """Which documents to read, and in which order.

    Attributes:
        collection: its name.
        filter: as MongoDB takes it.
        sort: a field to sort by, ascending; ``None`` for the order that costs nothing.
        without: fields that the server leaves off.
    """

    collection: str
    filter: dict[str, Any] = field(default_factory=dict)
    sort: str | None = None
    without: tuple[str, ...] = ()


class MongoSource(Source):
    """Reads one database.

    There is no snapshot of it: MongoDB keeps one for five minutes only. A cursor gives each
    document that is there from beginning to end, in one of the forms that it had meanwhile.
    """

    grants: ClassVar[str] = "the role read on the database"

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every collection that the user may read, by stream id; of the columns only the key.

        Raises:
            TapError: the source does not answer, or ``filter_collections`` finds nothing.
        """
        try:
            found = list(self._database.list_collections(nameOnly=True, authorizedCollections=True))
        except PyMongoError as error:
            raise failure(error, self.settings, None) from error
        names = {entry["name"]: entry["type"] for entry in found}
        patterns = self.settings.filter_collections
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise SetupError(
                    f"{self.settings.source}: no collection that user {self.settings.user!r} may "
                    f"read is called {pattern}: correct filter_collections, or grant {self.grants}"
                )
        tables = [
            self._table(name, names[name])
            for name in sorted(names)
            if not name.startswith("system.")
            and (not patterns or any(fnmatchcase(name, pattern) for pattern in patterns))
        ]
        return by_stream_id(tables, self.settings.source, "filter_collections")

    @property
    def now(self) -> dt.datetime:
        """The source's own clock; without a snapshot it goes on while we read."""
        asked_at, told = self._clock
        return told + dt.timedelta(seconds=time.monotonic() - asked_at)

    @cached_property
    def _clock(self) -> tuple[float, dt.datetime]:
        try:
            hello = self._client.admin.command("hello")
        except PyMongoError as error:
            raise failure(error, self.settings, None) from error
        return time.monotonic(), hello["localTime"].replace(tzinfo=dt.UTC)

    def discover_catalog_entries(self) -> list[dict[str, Any]]:
        """Describe every collection as Singer catalogs do, the types of its fields included."""
        try:
            return [self.catalog_entry(table) for table in self.tables.values()]
        finally:
            self.close()

    def catalog_entry(self, table: Table) -> dict[str, Any]:
        """Describe one collection, after reading some or all of its documents."""
        columns = {
            name: Column(
                name,
                str(known),
                _column_type(known),
                _KEY_KINDS.get(known.kind),
                leads_an_index=False,
            )
            for name, known in profile(self._sample(table)).items()
        }
        return catalog_entry(dataclasses.replace(table, columns={**table.columns, **columns}))

    def rows(self, statement: Query, stream_id: str) -> Iterator[Document]:
        """Stream the documents of a query, one at a time; see :meth:`documents`."""
        for documents in self.documents(statement, stream_id):
            yield from documents

    def documents(self, query: Query, stream_id: str) -> Iterator[list[Document]]:
        """Stream the documents of a query; only some megabytes of them are ever in memory.

        Raises:
            TapError: the source stopped; the text names the stream.
        """
        try:
            for batch in self.raw_batches(query):
                for part in _parts(batch):
                    yield _decoded(part)
        except (PyMongoError, InvalidBSON) as error:
            raise failure(error, self.settings, stream_id) from error

    def raw_batches(self, query: Query) -> Iterator[bytes]:
        """Stream the documents of a query as the server sends them: BSON, one after the other."""
        self.snapshot_at = dt.datetime.now(dt.UTC)
        yield from self._database[query.collection].find_raw_batches(
            query.filter,
            projection=dict.fromkeys(query.without, 0) or None,
            sort=None if query.sort is None else [(query.sort, pymongo.ASCENDING)],
            collation=Collation("simple") if query.filter else None,
            batch_size=BATCH_DOCUMENTS,
            max_time_ms=self._max_time_ms,
        )

    def has_any(self, query: Query, stream_id: str) -> bool:
        """Whether a query finds a document."""
        try:
            found = self._database[query.collection].find_one(
                query.filter, {ID: 1}, max_time_ms=self._max_time_ms
            )
        except PyMongoError as error:
            raise failure(error, self.settings, stream_id) from error
        return found is not None

    def indexed_fields(self, table: Table, stream_id: str) -> set[str]:
        """Fields in whose order an index gives all documents that have them."""
        if not table.key:
            return set()
        try:
            indexes = list(self._database[table.name].list_indexes())
        except PyMongoError as error:
            raise failure(error, self.settings, stream_id) from error
        return {
            next(iter(index["key"]))
            for index in indexes
            if next(iter(index["key"].values())) in {1, -1}
            and not index.keys() & {"partialFilterExpression", "collation"}
            and not index.get("hidden")
        }

    def close(self) -> None:
        """Give the connection back; who asks again gets another."""
        if "_client" in self.__dict__:
            self._client.close()
            del self._client

    @cached_property
    def _client(self) -> pymongo.MongoClient[Document]:
        try:
            return pymongo.MongoClient(**self.settings.client_options())
        except (OSError, ValueError, TypeError, ConfigurationError) as error:
            raise client_failure(error, self.settings) from error

    @property
    def _database(self) -> Database[Document]:
        return self._client.get_database(self.settings.database, codec_options=CODEC_OPTIONS)

    @property
    def _max_time_ms(self) -> int | None:
        seconds = self.settings.max_time_seconds
        return None if seconds is None else seconds * 1_000

    def _table(self, name: str, kind: str) -> Table:
        """Views and time series do not hold their ``_id`` to be unique, so nothing is their key."""
        columns = {
            column: Column(column, "string", ColumnType(schema), None, leads_an_index=False)
            for column, schema in KEY_SCHEMAS.items()
        }
        key = (ID, ID_TYPE) if kind == "collection" else ()
        return Table(self.settings.database, name, kind == "view", columns, key)

    def _sample(self, table: Table) -> Iterator[Document]:
        collection = self._database[table.name]
        try:
            for batch in self._sample_batches(collection, table):
                yield from _decoded(batch)
        except (PyMongoError, InvalidBSON) as error:
            raise failure(error, self.settings, table.stream_id) from error

    def _sample_batches(self, collection: Collection[Document], table: Table) -> Iterator[bytes]:
        """Read all documents of a small collection, and of a large one some from anywhere in it."""
        most = self.settings.profile_documents
        count = collection.estimated_document_count() if table.key else 0
        if count <= most:
            limits = {"batch_size": BATCH_DOCUMENTS, "max_time_ms": self._max_time_ms}
            yield from collection.find_raw_batches(limit=most, **limits)
            return
        logger.info(
            "stream %s: types are those of %d among %d documents; what other documents hold is "
            "found out when they are read",
            *(table.stream_id, most, count),
        )
        options: dict[str, Any] = {"allowDiskUse": True, "batchSize": BATCH_DOCUMENTS}
        if self._max_time_ms is not None:
            options["maxTimeMS"] = self._max_time_ms
        yield from collection.aggregate_raw_batches([{"$sample": {"size": most}}], **options)


def _parts(batch: bytes) -> Iterator[memoryview]:
    """Split documents of BSON, each of which begins with its length, into parts of some size."""
    view = memoryview(batch)
    begin = end = 0
    while end < len(batch):
        length = max(int.from_bytes(view[end : end + 4], "little"), _SMALLEST_DOCUMENT)
        if begin < end and end + length - begin > PART_BYTES:
            yield view[begin:end]
            begin = end
        end += length
    if begin < end:
        yield view[begin:]


def _decoded(batch: bytes | memoryview) -> list[Document]:
    """Decode documents of BSON.

    They hold no cycles, so there is nothing for Python's garbage collector to find: its search,
    which making many objects sets off, would take as long as half of the decoding.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return bson.decode_all(batch, CODEC_OPTIONS)
    finally:
        if was_enabled:
            gc.enable()


def _column_type(known: FieldType) -> ColumnType:
    """Catalogs tell the type of a field also where its JSON schema leaves some of it open."""
    return ColumnType(known.schema | {"x-sql-datatype": str(known)})
