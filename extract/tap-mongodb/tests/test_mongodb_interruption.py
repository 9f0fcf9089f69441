"""A tap that is killed, a server that goes away, others that write meanwhile: nothing is lost."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import DocumentServer
from watershed_tap.testing import Runner
from watershed_tap_mongodb.source import MongoSource, Query
from watershed_tap_mongodb.tap import TapMongoDB

pytestmark = pytest.mark.extract

DOCUMENTS = 3_000
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
BY_TIME = {"replication-method": "INCREMENTAL", "replication-key": "at"}
COMMAND = str(Path(sys.executable).with_name("watershed-tap-mongodb"))
# The command line with a STATE after every 500 documents, which for real are 50,000.
OFTEN = (
    "import watershed_tap.record_stream as s; s.ROWS_PER_STATE = 500; "
    "from watershed_tap_mongodb.tap import TapMongoDB; TapMongoDB.cli()"
)


@pytest.fixture
def stream(db) -> str:
    return f"{db.name}-visits"


@pytest.fixture
def catalog(tap: Runner, db) -> dict[str, Any]:
    db.visits.insert_many([{"_id": n, "at": START + n * SECOND} for n in range(DOCUMENTS)])
    db.visits.create_index("at")
    return tap.catalog(**{f"{db.name}_visits": BY_TIME})


def started(tap: Runner, **files: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", OFTEN, *tap.arguments(**files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def lines_until_a_bookmark(
    process: subprocess.Popen[bytes], stream: str
) -> Iterator[dict[str, Any]]:
    for line in process.stdout or ():
        message = json.loads(line)
        yield message
        if message["type"] == "STATE" and message["value"]["bookmarks"][stream]:
            return


def test_killed_in_the_middle_it_resumes_from_its_last_state(
    tap: Runner, stream: str, catalog: dict[str, Any]
) -> None:
    with started(tap, catalog=catalog) as process:
        messages = list(lines_until_a_bookmark(process, stream))
        process.kill()
    sent = {message["record"]["_id"] for message in messages if message["type"] == "RECORD"}
    assert 0 < len(sent) < DOCUMENTS
    resumed = tap.sync(
        catalog=catalog, state=messages[-1]["value"], settings={"overlap_seconds": 100}
    )
    rest = {record["_id"] for record in resumed.records(stream)}
    assert sent | rest == {str(n) for n in range(DOCUMENTS)}
    assert len(rest) == DOCUMENTS - len(sent) + 101, "only the overlap comes again"


def test_ended_by_a_signal_it_does_not_report_success(
    tap: Runner, stream: str, catalog: dict[str, Any]
) -> None:
    with started(tap, catalog=catalog) as process:
        list(lines_until_a_bookmark(process, stream))
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 128 + signal.SIGTERM


def test_left_by_its_target_it_says_so_in_one_line(
    tap: Runner, stream: str, catalog: dict[str, Any]
) -> None:
    with started(tap, catalog=catalog) as process:
        list(lines_until_a_bookmark(process, stream))
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        stderr = process.stderr.read().decode()  # type: ignore[union-attr]  # as above
    assert process.returncode == 1
    assert stderr.rstrip().endswith("see its own error, then run again")
    assert "Traceback" not in stderr


def test_the_command_runs_in_a_bare_environment(tap: Runner, catalog: dict[str, Any]) -> None:
    output = subprocess.run(
        [COMMAND, *tap.arguments(catalog=catalog)],
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        check=True,
    )
    assert output.stdout.count(b'{"type":"RECORD"') == DOCUMENTS


class Interruption:
    """What happens at the source once a run has read its first batch."""

    def __init__(self) -> None:
        self.happen: Callable[[], object] | None = None


@pytest.fixture
def interruption(monkeypatch: pytest.MonkeyPatch) -> Interruption:
    monkeypatch.setattr("watershed_tap_mongodb.source.BATCH_DOCUMENTS", 500)
    interruption = Interruption()
    read = MongoSource.raw_batches

    def interrupted(source: MongoSource, query: Query) -> Iterator[bytes]:
        for batch in read(source, query):
            yield batch
            if interruption.happen and (query.sort or not query.filter):
                happen, interruption.happen = interruption.happen, None
                happen()

    monkeypatch.setattr(MongoSource, "raw_batches", interrupted)
    return interruption


@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
def test_what_others_write_meanwhile_is_neither_lost_nor_doubled(  # noqa: PLR0913, PLR0917  # fixtures
    tap: Runner, db, stream: str, catalog: dict[str, Any], interruption: Interruption, method: str
) -> None:
    """By key: what a target keeps after this run and the next is what the source holds."""

    def write() -> None:
        now = dt.datetime.now(dt.UTC)
        db.visits.insert_many([{"_id": f"new {n}", "at": now} for n in range(300)])
        db.visits.insert_one({"_id": "late", "at": START + (DOCUMENTS - 1) * SECOND})
        db.visits.update_many({"_id": {"$in": [7, 2_990]}}, {"$set": {"at": now, "x": "y" * 500}})

    [root] = [m for m in catalog["streams"][0]["metadata"] if not m["breadcrumb"]]
    root["metadata"]["replication-method"] = method
    interruption.happen = write
    first = tap.sync(catalog=catalog)
    assert "in the source's future" not in first.stderr, "its clock goes on"
    second = tap.sync(catalog=catalog, state=first.state)
    held = {r["_id"]: r for output in (first, second) for r in output.records(stream)}
    source = list(db.visits.find())
    assert {key: record.get("x") for key, record in held.items()} == {
        str(document["_id"]): document.get("x") for document in source
    }
    ids = [record["_id"] for record in second.records(stream)]
    assert len(ids) == len(set(ids)), "a quiet collection gives each document once"


def test_a_collection_that_is_dropped_meanwhile(
    tap: Runner, db, stream: str, catalog: dict[str, Any], interruption: Interruption
) -> None:
    interruption.happen = db.visits.drop
    error = tap(catalog=catalog).error
    assert f"stream {stream}: it lost our cursor: the collection was dropped" in error
    assert error.endswith("run again: the last STATE is safe")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[DocumentServer]:
    """A server that a test may stop."""
    server = DocumentServer(tmp_path / "server", is_throwaway=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_tap(own_server: DocumentServer, tmp_path: Path) -> Runner:
    database = own_server.database("web")
    config = {
        "host": database.host,
        "port": database.port,
        "database": "web",
        "user": database.user,
        "password": database.password,
        "tls_ca_file": str(database.ca_file),
        "connect_timeout_seconds": 1,
    }
    return Runner(TapMongoDB, database, config, tmp_path)


def test_a_server_that_restarts_in_mid_read(
    own_server: DocumentServer, own_tap: Runner, interruption: Interruption
) -> None:
    with own_server.database("web").connect() as client:
        client.web.visits.insert_many([{"_id": n, "at": START} for n in range(1_200)])
    catalog = own_tap.catalog(web_visits={})

    def restart() -> None:
        own_server.stop()
        own_server.start()

    interruption.happen = restart
    failed = own_tap(catalog=catalog)
    assert "database 'web' at 127.0.0.1" in failed.error
    assert "run again: the last STATE is safe" in failed.error
    assert not failed.of("ACTIVATE_VERSION"), "a version that is incomplete is never activated"
    assert len(own_tap.sync(catalog=catalog).records("web-visits")) == 1_200


def test_a_primary_that_steps_down_in_mid_read(
    own_server: DocumentServer, own_tap: Runner, interruption: Interruption
) -> None:
    """This server has no secondary to take over; it only stops being a primary."""
    with own_server.database("web").connect() as client:
        client.web.visits.insert_many([{"_id": n, "at": START} for n in range(1_200)])
        catalog = own_tap.catalog(web_visits={})
        interruption.happen = lambda: client.admin.command("replSetStepDown", 60, force=True)
        output = own_tap(catalog=catalog)
        assert output.exit_code == 0 or "run again" in output.error
        assert "no server answers that may be read" in own_tap(catalog=catalog).error
        secondary = own_tap.sync(
            catalog=catalog, settings={"direct_connection": True, "read_preference": "secondary"}
        )
    assert len(secondary.records("web-visits")) == 1_200
    os.kill(own_server.pid(), signal.SIGKILL)  # it can be asked for nothing any more
