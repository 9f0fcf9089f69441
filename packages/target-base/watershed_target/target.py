"""A Singer target over a load plan."""

from __future__ import annotations

import abc
import sys
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import simplejson
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import SameRecordTransform

from watershed_load_plan import LoadError, LoadOptions, LoadPlan
from watershed_load_plan.spool import RunDirectory
from watershed_load_plan.state import COMMITTED
from watershed_target.reading import LineReader, read_json_lines
from watershed_target.sink import StreamSink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import FrameType

    from watershed_load_plan import Warehouse

SHARED_SETTINGS = (
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
        "quarantine_limit",
        th.IntegerType,
        default=100,
        description="Values of one stream that a run may set aside in ops.quarantine because "
        "their column cannot hold them exactly; with more, the load fails.",
    ),
)
"""Settings that every target has beside its own."""


class LoadPlanTarget(Target):
    """Loads Singer streams into a warehouse; each STATE commits rows, ledger and bookmark."""

    default_sink_class = StreamSink
    message_reader_class = LineReader
    capabilities: ClassVar[list[Any]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.BATCH,
        PluginCapabilities.ACTIVATE_VERSION,
    ]

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # the SDK's own
        super().__init__(**options)
        self._ended_by = 0  # a signal's number
        run_id = uuid.uuid4().hex
        spools = self.spool_directory()
        self._run_directory = RunDirectory(spools, run_id)
        load_options = LoadOptions(
            state_id=self.config.get("state_id") or "default",
            run_id=run_id,
            spool_directory=self._run_directory.path,
            batch_directory=spools,
            target_schema=self.config.get("default_target_schema"),
            quarantine_limit=self.config["quarantine_limit"],
        )
        self.plan = LoadPlan(self.open_warehouse(load_options), load_options)

    @abc.abstractmethod
    def spool_directory(self) -> Path:
        """The folder where rows wait for their commit, all runs' and our taps'."""

    @abc.abstractmethod
    def open_warehouse(self, options: LoadOptions) -> Warehouse:
        """Make the warehouse's dialect from the configuration; nothing is connected yet."""

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
            for record in read_json_lines(stream, encoding, message_dict["manifest"]):
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
