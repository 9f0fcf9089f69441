"""The tap for MySQL and MariaDB."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from watershed_tap.tap import DatabaseTap
from watershed_tap_mysql.settings import CONFIG_JSONSCHEMA, Settings, contradictions
from watershed_tap_mysql.source import MySQLSource
from watershed_tap_mysql.stream import MySQLStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class TapMySQL(DatabaseTap):
    """Singer tap for MySQL and MariaDB: exact types, verified TLS."""

    name = "tap-mysql"
    package_name = "watershed-tap-mysql"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    default_stream_class = MySQLStream

    @cached_property
    def connector(self) -> MySQLSource:
        """The database, connected to when first needed."""
        return MySQLSource(Settings.from_config(self.config))

    @staticmethod
    def contradictions(config: Mapping[str, Any]) -> Iterable[str]:
        """Say which settings exclude or need each other."""
        return contradictions(config)
