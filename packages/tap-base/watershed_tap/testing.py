"""For tests of taps: runs one as its command line would, and sorts what it says."""

from __future__ import annotations

import io
import json
import logging
import signal
import sys
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from unittest import mock

from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from singer_sdk import Tap


_OF_THE_SDK = {"stream_maps", "stream_map_config", "faker_config", "batch_config"}
_OF_THE_LOADER = {"quarantine_limit"}
_LEAST_STANDARD_TESTS = 10


class Database(Protocol):
    """A throwaway database and its owner."""

    @property
    def password(self) -> str:
        """Of the owner; it must never be seen in what a tap says."""


@dataclass(frozen=True)
class Output:
    """What one run of a tap left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Every Singer message, in order."""
        # Not splitlines, which also splits at characters that a value may hold.
        return [json.loads(line) for line in self.stdout.split("\n") if line]

    def of(self, message_type: str, stream: str | None = None) -> list[dict[str, Any]]:
        """Those of one type, e.g. ``STATE``, and of one stream."""
        return [
            message
            for message in self.messages
            if message["type"] == message_type and stream in (None, message.get("stream"))
        ]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The rows of a stream."""
        return [message["record"] for message in self.of("RECORD", stream)]

    def schema(self, stream: str) -> dict[str, Any]:
        """The JSON schemas of a stream's columns."""
        properties: dict[str, Any] = self.of("SCHEMA", stream)[0]["schema"]["properties"]
        return properties

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        state: dict[str, Any] = self.of("STATE")[-1]["value"]
        return state

    @property
    def error(self) -> str:
        """The one line that says what went wrong."""
        assert self.exit_code == 1
        assert "Traceback" not in self.stderr
        [line] = [line for line in self.stderr.splitlines() if " ERROR " in line]
        assert self.stderr.rstrip().endswith(line)
        return line


class Runner:
    """Runs a tap on one database, in this process.

    Args:
        tap_class: the tap.
        database: from whose owner the rows are read; tests find its address there.
        config: the tap's settings.
        folder: for the files of command lines.
    """

    def __init__(
        self, tap_class: type[Tap], database: Database, config: dict[str, Any], folder: Path
    ) -> None:
        self.tap_class = tap_class
        self.database = database
        self.config = config
        self.folder = folder

    def __call__(self, *arguments: str, **files: Any) -> Output:
        """Run with ``catalog`` and ``state``; ``settings`` are added to the usual ones."""
        return self.run(*self.arguments(*arguments, **files))

    def run(self, *arguments: str) -> Output:
        """Run with these arguments, and make sure that nothing tells the password."""
        output = run_command(self.tap_class, *arguments)
        for text in (output.stdout, output.stderr):
            assert self.database.password not in text
        return output

    def arguments(self, *arguments: str, **files: Any) -> list[str]:
        """Write the files of a command line, which is returned."""
        files["config"] = self.config | files.pop("settings", {})
        result = list(arguments)
        for name, content in files.items():
            file = self.folder / f"{name}.json"
            file.write_text(content if isinstance(content, str) else json.dumps(content))
            result += [f"--{name}", str(file)]
        return result

    def discover(self, **files: Any) -> dict[str, dict[str, Any]]:
        """The discovered catalog's entries by stream."""
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
        """Run, and make sure that it succeeds."""
        output = self(**files)
        assert output.exit_code == 0, output.stderr
        return output


def pass_standard_tests(
    tap_class: type[Tap], config: dict[str, Any], subtests: pytest.Subtests
) -> None:
    """Run the Singer SDK's own tests of a tap, against a live server.

    The class that the SDK makes for pytest needs the server when tests are collected, which is
    before fixtures start it; so its tests are run from here.

    Args:
        tap_class: the tap.
        config: its settings.
        subtests: each test becomes one of these.
    """
    suite = SuiteConfig()
    standard = get_tap_test_class(tap_class, config=config, suite_config=suite)
    runner = TapTestRunner(tap_class, config, suite, parse_env_config=False)
    runner.sync_all()
    names = [name for name in vars(standard) if name.startswith("test_")]
    assert len(names) > _LEAST_STANDARD_TESTS
    # Where rfc3339-validator is installed, the SDK's test wants an offset in every "date-time".
    # A timestamp without time zone has none, and to add one would be to invent it.
    moments = {"date-time": (datetime.fromisoformat, ValueError)}
    with mock.patch.dict(DEFAULT_JSONSCHEMA_VALIDATOR.FORMAT_CHECKER.checkers, moments):
        for name in names:
            run = getattr(standard, name)
            cases = [(c.id, c.values._asdict()) for c in standard.params.get(name) or ()]
            for case, values in cases or [("", {})]:
                with subtests.test(name, case=case):
                    run(config=suite, resource=None, runner=runner, **values)


def assert_plugin_agrees(plugin: dict[str, Any], tap_class: type[Tap]) -> None:
    """What Meltano is told about a tap is what the tap takes.

    Args:
        plugin: as Meltano's file has it.
        tap_class: the tap.
    """
    assert set(plugin["capabilities"]) == {str(c.value) for c in tap_class.capabilities}
    settings = {setting["name"]: setting for setting in plugin["settings"]}
    theirs = {name: settings[name] for name in settings if name not in _OF_THE_LOADER}
    ours = _flat(tap_class.config_jsonschema["properties"])
    assert set(theirs) - _OF_THE_SDK == {n for n in ours if n.split(".")[0] not in _OF_THE_SDK}
    for name in set(theirs) - _OF_THE_SDK:
        setting = theirs[name]
        assert setting.get("sensitive", False) == ours[name].get("secret", False), name
        if setting.get("kind") != "array" and not setting.get("sensitive"):
            assert setting.get("value") == ours[name].get("default"), name
        if setting.get("kind") == "options":
            assert [o["value"] for o in setting["options"]] == ours[name]["enum"], name


def _flat(properties: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, schema in properties.items():
        if schema.get("properties"):
            found |= _flat(schema["properties"], f"{prefix}{name}.")
        else:
            found[prefix + name] = schema
    return found


def run_command(tap_class: type[Tap], *arguments: str) -> Output:
    """Run a tap's command line in this process."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with _process_wide_things_restored(), redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            tap_class.cli.main(list(arguments))
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
