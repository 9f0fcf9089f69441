"""Runs loads that are killed at a step of their own choosing; `test_kill.py` asks for them.

A process that has imported everything forks for each request, so that a load takes no start-up.
A request is a line of JSON, ``[path, source, version, last step or 0]``; the answer is one too,
``[steps taken, exit status]``.
"""

import contextlib
import io
import json
import mmap
import os
import signal
import sys
from unittest import mock

from watershed_duckdb import connect
from watershed_load_plan import ledger
from watershed_load_plan.apply import StreamApplier
from watershed_state_backend.duckdb_store import DuckDBStateStoreManager
from watershed_target_duckdb.target import TargetDuckDB
from watershed_target_duckdb.warehouse import DuckDBWarehouse

STATE_ID = "dev:tap-to-target"
PROPERTIES = {"id": {"type": "integer"}, "value": {"type": ["string", "null"]}}
ROWS_PER_STATE = 2


def messages(source, bookmark, version):
    """What a tap sends that begins at a bookmark: a STATE after every few rows and each stream."""
    marks = {"shop-incremental": {"last_id": bookmark}} if bookmark else {}

    def state():
        return {"type": "STATE", "value": {"bookmarks": json.loads(json.dumps(marks))}}

    for stream, rows in source.items():
        is_full = stream != "shop-incremental"
        keys = [] if stream == "shop-keyless" else ["id"]
        schema = {"properties": PROPERTIES}
        yield {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys}
        due = [row for row in rows if is_full or row[0] >= bookmark]
        for count, (number, value) in enumerate(due, start=1):
            record = {"id": number, "value": value}
            envelope = {"version": version} if is_full else {}
            yield {"type": "RECORD", "stream": stream, "record": record, **envelope}
            marks[stream] = {} if is_full else {"last_id": number}
            if count % ROWS_PER_STATE == 0:
                yield state()
        if is_full:
            yield {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}
        yield state()


def run(path, source, version):
    """Load like Meltano does: begin at the state that the warehouse has."""
    known = DuckDBStateStoreManager(f"duckdb://{path}").get(STATE_ID)
    bookmarks = known.completed_state["singer_state"].get("bookmarks", {}) if known else {}
    bookmark = bookmarks.get("shop-incremental", {}).get("last_id", 0)
    text = "".join(json.dumps(line) + "\n" for line in messages(source, bookmark, version))
    target = TargetDuckDB(config={"warehouse": str(path), "state_id": STATE_ID})
    with contextlib.redirect_stdout(io.StringIO()):
        target.listen(io.StringIO(text))


def run_and_die(path, source, version, last_step, steps):
    """Run a load that is killed at one of its steps; count the steps it took."""

    def step():
        steps[0] += 1
        if steps[0] == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(original):
        def call(*args, **kwargs):
            step()
            return original(*args, **kwargs)

        return call

    @contextlib.contextmanager
    def open_file(*args, **kwargs):
        with connect(*args, **kwargs) as connection:
            wrapped = mock.Mock(wraps=connection)
            wrapped.commit = stepping(connection.commit)
            yield wrapped
            step()
        step()

    with (
        mock.patch.object(StreamApplier, "apply", stepping(StreamApplier.apply)),
        mock.patch.object(DuckDBWarehouse, "merge", stepping(DuckDBWarehouse.merge)),
        mock.patch.object(DuckDBWarehouse, "replace", stepping(DuckDBWarehouse.replace)),
        mock.patch.object(ledger, "insert_once", stepping(ledger.insert_once)),
        mock.patch.object(ledger, "write_bookmark", stepping(ledger.write_bookmark)),
        mock.patch("watershed_target_duckdb.warehouse.connect", open_file),
    ):
        run(path, source, version)


def serve():
    steps = mmap.mmap(-1, 1)
    for line in sys.stdin:
        path, source, version, last_step = json.loads(line)
        steps[0] = 0
        child = os.fork()
        if child == 0:
            run_and_die(path, source, version, last_step, steps)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        answer = json.dumps([steps[0], os.waitstatus_to_exitcode(status)])
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
