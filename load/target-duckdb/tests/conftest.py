"""A warehouse per test, and messages to feed it."""

import io
import json
from pathlib import Path

import pytest

from watershed_duckdb import connect
from watershed_target_duckdb.target import TargetDuckDB

SCENARIOS = Path(__file__).parent / "scenarios"


class Loader:
    """Feeds messages to a target and reads what it made of them."""

    def __init__(self, folder, capsys):
        self.path = folder / "warehouse.duckdb"
        self.spools = folder / "batches"
        self._capsys = capsys

    def load(self, *messages, **config):
        """Run a target over messages (dicts, or one scenario's name); return the STATEs it prints."""
        if len(messages) == 1 and isinstance(messages[0], str):
            text = (SCENARIOS / f"{messages[0]}.singer").read_text()
        else:
            text = "".join(json.dumps(message) + "\n" for message in messages)
        target = TargetDuckDB(config={"warehouse": str(self.path), **config})
        self._capsys.readouterr()
        target.listen(io.StringIO(text))
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def rows(self, sql, *parameters):
        with connect(self.path, read_only=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    def one(self, sql, *parameters):
        (row,) = self.rows(sql, *parameters)
        return row[0] if len(row) == 1 else row

    def live(self, table, columns="*"):
        return self.rows(f"select {columns} from {table} where _sdc_deleted_at is null order by all")


@pytest.fixture
def loader(tmp_path, capsys):
    return Loader(tmp_path, capsys)


def schema(stream, properties, keys=("id",)):
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"properties": properties},
        "key_properties": list(keys),
    }


def record(stream, version=None, **values):
    message = {"type": "RECORD", "stream": stream, "record": values}
    return message if version is None else {**message, "version": version}


def state(**bookmarks):
    return {"type": "STATE", "value": {"bookmarks": bookmarks}}


def activate(stream, version):
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}
