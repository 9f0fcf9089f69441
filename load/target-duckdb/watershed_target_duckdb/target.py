"""Singer target for DuckDB."""

from __future__ import annotations

import gzip
import json
import os
import sys
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, NoReturn

import duckdb
import simplejson
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.exceptions import (
    InvalidInputLine,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.io_base import SingerReader
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.json import deserialize_json
from singer_sdk.sinks import Sink

from watershed_duckdb import WarehouseError
from watershed_load_plan import LoadError, LoadOptions, LoadPlan
from watershed_load_plan.batches import local_path
from watershed_load_plan.spool import RunDirectory
from watershed_load_plan.state import COMMITTED
from watershed_target_duckdb.interruptible import interruptible_stdin
from watershed_target_duckdb.warehouse import DuckDBWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType


class StreamSink(Sink):
    """The SDK's view of a stream; its rows go to the load plan."""

    target: TargetDuckDB

    def __init__(
        self,
        target: TargetDuckDB,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._plan = target.plan
        self._plan.schema(stream_name, self.original_schema, key_properties)

    @property
    def validate_schema(self) -> bool:
        """No: the load plan judges each value by what its column can hold."""
        return False

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Take a RECORD that has passed the stream maps; the context is its message."""
        self._singer_validate_message(record)
        self._plan.record(
            self.stream_name, record, context.get("version"), context.get("time_extracted")
        )
        self.record_counter_metric.increment()

    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing: the load plan commits at each STATE, not when a sink is full."""

    def activate_version(self, new_version: int) -> None:
        """Take an ACTIVATE_VERSION."""
        self._plan.activate_version(self.stream_name, new_version)

    def take_files(self, files: Sequence[str], version: int | None) -> None:
        """Take the Parquet files of a BATCH; the target reads other encodings as records."""
        self._plan.files(self.stream_name, files, version)


class LineReader(SingerReader):
    """Reads a message a line; numbers keep every digit."""

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Parse a line.

        Raises:
            InvalidInputLine: it is no JSON; the text does not show the line, which may be private.
        """
        try:
            return deserialize_json(line)
        except json.JSONDecodeError as error:
            raise InvalidInputLine(
                f"input is not a Singer message: {error.msg} at character {error.pos} of a line of "
                f"{len(line)}: what stands before the pipe must print nothing but messages"
            ) from error


class TargetDuckDB(Target):
    """Loads Singer streams into a DuckDB file; each STATE commits rows, ledger and bookmark."""

    name = "watershed-target-duckdb"
    default_sink_class = StreamSink
    message_reader_class = LineReader
    capabilities: ClassVar[list[Any]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.BATCH,
        PluginCapabilities.ACTIVATE_VERSION,
    ]
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "warehouse", th.StringType, required=True, description="Path of the DuckDB file."
        ),
        th.Property(
            "default_target_schema",
            th.StringType,
            description="Schema of the raw tables, such as raw_shop. Default: what stands before "
            "the dash in a stream's name, or raw.",
        ),
        th.Property(
            "state_id",
            th.StringType,
            description="Meltano's state ID; bookmarks are kept under it. Without one, STATE is "
            "committed under 'default' and printed unmarked.",
        ),
        th.Property(
            "spool_directory",
            th.StringType,
            description="Where rows wait for their commit. Default: 'batches' beside the file.",
        ),
        th.Property(
            "lock_wait_seconds",
            th.NumberType,
            default=600,
            description="How long to wait while another process has the file.",
        ),
        th.Property(
            "threads",
            th.IntegerType(minimum=1),
            default=1,
            description="Of DuckDB. Beside a tap and its source one takes least processor time.",
        ),
        th.Property(
            "quarantine_limit",
            th.IntegerType,
            default=100,
            description="Values of one stream that a run may set aside in ops.quarantine because "
            "their column cannot hold them exactly; with more, the load fails.",
        ),
    ).to_dict()

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # the SDK's own
        super().__init__(**options)
        self._ended_by = 0  # a signal's number
        path = Path(self.config["warehouse"]).absolute()
        run_id = uuid.uuid4().hex
        spools = Path(self.config.get("spool_directory") or path.parent / "batches")
        self._run_directory = RunDirectory(spools, run_id)
        self.plan = LoadPlan(
            DuckDBWarehouse(
                path,
                wait_seconds=float(self.config["lock_wait_seconds"]),
                threads=self.config["threads"],
            ),
            LoadOptions(
                state_id=self.config.get("state_id") or "default",
                run_id=run_id,
                spool_directory=self._run_directory.path,
                batch_directory=spools,
                target_schema=self.config.get("default_target_schema"),
                quarantine_limit=self.config["quarantine_limit"],
            ),
        )

    def process_endofpipe(self) -> None:
        """Commit what came after the last STATE, and say what the run did."""
        self.plan.commit()
        self.plan.close()
        self._run_directory.remove()
        for stream, changes in self.plan.totals().items():
            self.logger.info(
                "stream %s: %d inserted, %d updated, %d unchanged, %d deleted",
                stream,
                changes.inserted,
                changes.updated,
                changes.unchanged,
                changes.deleted,
            )
        if self._ended_by:
            self._end()

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        self._assert_known(message_dict["stream"])
        self._take_record(message_dict["stream"], message_dict["record"], message_dict)

    def _take_record(self, stream: str, record: dict[str, Any], message: Mapping[str, Any]) -> None:
        for stream_map in self.mapper.stream_maps[stream]:
            mapped = stream_map.transform(record)
            if mapped is not None:
                sink = self._sinks_active[stream_map.stream_alias]
                sink.process_record(mapped, message)  # type: ignore[arg-type]

    def _assert_known(self, stream: str) -> None:
        if stream not in self.mapper.stream_maps:
            self._assert_sink_exists(stream)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "encoding", "manifest"})
        stream, encoding = message_dict["stream"], message_dict["encoding"]
        self._assert_known(stream)
        if encoding["format"] == "jsonl":
            for record in _read_json_lines(stream, encoding, message_dict["manifest"]):
                self._take_record(stream, record, {})
        elif encoding["format"] == "parquet":
            for stream_map in self.mapper.stream_maps[stream]:
                if not isinstance(stream_map, SameRecordTransform):
                    raise LoadError(
                        f"stream {stream}: its stream map cannot reach into Parquet batches: "
                        "transform at the tap, or turn its batches off"
                    )
                sink = self._sinks_active[stream_map.stream_alias]
                sink.take_files(message_dict["manifest"], message_dict.get("version"))  # type: ignore[attr-defined]
        else:
            raise LoadError(
                f"stream {stream}: BATCH format {encoding['format']!r} is not jsonl or parquet"
            )

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "version"})
        self._assert_known(message_dict["stream"])
        for stream_map in self.mapper.stream_maps[message_dict["stream"]]:
            self._sinks_active[stream_map.stream_alias].activate_version(message_dict["version"])

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        state = message_dict["value"]
        self.plan.commit(state)
        if self.config.get("state_id"):
            state = {**state, COMMITTED: True}
        sys.stdout.write(simplejson.dumps(state, use_decimal=True) + "\n")
        sys.stdout.flush()
        if self._ended_by:
            self._end()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at the next commit, or at once if nothing waits for one.

        Who sends the signal gives us time (a container gets half a minute or more); whoever kills
        us meanwhile loses nothing, for what was not committed comes again.
        """
        del frame
        self._ended_by = signum
        if self.plan.is_idle:
            self._end()

    def _end(self) -> NoReturn:
        self.logger.warning("signal %d: ended after a commit", self._ended_by)
        sys.exit(128 + self._ended_by)


def _read_json_lines(
    stream: str, encoding: Mapping[str, Any], manifest: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Read the records of a BATCH of JSON lines, one at a time."""
    for file in manifest:
        path = local_path(stream, file)
        is_packed = encoding.get("compression") == "gzip"
        lines: IO[str]
        with gzip.open(path, "rt") if is_packed else path.open() as lines:
            for line in lines:
                yield deserialize_json(line)


def main() -> None:
    """Run the target; what a person can mend ends in one line and exit code 1."""
    LineReader.default_input = interruptible_stdin()
    try:
        TargetDuckDB.cli()
    except (
        LoadError,
        WarehouseError,
        InvalidInputLine,
        MissingKeyPropertiesError,
        RecordsWithoutSchemaException,
        duckdb.Error,
        OSError,
        ValueError,
    ) as error:
        if os.environ.get("WATERSHED_TRACEBACK"):
            raise
        # Meltano shows a loader's lines without their level: the line itself says what it is.
        TargetDuckDB.logger.error("error: %s", _line(error))
        sys.exit(1)


def _line(error: Exception) -> str:
    """Say in one line what went wrong, in which stream, and what became of the rows."""
    text = " ".join(str(error).split("\n")[0].split())
    notes = [note for note in getattr(error, "__notes__", ()) if note not in text]
    if isinstance(error, (duckdb.Error, OSError)):
        text += "; nothing of this commit was kept: mend it (a full disk?) and run again"
    return ": ".join([*notes, text])
