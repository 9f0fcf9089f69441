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
        """Run a target over messages; return the STATEs it prints."""
        return self.feed("".join(json.dumps(message) + "\n" for message in messages), **config)

    def scenario(self, name, **config):
        """Run a target over a file of messages; return the STATEs it prints."""
        return self.feed((SCENARIOS / f"{name}.singer").read_text(), **config)

    def feed(self, text, **config):
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

    def types(self, table):
        return dict(self.rows(f"select column_name, column_type from (describe {table})"))


class Singer:
    """Writes Singer messages."""

    @staticmethod
    def schema(stream, keys=("id",), **properties):
        return {
            "type": "SCHEMA",
            "stream": stream,
            "schema": {"properties": properties},
            "key_properties": list(keys),
        }

    @staticmethod
    def record(stream, version=None, **values):
        message = {"type": "RECORD", "stream": stream, "record": values}
        return message if version is None else {**message, "version": version}

    @staticmethod
    def state(**bookmarks):
        return {"type": "STATE", "value": {"bookmarks": bookmarks}}

    @staticmethod
    def activate(stream, version):
        return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}

    @staticmethod
    def batch(stream, *files, **encoding):
        manifest = [f"file://{file}" for file in files]
        return {"type": "BATCH", "stream": stream, "encoding": encoding, "manifest": manifest}


@pytest.fixture
def loader(tmp_path, capsys):
    return Loader(tmp_path, capsys)


@pytest.fixture
def singer():
    return Singer()
