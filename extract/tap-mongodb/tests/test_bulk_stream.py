"""The bulk path on a live server: neither lost nor doubled, evolution, bookmarks, memory."""

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from bson import Int64
from singer_sdk.singerlib.encoding.simple import SchemaMessage

from watershed_tap.bulk import SchemaChange
from watershed_tap.catalog import read_catalog
from watershed_tap.exceptions import SetupError
from watershed_tap.testing import Runner
from watershed_tap_mongodb.source import PART_BYTES, MongoSource, Query
from watershed_tap_mongodb.stream import MongoStream
from watershed_tap_mongodb.tap import TapMongoDB
from watershed_tap_mongodb.testing import told_by_bson, told_by_json

pytestmark = pytest.mark.extract

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
METHODS = {
    "full": {},
    "incremental": {"replication-method": "INCREMENTAL", "replication-key": "at"},
}
DOCUMENTS = 1_200
PER_BATCH = 100


@dataclass
class BulkRun:
    """One run of a stream by batches, as a writer of files makes it.

    Attributes:
        schemas: the columns of each SCHEMA.
        files: of each file the batches in it, with the position of their SCHEMA.
        versions: of each file the table version of its rows.
        states: the stream's state after each batch, and after the last one.
    """

    schemas: list[dict[str, Any]] = field(default_factory=list)
    files: list[list[pa.RecordBatch]] = field(default_factory=list)
    schema_of_file: list[int] = field(default_factory=list)
    versions: list[int | None] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)

    @property
    def batches(self) -> list[pa.RecordBatch]:
        return [batch for file in self.files for batch in file]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.to_pylist()]

    @property
    def kept(self) -> dict[str, dict[str, Any]]:
        """What a target has in the end: of each key the row that came last."""
        return {row["_id"]: row for row in self.rows}

    def write_message(self, message: object) -> None:
        if isinstance(message, SchemaMessage):
            self.schemas.append(message.schema["properties"])

    def run(self, stream: MongoStream) -> "BulkRun":
        stream._tap.write_message = self.write_message
        stream._write_schema_message()
        is_open = False
        stream.begin()
        for item in stream.bulk_batches():
            if isinstance(item, SchemaChange):
                is_open = False
                continue
            if not is_open:
                self.files.append([])
                self.schema_of_file.append(len(self.schemas) - 1)
                self.versions.append(stream._stream_version)
                is_open = True
            self.files[-1].append(item)
            self.states.append(copy.deepcopy(dict(stream.stream_state)))
        stream.finish()
        self.states.append(copy.deepcopy(dict(stream.stream_state)))
        return self


@pytest.fixture
def bulk(tap: Runner, db) -> Callable[..., BulkRun]:
    def run(catalog: dict[str, Any], state: dict[str, Any] | None = None) -> BulkRun:
        bookmarks = {} if state is None else {"bookmarks": {f"{db.name}-visits": state}}
        made = TapMongoDB(
            config=tap.config, catalog=read_catalog(copy.deepcopy(catalog)), state=bookmarks
        )
        try:
            return BulkRun().run(made.streams[f"{db.name}-visits"])
        finally:
            made.connector.close()

    return run


@pytest.fixture
def catalog(tap: Runner, db) -> Callable[[str], dict[str, Any]]:
    def of(method: str = "full") -> dict[str, Any]:
        return tap.catalog(**{f"{db.name}_visits": METHODS[method]})

    return of


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watershed_tap_mongodb.source.BATCH_DOCUMENTS", PER_BATCH)


def visits(count: int = DOCUMENTS) -> list[dict[str, Any]]:
    return [{"_id": n, "at": START + n * SECOND, "x": n, "tags": [n]} for n in range(count)]


def state_of(tap: Runner, db, catalog: dict[str, Any], **files: Any) -> dict[str, Any]:
    state = tap.sync(catalog=catalog, **files).state["bookmarks"][f"{db.name}-visits"]
    state.pop("version", None)  # a time of day
    return state


@pytest.mark.parametrize("method", METHODS)
def test_both_paths_give_the_same_documents_and_the_same_state(
    tap: Runner, db, catalog, bulk, method: str
) -> None:
    db.visits.create_index("at")
    db.visits.insert_many(visits())
    db.visits.insert_many([{"_id": "no time", "x": 1}, {"_id": 7.5, "at": "never", "x": 2}])
    given = catalog(method)
    result = bulk(given)
    records = tap.sync(catalog=given).records(f"{db.name}-visits")
    assert len(result.rows) == len(records) == DOCUMENTS + 2, "neither lost nor doubled"
    names = result.schemas[-1]
    assert {json.dumps({name: row[name] for name in names}) for row in result.rows} == {
        json.dumps({name: record.get(name) for name in names}) for record in records
    }
    result.states[-1].pop("version", None)
    assert result.states[-1] == state_of(tap, db, given)


def test_every_state_is_one_to_resume_from(tap: Runner, db, catalog, bulk) -> None:
    db.visits.create_index("at")
    db.visits.insert_many(visits())
    given = catalog("incremental")
    tap.config["overlap_seconds"] = 0
    whole = bulk(given)
    assert len(whole.batches) >= DOCUMENTS // PER_BATCH
    for cut in (1, 5, len(whole.batches) - 1):
        held = [row["_id"] for batch in whole.batches[:cut] for row in batch.to_pylist()]
        rest = [row["_id"] for row in bulk(given, whole.states[cut - 1]).rows]
        assert rest[0] == held[-1], "the last one comes again, and nothing before it"
        assert held + rest[1:] == [str(n) for n in range(DOCUMENTS)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("index", ["indexed", "not indexed"])
def test_a_field_that_breaks_its_type_in_the_middle_is_json_in_all_rows(  # noqa: PLR0913, PLR0917
    db, catalog, bulk, caplog, method: str, index: str
) -> None:
    if index == "indexed":
        db.visits.create_index("at")
    db.visits.insert_many(visits())
    given = catalog(method)
    db.visits.update_one({"_id": DOCUMENTS // 2}, {"$set": {"x": 1.5}})
    result = bulk(given)
    assert "field x was always int and is no longer" in caplog.text
    assert [schema["x"]["type"][0] for schema in result.schemas] == ["integer", "string"]
    assert {key: told_by_json(row["x"]) for key, row in result.kept.items()} == {
        str(n): told_by_bson(1.5 if n == DOCUMENTS // 2 else n) for n in range(DOCUMENTS)
    }
    for file, schema in zip(result.files, result.schema_of_file, strict=True):
        types = {str(batch.schema.field("x").type) for batch in file}
        assert types == {"int32" if schema == 0 else "string"}, "no file is of two SCHEMAs"
    if method == "incremental":
        assert "replication_key_value" in result.states[-1]
        again = bulk(given, result.states[-1])
        assert [schema["x"]["type"][0] for schema in again.schemas] == ["string"]


def test_no_state_lies_about_a_reading_that_is_to_be_done_again(db, catalog, bulk) -> None:
    db.visits.create_index("at")
    db.visits.insert_many(visits())
    given = catalog("incremental")
    db.visits.update_one({"_id": DOCUMENTS // 2}, {"$set": {"x": "one"}})
    result = bulk(given)
    for cut, state in enumerate(result.states[:-1], 1):
        held = {row["_id"]: row for batch in result.batches[:cut] for row in batch.to_pylist()}
        if state["fields"]["x"] == "json":
            rest = bulk(given, state)
            kept = held | rest.kept
            assert all(told_by_json(str(row["x"])) for row in kept.values())
            assert len(kept) == DOCUMENTS
            break
    else:
        pytest.fail("no state knows of the new type")


def test_rows_without_a_key_that_are_read_twice_are_of_two_versions(db, catalog, bulk) -> None:
    db.stored.insert_many(visits())
    db.command({"create": "visits", "viewOn": "stored", "pipeline": [{"$project": {"tags": 0}}]})
    given = catalog()
    db.stored.update_one({"_id": 1_000}, {"$set": {"x": "one"}})
    result = bulk(given)
    last = result.versions[-1]
    assert len(set(result.versions)) == 2
    rows = [
        row
        for version, file in zip(result.versions, result.files, strict=True)
        for batch in file
        for row in batch.to_pylist()
        if version == last
    ]
    assert sorted(int(row["_id"]) for row in rows) == list(range(DOCUMENTS))
    assert result.states[-1]["version"] == last


def test_fields_that_come_or_grow_later(db, catalog, bulk) -> None:
    db.visits.insert_many(visits())
    given = catalog()
    db.visits.update_one({"_id": 500}, {"$set": {"later": "x", "x": Int64(2**40)}})
    result = bulk(given)
    assert len(result.rows) == DOCUMENTS, "nothing is read twice"
    assert [schema["x"]["maximum"] for schema in result.schemas] == [2**31 - 1, 2**63 - 1]
    assert ["later" in schema for schema in result.schemas] == [False, True]
    assert result.kept["500"]["later"] == "x"
    assert result.kept["500"]["x"] == 2**40
    assert [set(file[0].schema.names) for file in result.files] == [set(s) for s in result.schemas]


def test_what_others_write_meanwhile_is_neither_lost_nor_doubled(
    db, catalog, bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.visits.insert_many(visits())
    given = catalog()
    read = MongoSource.raw_batches

    def disturbed(source: MongoSource, query: Query) -> Iterator[bytes]:
        for number, batch in enumerate(read(source, query)):
            yield batch
            if number == 0:
                db.visits.insert_one({"_id": "new", "at": START, "x": 1})
                db.visits.update_one({"_id": 7}, {"$set": {"x": -7}})

    monkeypatch.setattr(MongoSource, "raw_batches", disturbed)
    keys = [row["_id"] for row in bulk(given).rows]
    assert len(keys) == len(set(keys))
    assert {str(n) for n in range(DOCUMENTS)} <= set(keys)


def test_batches_are_bounded_whatever_a_document_weighs(db, catalog, bulk) -> None:
    text = "x" * 500_000
    db.visits.insert_many([{"_id": n, "text": text, "more": [text]} for n in range(7)])
    db.visits.insert_one({"_id": "huge", "lines": ["y" * 1_000] * 15_500})
    sizes = {tuple(b.column("_id").to_pylist()): b.nbytes for b in bulk(catalog()).batches}
    assert sorted(map(len, sizes)) == [1, 1, 2, 2, 2]
    assert sorted(key for keys in sizes for key in keys) == [*map(str, range(7)), "huge"]
    assert all(size < PART_BYTES for keys, size in sizes.items() if keys != ("huge",))


def test_a_batch_has_at_most_16_megabytes_even_if_all_is_escaped(db, catalog, bulk) -> None:
    db.visits.insert_many([{"_id": n, "x": ["\x01" * 100_000] * 12} for n in range(3)])
    sizes = [batch.nbytes for batch in bulk(catalog()).batches]
    assert len(sizes) == 2
    assert 6 * PART_BYTES * 0.9 < max(sizes) < 16_000_000


def test_a_damaged_document_ends_the_run_with_one_line(
    db, catalog, bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.visits.insert_many(visits(3))
    given = catalog()
    read = MongoSource.raw_batches
    for spoil in (
        lambda batch: batch[:-3],
        lambda batch: batch + b"\x00\x00",
        lambda batch: b"\x00\x00\x00\x00" + batch[4:],
        lambda batch: b"\xff\xff\xff\x7f" + batch[4:],
    ):
        monkeypatch.setattr(
            MongoSource,
            "raw_batches",
            lambda source, query, spoil=spoil: map(spoil, read(source, query)),
        )
        with pytest.raises(SetupError, match="or a document is damaged"):
            bulk(given)
