"""The tap: what it is given, and how it finds its streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from watershed_tap.tap import DatabaseTap
from watershed_tap_postgres.settings import CONFIG_JSONSCHEMA, Settings, contradictions
from watershed_tap_postgres.source import PostgresSource
from watershed_tap_postgres.stream import PostgresStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class TapPostgres(DatabaseTap):
    """Singer tap for PostgreSQL: exact types, verified TLS."""

    name = "tap-postgres"
    package_name = "watershed-tap-postgres"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    default_stream_class = PostgresStream

    @cached_property
    def connector(self) -> PostgresSource:
        """The database, connected to when first needed."""
        return PostgresSource(Settings.from_config(self.config))

    @staticmethod
    def contradictions(config: Mapping[str, Any]) -> Iterable[str]:
        """Say which settings exclude or need each other."""
        return contradictions(config)
