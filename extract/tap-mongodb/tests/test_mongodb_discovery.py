"""Which collections are found, and what of them is read."""

import json

import pytest

from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

ODD_NAMES = ["Capitals", "with space", "with.dot", "with-dash", "umläut", "percent %s", "x" * 60]


def test_finds_every_collection_and_its_key(tap: Runner, db) -> None:
    db.create_collection("empty")
    db.visits.insert_one({"at": 1, "n": 1})
    db.command({"create": "seen", "viewOn": "visits", "pipeline": []})
    streams = tap.discover()
    assert {name: stream["key_properties"] for name, stream in streams.items()} == {
        f"{db.name}-empty": ["_id", "_id_type"],
        f"{db.name}-seen": [],
        f"{db.name}-visits": ["_id", "_id_type"],
    }
    assert [name for name, stream in streams.items() if stream["is_view"]] == [f"{db.name}-seen"]
    assert set(streams[f"{db.name}-visits"]["schema"]["properties"]) == {
        *("_id", "_id_type", "at", "n"),
    }


def test_keeps_to_the_collections_asked_for(tap: Runner, db) -> None:
    for name in ("visits", "reviews", "review_notes"):
        db[name].insert_one({})
    found = tap.discover(settings={"filter_collections": ["review*"]})
    assert set(found) == {f"{db.name}-reviews", f"{db.name}-review_notes"}


def test_of_a_large_collection_a_sample_is_profiled_and_the_rest_found_out(tap: Runner, db) -> None:
    db.visits.insert_many([{"_id": n, "x": n} for n in range(40)])
    output = tap("--discover", settings={"profile_documents": 10})
    assert "types are those of 10 among 40 documents" in output.stderr
    db.visits.insert_one({"_id": 40, "x": "forty"})
    synced = tap.sync(settings={"profile_documents": 10})
    last = {record["_id"]: record for record in synced.records(f"{db.name}-visits")}
    assert len(last) == 41
    assert last["40"]["x"] == '"forty"'
    assert last["7"]["x"] == '{"$numberInt":"7"}'


@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
def test_every_name_that_mongodb_allows_works(tap: Runner, db, method: str) -> None:
    for name in ODD_NAMES:
        db[name].insert_one({"_id": name, "n": 1})
    catalog = tap.catalog()
    for stream in catalog["streams"]:
        [root] = [e["metadata"] for e in stream["metadata"] if not e["breadcrumb"]]
        root |= {"selected": True, "replication-method": method, "replication-key": "n"}
    output = tap.sync(catalog=catalog)
    for name in ODD_NAMES:
        assert [record["_id"] for record in output.records(f"{db.name}-{name}")] == [name]


def test_streams_that_are_not_selected_are_left_alone(tap: Runner, db) -> None:
    db.a.insert_one({})
    db.b.insert_one({})
    catalog = tap.catalog(**{f"{db.name}_a": {}})
    db.b.drop()
    assert [m["stream"] for m in tap.sync(catalog=catalog).of("SCHEMA")] == [f"{db.name}-a"]


class TestACollectionThatAppears:
    @pytest.fixture
    def catalog(self, tap: Runner, db):
        db.a.insert_one({"_id": 1})
        catalog = tap.catalog(**{f"{db.name}_a": {}})
        db.b.insert_one({"_id": 2, "name": "Ann", "card": "4711"})
        return catalog

    def test_is_read_if_it_is_selected(
        self, tap: Runner, db, catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(["*.*", "!*.card"]))
        output = tap.sync(catalog=catalog)
        assert f"stream {db.name}-b is new: it is selected, and read as FULL_TABLE" in output.stderr
        [record] = output.records(f"{db.name}-b")
        assert record == {"_id": "2", "_id_type": "int", "name": "Ann"}
        types = [message["type"] for message in output.messages]
        assert types.count("ACTIVATE_VERSION") == 2

    def test_is_said_and_left_alone_if_it_is_not(
        self, tap: Runner, db, catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps([f"{db.name}-a.*"]))
        output = tap.sync(catalog=catalog)
        assert f"stream {db.name}-b is new: it is not in the catalog" in output.stderr
        assert output.records(f"{db.name}-b") == []

    def test_is_said_without_meltano_too(self, tap: Runner, db, catalog) -> None:
        output = tap.sync(catalog=catalog)
        assert f"stream {db.name}-b is new: it is not in the catalog" in output.stderr


def test_stream_maps_apply_also_to_columns_that_come_later(tap: Runner, db) -> None:
    db.t.insert_one({"_id": 1, "name": "Ann", "secret": "x"})
    stream = f"{db.name}-t"
    catalog = tap.catalog(**{f"{db.name}_t": {}})
    db.t.insert_one({"_id": 2, "name": "Bo", "secret": "x", "more": 1})
    maps = {stream: {"secret": "__NULL__", "upper_name": "name.upper()"}}
    output = tap.sync(catalog=catalog, settings={"stream_maps": maps})
    assert output.records(stream)[1] == {
        "_id": "2",
        "_id_type": "int",
        "name": "Bo",
        "more": 1,
        "upper_name": "BO",
    }
    assert "more" in output.of("SCHEMA")[-1]["schema"]["properties"]
