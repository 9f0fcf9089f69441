"""The tap: what it is given, and how it finds its streams."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from watershed_tap.catalog import is_selected
from watershed_tap.tap import DatabaseTap
from watershed_tap_mongodb.settings import CONFIG_JSONSCHEMA, Settings, contradictions
from watershed_tap_mongodb.source import MongoSource
from watershed_tap_mongodb.stream import MongoStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class TapMongoDB(DatabaseTap):
    """Singer tap for MongoDB: exact types, verified TLS."""

    name = "tap-mongodb"
    package_name = "watershed-tap-mongodb"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    default_stream_class = MongoStream

    _patterns: list[str] | None = None

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401  # the SDK's
        """Take settings, catalog and state, and connect to the source.

        Raises:
            TapError: one of them is wrong, or the source is.
        """
        try:
            super().__init__(**kwargs)
        except BaseException:
            if "connector" in self.__dict__:
                self.connector.close()
            raise

    @cached_property
    def connector(self) -> MongoSource:
        """The database, connected to when first needed."""
        return MongoSource(Settings.from_config(self.config))

    @staticmethod
    def contradictions(config: Mapping[str, Any]) -> Iterable[str]:
        """Say which settings exclude or need each other."""
        return contradictions(config)

    def check_selection(self, patterns: str | None) -> None:
        """Make sure that there is something to do; find collections that the catalog lacks.

        Args:
            patterns: Meltano's ``select`` as JSON, if Meltano runs us.

        Raises:
            SetupError: a pattern matches nothing, or nothing at all is selected.
        """
        self._patterns = json.loads(patterns) if patterns else None
        if self.input_catalog is not None:
            known = {entry["tap_stream_id"] for entry in self.catalog_dict["streams"]}
            for stream_id in sorted(self.connector.tables.keys() - known):
                self._add_new_stream(stream_id)
        super().check_selection(patterns)

    def selects(self, stream_id: str, column: str, *, default: bool) -> bool:
        """Whether Meltano selects what the catalog does not know; ``default`` without Meltano."""
        if self._patterns is None:
            return default
        return is_selected(self._patterns, stream_id, column)

    def _add_new_stream(self, stream_id: str) -> None:
        entry = self.connector.catalog_entry(self.connector.tables[stream_id])
        columns = list(entry["schema"]["properties"])
        selected = {c for c in columns if self.selects(stream_id, c, default=False)}
        if not selected:
            self.logger.warning(
                "stream %s is new: it is not in the catalog and not read; let --discover write the "
                "catalog anew, and select the stream or not",
                stream_id,
            )
            return
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = metadata["breadcrumb"][-1] in selected
        self.logger.warning(
            "stream %s is new: it is selected, and read as FULL_TABLE until the catalog has it "
            "(meltano run --refresh-catalog)",
            stream_id,
        )
        stream = MongoStream(self, entry, self.connector)
        self.streams[stream.name] = stream
        self.mapper.register_raw_stream_schema(stream.name, stream.schema, stream.primary_keys)

    def _selectable(self) -> dict[str, Iterable[str]]:
        """The columns that the streams have in the catalog; reading would take too long."""
        columns: dict[str, Iterable[str]] = {
            stream_id: table.columns for stream_id, table in self.connector.tables.items()
        }
        for entry in self.catalog_dict["streams"]:
            if entry["tap_stream_id"] in columns:
                columns[entry["tap_stream_id"]] = entry["schema"]["properties"]
        return columns | {name: s.schema["properties"] for name, s in self.streams.items()}
