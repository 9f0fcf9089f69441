"""Whatever is wrong ends in one line that names source, stream and cure; exit code 1; no secret."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo.errors import NotPrimaryError, OperationFailure

from watershed_servers.certificates import write_certificates
from watershed_tap.testing import Runner
from watershed_tap_mongodb.source import MongoSource

pytestmark = pytest.mark.extract

FAST = {"connect_timeout_seconds": 1}
BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "at"}


def test_source_is_down(tap: Runner) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = tap(settings=FAST | {"port": port}).error
    place = f"MongoDB database '{tap.database.dbname}' at 127.0.0.1:{port}"
    assert f"{place}: no server answers that may be read" in error
    assert "Connection refused" in error
    assert ": check that it is up, and host, port, tls, replica_set, read_preference" in error


def test_source_does_not_answer(tap: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = tap(settings=FAST | {"port": port}).error
    assert "no server answers that may be read" in error


@pytest.mark.parametrize("field", ["user", "password"])
def test_password_is_wrong(tap: Runner, field: str) -> None:
    output = tap(settings={field: "wrong-secret"})
    assert "with this password: correct user, password and auth_source" in output.error
    assert field == "user" or "wrong-secret" not in output.stderr


def test_certificate_is_of_another_authority(tap: Runner, tmp_path: Path) -> None:
    write_certificates(tmp_path / "tls")
    other = str(tmp_path / "tls" / "ca.crt")
    error = tap(settings=FAST | {"tls_ca_file": other}).error
    assert f"its certificate is not signed by a CA in tls_ca_file ({other})" in error


def test_certificate_is_not_trusted_by_default(tap: Runner) -> None:
    assert "its certificate is not signed by a CA" in tap(settings=FAST | {"tls_ca_file": ""}).error


def test_certificate_is_of_another_host(tap: Runner) -> None:
    with forwarded(tap.database.port) as (host, port):
        error = tap(settings=FAST | {"host": host, "port": port}).error
    assert f"its certificate was issued for another host than {host}:{port}" in error


@contextmanager
def forwarded(port: int) -> Iterator[tuple[str, int]]:
    """Another address of this machine from which the server can be reached."""
    with socket.create_server(("127.0.0.2", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                server = socket.create_connection(("127.0.0.1", port))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=(source, sink), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
    except OSError:
        pass  # either side has closed
    finally:
        sink.close()


def test_ca_file_cannot_be_read(tap: Runner) -> None:
    error = tap(settings={"tls_ca_file": "/nowhere/ca.crt"}).error
    assert "the CA file /nowhere/ca.crt cannot be read (No such file or directory)" in error


def test_tls_is_expected_by_the_server(tap: Runner) -> None:
    error = tap(settings=FAST | {"tls": False, "tls_ca_file": ""}).error
    assert "no server answers that may be read" in error
    assert "check that it is up, and host, port, tls" in error


def test_a_connection_string_connects(tap: Runner, db) -> None:
    db.t.insert_one({"_id": 1})
    source = tap.database
    uri = (
        f"mongodb://{source.user}:{source.password}@127.0.0.1:{source.port}/?authSource=admin"
        f"&tlsCAFile={source.ca_file}"
    )
    tap.config = {"uri": uri, "database": source.dbname}
    assert len(tap.sync().records(f"{db.name}-t")) == 1
    tap.config["uri"] = uri.replace(source.password, "wrong-secret")
    output = tap()
    assert f"at 127.0.0.1:{source.port}: it refuses user '{source.user}'" in output.error
    assert "wrong-secret" not in output.stderr
    tap.config["uri"] = "mongodb://Ann:wrong-secret@127.0.0.1:99999/"
    output = tap()
    assert "the driver cannot connect with these settings: correct uri" in output.error
    assert "wrong-secret" not in output.stderr


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"port": "secret-in-the-wrong-place"}, "port: must be of type"),
        ({"host": ""}, "host: must be given, or uri"),
        ({"read_preference": "any"}, "read_preference: must be one of"),
        ({"overlap_seconds": -1}, "overlap_seconds: must be at least 0"),
        ({"uri": "mongodb://x"}, "uri, host, user, password: the connection string takes"),
        ({"uri": "x", "host": "", "user": "", "password": ""}, "uri: it must be like mongodb://"),
        ({"uri": "mongodb://[", "host": "", "user": "", "password": ""}, "uri: it must be like"),
        ({"tls": False}, "tls_ca_file: without tls nothing is verified"),
    ],
)
def test_settings_are_wrong(tap: Runner, settings: dict[str, Any], problem: str) -> None:
    output = tap(settings=settings)
    assert f"settings are wrong: {problem}" in output.error
    assert "secret-in-the-wrong-place" not in output.stderr


def test_user_may_not_read(tap: Runner, document_server, db) -> None:
    db.t.insert_one({"_id": 1})
    with document_server.database().connect() as client:
        client.admin.command(
            "createUser",
            f"stranger_{db.name}",
            pwd=tap.database.password,
            roles=[{"role": "read", "db": "elsewhere"}],
        )
        output = tap(settings={"user": f"stranger_{db.name}"})
        client.admin.command("dropUser", f"stranger_{db.name}")
    assert "user 'stranger" in output.error


def test_a_reader_needs_no_more_than_the_role_read(tap: Runner, document_server, db) -> None:
    db.t.insert_one({"_id": 1, "at": 5})
    reader = f"reader_{db.name}"
    with document_server.database().connect() as client:
        client.admin.command(
            "createUser", reader, pwd=tap.database.password, roles=[{"role": "read", "db": db.name}]
        )
        tap.config["user"] = reader
        catalog = tap.catalog(**{f"{db.name}_t": {**BY_TIME}})
        output = tap.sync(catalog=catalog)
        client.admin.command("dropUser", reader)
    assert len(output.records(f"{db.name}-t")) == 1


def test_a_role_for_one_collection_is_enough_to_read_that(tap: Runner, document_server, db) -> None:
    db.open.insert_one({"_id": 1, "at": 5})
    name = f"role_{db.name}"
    resource = {"db": db.name, "collection": "open"}
    privileges = [
        {"resource": resource, "actions": ["find", "listIndexes"]},
        {"resource": {"db": db.name, "collection": ""}, "actions": ["listCollections"]},
    ]
    with document_server.database().connect() as client:
        client.admin.command("createRole", name, privileges=privileges, roles=[])
        client.admin.command("createUser", name, pwd=tap.database.password, roles=[name])
        tap.config["user"] = name
        catalog = tap.catalog(**{f"{db.name}_open": {**BY_TIME}})
        output = tap.sync(catalog=catalog)
        client.admin.command("dropUser", name)
        client.admin.command("dropRole", name)
    assert len(output.records(f"{db.name}-open")) == 1


def test_nothing_is_selected(tap: Runner, db) -> None:
    db.t.insert_one({})
    assert "no stream is selected of the 1 that user" in tap(catalog={"streams": []}).error
    db.t.drop()
    assert "no stream is selected of the 0 that user" in tap().error


def test_a_filter_finds_nothing(tap: Runner, db) -> None:
    db.t.insert_one({})
    error = tap("--discover", settings={"filter_collections": ["tt*"]}).error
    assert "is called tt*: correct filter_collections, or grant the role read" in error


def test_a_selected_collection_is_gone(tap: Runner, db) -> None:
    db.t.insert_one({})
    catalog = tap.catalog(**{f"{db.name}_t": {}})
    db.t.drop()
    error = tap(catalog=catalog).error
    assert f"selected stream {db.name}-t does not exist, or user" in error
    assert error.endswith("deselect it, or grant the role read on the database")


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"replication-key": None}, "it is INCREMENTAL without a replication key"),
        ({"replication-key": "a.b"}, "replication key 'a.b' is no field at the top of a document"),
        ({"replication-key": "$at"}, "replication key '$at' is no field at the top"),
        ({"replication-method": "LOG_BASED"}, "replication method LOG_BASED is not offered"),
        ({"table-key-properties": ["name"]}, "table-key-properties can only be _id, _id_type"),
    ],
)
def test_replication_cannot_work(tap: Runner, db, metadata: dict[str, Any], problem: str) -> None:
    db.t.insert_one({"at": 5})
    error = tap(catalog=tap.catalog(**{f"{db.name}_t": BY_TIME | metadata})).error
    assert f"stream {db.name}-t: {problem}" in error


def test_a_view_cannot_be_incremental_without_a_key(tap: Runner, db) -> None:
    db.t.insert_one({"at": 5})
    db.command({"create": "v", "viewOn": "t", "pipeline": []})
    assert "INCREMENTAL needs a key" in tap(catalog=tap.catalog(**{f"{db.name}_v": BY_TIME})).error
    keyed = BY_TIME | {"table-key-properties": ["_id", "_id_type"]}
    output = tap.sync(catalog=tap.catalog(**{f"{db.name}_v": keyed}))
    assert output.of("SCHEMA")[0]["key_properties"] == ["_id", "_id_type"]


@pytest.mark.parametrize(
    ("catalog", "problem"),
    [("{", "the catalog in"), ("[]", "the catalog is malformed at $ ")],
)
def test_catalog_is_malformed(tap: Runner, catalog: str, problem: str) -> None:
    assert problem in tap(catalog=catalog).error


@pytest.mark.parametrize("state", ["", "[]", '{"bookmarks": {"x": 1}}'])
def test_state_is_malformed(tap: Runner, state: str) -> None:
    assert "the state " in tap(state=state).error


@pytest.mark.parametrize(
    ("bookmark", "problem"),
    [
        ({"replication_key_value": "yesterday"}, "its bookmark 'yesterday' is no date"),
        ({"replication_key_value": 7}, "its bookmark 7 is no date"),
        ({"replication_key_type": "moon"}, "its state has replication_key_type 'moon'"),
        (
            {"replication_key_type": "objectId", "replication_key_value": "x"},
            "its bookmark 'x' is no objectId",
        ),
        (
            {"replication_key_type": "number", "replication_key_value": "NaN"},
            "its bookmark 'NaN' is no number",
        ),
        ({"fields": ["x"]}, "its state has fields that are no object"),
    ],
)
def test_bookmark_is_malformed(tap: Runner, db, bookmark: dict[str, Any], problem: str) -> None:
    db.t.insert_one({"at": None})
    state = {"bookmarks": {f"{db.name}-t": {"replication_key": "at"} | bookmark}}
    error = tap(catalog=tap.catalog(**{f"{db.name}_t": BY_TIME}), state=state).error
    assert f"stream {db.name}-t: {problem}" in error
    assert "(meltano state get, set)" in error


def test_a_text_is_not_utf8(tap: Runner, db, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server here refuses to hold one, so it is put on its way to us."""
    db.t.insert_one({"_id": 1, "name": "Ann"})
    catalog = tap.catalog(**{f"{db.name}_t": {}})
    spoilt = bson.encode({"_id": 1, "name": "Ann"}).replace(b"Ann", b"A\xffn")
    monkeypatch.setattr(MongoSource, "raw_batches", lambda *_: iter([spoilt]))
    error = tap(catalog=catalog).error
    assert f"stream {db.name}-t: a text is not UTF-8, or a document is damaged" in error
    assert error.endswith("correct it at the source, or deselect its field")


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (NotPrimaryError("not primary"), "it broke off (not primary): run again: the last STATE"),
        (OperationFailure("stepped down", 189), "it broke off (stepped down): run again"),
        (OperationFailure("killed", 175), "the collection or an index of it was dropped meanwhile"),
        (OperationFailure("slow", 50), "it worked longer than max_time_seconds: raise it"),
        (OperationFailure("capped", 136), "the capped collection overwrote what was to be read"),
        (
            OperationFailure("no", 13),
            "user '{user}' may not read it: grant the role read on the database",
        ),
        (OperationFailure("odd, full error: {}", 9999), "it reports error 9999 (odd): correct it"),
    ],
)
def test_what_servers_report_in_the_middle(
    tap: Runner, db, monkeypatch: pytest.MonkeyPatch, raised: Exception, problem: str
) -> None:
    """These need a replica set, or much data; here they come out of the cursor itself."""

    def batches(*_: object) -> Iterator[bytes]:
        yield bson.encode({"_id": 1})
        raise raised

    db.t.insert_one({"_id": 1})
    catalog = tap.catalog(**{f"{db.name}_t": {}})
    monkeypatch.setattr(MongoSource, "raw_batches", batches)
    problem = problem.format(user=tap.database.user)
    assert f"stream {db.name}-t: {problem}" in tap(catalog=catalog).error
