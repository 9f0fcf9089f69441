"""The SDK's view of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import Sink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed_target.target import LoadPlanTarget


class StreamSink(Sink):
    """The SDK's view of a stream; its rows go to the load plan."""

    target: LoadPlanTarget

    def __init__(
        self,
        target: LoadPlanTarget,
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
