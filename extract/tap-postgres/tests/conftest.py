"""Runs the tap as its command line would, and sorts what it says."""

import io
import json
import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from watershed_servers import PostgresDatabase
from watershed_tap_postgres.tap import TapPostgres


@dataclass(frozen=True)
class Output:
    """What one run of the tap left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        # Not splitlines, which also splits at characters that a value may hold.
        return [json.loads(line) for line in self.stdout.split("\n") if line]

    def of(self, message_type: str, stream: str | None = None) -> list[dict[str, Any]]:
        return [
            message
            for message in self.messages
            if message["type"] == message_type and stream in (None, message.get("stream"))
        ]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [message["record"] for message in self.of("RECORD", stream)]

    def schema(self, stream: str) -> dict[str, Any]:
        return self.of("SCHEMA", stream)[0]["schema"]["properties"]

    @property
    def state(self) -> dict[str, Any]:
        return self.of("STATE")[-1]["value"]

    @property
    def error(self) -> str:
        """The one line that says what went wrong."""
        assert self.exit_code == 1
        assert "Traceback" not in self.stderr
        [line] = [line for line in self.stderr.splitlines() if " ERROR " in line]
        assert self.stderr.rstrip().endswith(line)
        return line


class Runner:
    """Runs the tap on one database, in this process."""

    def __init__(self, database: PostgresDatabase, folder: Path) -> None:
        self.database = database
        self.config: dict[str, Any] = {
            "host": database.host,
            "port": database.port,
            "database": database.dbname,
            "user": database.user,
            "password": database.password,
            "sslrootcert": str(database.ca_file),
        }
        self.folder = folder

    def __call__(self, *arguments: str, **files: Any) -> Output:
        """Run with ``catalog`` and ``state``; ``settings`` are added to the usual ones."""
        return self.run(*self.arguments(*arguments, **files))

    def run(self, *arguments: str) -> Output:
        output = run_command(*arguments)
        for text in (output.stdout, output.stderr):
            assert self.database.password not in text
        return output

    def arguments(self, *arguments: str, **files: Any) -> list[str]:
        files["config"] = self.config | files.pop("settings", {})
        result = list(arguments)
        for name, content in files.items():
            file = self.folder / f"{name}.json"
            file.write_text(content if isinstance(content, str) else json.dumps(content))
            result += [f"--{name}", str(file)]
        return result

    def discover(self, **files: Any) -> dict[str, dict[str, Any]]:
        output = self("--discover", **files)
        assert output.exit_code == 0, output.stderr
        return {stream["tap_stream_id"]: stream for stream in json.loads(output.stdout)["streams"]}

    def catalog(self, **metadata_of_streams: dict[str, Any]) -> dict[str, Any]:
        """Discover, select these streams only, and set their metadata."""
        streams = self.discover()
        for stream_id, stream in streams.items():
            name = stream_id.replace("-", "_")
            root = next(m["metadata"] for m in stream["metadata"] if not m["breadcrumb"])
            root["selected"] = name in metadata_of_streams
            root.update(metadata_of_streams.get(name, {}))
        return {"streams": list(streams.values())}

    def sync(self, **files: Any) -> Output:
        output = self(**files)
        assert output.exit_code == 0, output.stderr
        return output


def run_command(*arguments: str) -> Output:
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with _process_wide_things_restored(), redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            TapPostgres.cli.main(list(arguments))
        except SystemExit as end:
            code = end.code
    stdout.flush()
    return Output(int(code or 0), stdout.buffer.getvalue().decode(), stderr.getvalue())


@contextmanager
def _process_wide_things_restored() -> Iterator[None]:
    """Undo what a command line does to its process."""
    handlers = logging.getLogger().handlers[:]
    level = logging.getLogger().level
    hook = sys.excepthook
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with warnings.catch_warnings():
        yield
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    sys.excepthook = hook
    for number, handler in signals.items():
        signal.signal(number, handler)


@pytest.fixture
def tap(postgres_database: PostgresDatabase, tmp_path: Path) -> Runner:
    """The tap on a fresh database, as its owner."""
    return Runner(postgres_database, tmp_path)


@pytest.fixture
def execute(postgres_database: PostgresDatabase) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL in the same database, as its owner."""
    with postgres_database.connect(autocommit=True) as connection:

        def run(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

        yield run
