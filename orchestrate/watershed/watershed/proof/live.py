"""A source as it is now: a snapshot of it, read as its tap reads it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from watershed.exceptions import WatershedError
from watershed.proof.canonical import MySQLDialect, PostgresDialect
from watershed_load_plan.types import Kind
from watershed_tap.settings import check_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from watershed.proof.canonical import Dialect
    from watershed_load_plan.types import ColumnType
    from watershed_tap.source import Source
    from watershed_tap.tables import Column, KeyKind, Table

COMPARABLE_TAPS = ("tap-postgres", "tap-mysql")
_OF_THE_LOADER = {"quarantine_limit"}


def read_configs(project_root: Path, environment: str | None, names: list[str]) -> dict[str, Any]:
    """Ask Meltano for the settings of extractors, in this process: a command each takes seconds."""
    from meltano.core.plugin.base import PluginType  # noqa: PLC0415  # slow to load
    from meltano.core.plugin.settings_service import PluginSettingsService  # noqa: PLC0415
    from meltano.core.project import Project  # noqa: PLC0415

    _quiet()
    project = Project.find(project_root)
    chosen = environment or project.settings.get("default_environment")
    if chosen:
        project.activate_environment(chosen)
    configs = {}
    for name in names:
        plugin = project.plugins.find_plugin(name, plugin_type=PluginType.EXTRACTORS)
        configs[name] = _nested(PluginSettingsService(project, plugin).as_dict(extras=False))
    return configs


def _quiet() -> None:
    """Keep Meltano's log lines off our standard output."""
    import structlog  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Give the tap what Meltano would: no setting that is not set, groups as objects."""
    config: dict[str, Any] = {}
    for name, value in flat.items():
        if value is None or name in _OF_THE_LOADER:
            continue
        *groups, last = name.split(".")
        place = config
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return config


class LiveSource:
    """Opens a source, each time in a snapshot of its own.

    Args:
        tap: Meltano's name of the tap.
        config: Its settings.
    """

    def __init__(self, tap: str, config: Mapping[str, Any]) -> None:
        self._tap = tap
        self._config = dict(config)
        self.dialect: Dialect = PostgresDialect() if tap == "tap-postgres" else MySQLDialect()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open it; everything asked is answered as of the same moment.

        Raises:
            WatershedError: its settings are wrong.
            watershed_tap.exceptions.TapError: it cannot be reached, or stops.
        """
        source = self._source()
        try:
            yield Snapshot(source, self.dialect)
        finally:
            source.close()

    def _source(self) -> Source:
        config = dict(self._config)
        if self._tap == "tap-postgres":
            from watershed_tap_postgres import settings as postgres  # noqa: PLC0415
            from watershed_tap_postgres.source import PostgresSource  # noqa: PLC0415

            _check(config, postgres.CONFIG_JSONSCHEMA, postgres.contradictions)
            return PostgresSource(postgres.Settings.from_config(config))
        from watershed_tap_mysql import settings as mysql  # noqa: PLC0415
        from watershed_tap_mysql.source import MySQLSource  # noqa: PLC0415

        _check(config, mysql.CONFIG_JSONSCHEMA, mysql.contradictions)
        return MySQLSource(mysql.Settings.from_config(config))


def _check(config: dict[str, Any], schema: Mapping[str, Any], contradictions: Any) -> None:  # noqa: ANN401  # the tap's
    if problems := check_config(config, schema, contradictions):
        raise WatershedError("; ".join(problems))


class Snapshot:
    """A source at a moment."""

    def __init__(self, source: Source, dialect: Dialect) -> None:
        self.source = source
        self.dialect = dialect

    @property
    def tables(self) -> Mapping[str, Table]:
        """Its tables, by stream."""
        return self.source.tables

    @property
    def overlap_seconds(self) -> int:
        """How far before its bookmark an INCREMENTAL stream is read again."""
        return self.source.settings.overlap_seconds

    def rows(self, sql: str, stream: str) -> Iterator[tuple[Any, ...]]:
        """Run a statement; values are as the tap's driver gives them."""
        return iter(self.source.rows(self._statement(sql), stream))

    def ask(self, sql: str) -> list[tuple[str | None, ...]]:
        """Run a statement whose columns are texts."""
        return [
            tuple(value.decode() if isinstance(value, bytes) else value for value in row)
            for row in self.rows(sql, "reconcile")
        ]

    def quoted(self, name: str) -> str:
        """Quote an identifier."""
        mark = '"' if isinstance(self.dialect, PostgresDialect) else "`"
        return mark + name.replace(mark, mark * 2) + mark

    def value(self, column: Column, of: ColumnType) -> str:
        """SQL of a column's value, of which the dialect makes a text."""
        name = self.quoted(column.name)
        is_selected = isinstance(self.dialect, MySQLDialect) or of.kind in {
            Kind.TEXT,
            Kind.JSON,
            Kind.TIME,
            Kind.UUID,
        }
        if "zerofill" in column.declared_type:
            return f"({name} + 0)"
        return column.type.expression.format(name) if is_selected else name

    def moment(self, kind: KeyKind, bookmark: str | int, seconds_before: int = 0) -> str:
        """SQL of a bookmark, or of what is so much older where it tells the time."""
        if kind.value == "integer":
            return str(int(bookmark))
        if isinstance(self.dialect, PostgresDialect):
            text = self.dialect.literal(str(bookmark))
            return f"({text}::{kind.value} - interval '{seconds_before} seconds')"
        text = str(bookmark).replace("T", " ").removesuffix("+00:00")
        return f"(timestamp'{text}' - interval {seconds_before} second)"

    def _statement(self, sql: str) -> Any:  # noqa: ANN401  # as the driver takes it
        if isinstance(self.dialect, MySQLDialect):
            return sql
        from psycopg2 import sql as composing  # noqa: PLC0415

        return composing.Composed([composing.SQL(sql)])
