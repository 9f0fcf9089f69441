"""What every tap of ours does with what it is given, and how it finds its streams."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.mapper import PluginMapper
from singer_sdk.tap_base import Tap

from watershed_tap.bulk import BulkRun
from watershed_tap.catalog import check_patterns, read_catalog
from watershed_tap.command import OneLineCommand
from watershed_tap.exceptions import SetupError
from watershed_tap.settings import check_config
from watershed_tap.writer import BufferedWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType

    import click
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.singerlib import Catalog

    from watershed_tap.source import Source
    from watershed_tap.stream import TableStream

# Meltano hands its own `select` to the tap, which alone knows what there is to select.
SELECT_VARIABLE = "MELTANO_EXTRACT__SELECT"


class DatabaseTap(Tap, ABC):
    """A tap whose streams are the tables of one :class:`~watershed_tap.source.Source`.

    Attributes:
        default_stream_class: the streams' class.
    """

    default_stream_class: type[TableStream]
    _catalog_dict: dict[str, Any] | None = None
    message_writer_class = BufferedWriter
    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.BATCH,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @property
    @abstractmethod
    def connector(self) -> Source:
        """The database, connected to when first needed."""

    @staticmethod
    @abstractmethod
    def contradictions(config: Mapping[str, Any]) -> Iterable[str]:
        """Say which settings exclude or need each other, each as ``<setting>: <why>``."""

    @cached_property
    def bulk_run(self) -> BulkRun:
        """What the streams share when they send files."""
        settings = self.connector.settings
        return BulkRun(settings.bulk, settings.privacy.salt)

    @property
    def catalog_dict(self) -> dict[str, Any]:
        """The given catalog, or what the source says of itself."""
        if self.input_catalog is not None:
            return self.input_catalog.to_dict()
        if self._catalog_dict is None:
            self._catalog_dict = {"streams": self.connector.discover_catalog_entries()}
        return self._catalog_dict

    @property
    def catalog(self) -> Catalog:
        """The given catalog, or what was discovered."""
        catalog: Catalog = self.input_catalog or self._singer_catalog
        return catalog

    def discover_streams(self) -> list[TableStream]:
        """Make a stream of each catalog entry; of a given catalog's, only of those selected."""
        return [
            self.default_stream_class(self, entry, self.connector)
            for entry in self.catalog_dict["streams"]
            if self.input_catalog is None
            or self.input_catalog[entry["tap_stream_id"]].metadata.resolve_selection()[()]
        ]

    def setup_mapper(self) -> None:
        """Register the streams' schemas as the source has them, precision and scale included."""
        self._mapper = PluginMapper(plugin_config=dict(self.config), logger=self.logger)
        for stream in self.streams.values():
            self._mapper.register_raw_stream_schema(stream.name, stream.schema, stream.primary_keys)

    def check_selection(self, patterns: str | None) -> None:
        """Make sure that there is something to do, and nothing that cannot be done.

        Args:
            patterns: Meltano's ``select`` as JSON, if Meltano runs us.

        Raises:
            SetupError: a pattern matches nothing, or nothing at all is selected.
        """
        if patterns:
            check_patterns(json.loads(patterns), self._selectable(), self.connector.grants)
        if not self.streams:
            raise SetupError(
                f"{self.connector.settings.source}: no stream is selected of the "
                f"{len(self.connector.tables)} that user {self.connector.settings.user!r} may "
                "read: select some"
            )

    def _selectable(self) -> dict[str, Iterable[str]]:
        """The columns of every stream that there is."""
        tables = self.connector.tables
        return {stream_id: table.columns for stream_id, table in tables.items()}

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        problems = check_config(self._config, self.config_jsonschema, self.contradictions)
        if problems and raise_errors:
            raise SetupError(f"settings are wrong: {'; '.join(problems)}")
        return problems

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End as a program does that was ended; the SDK would report success."""
        raise SystemExit(128 + signum)

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Nothing: the SDK would add settings that we have no use for, as for flattening JSON."""

    @classmethod
    def invoke(  # type: ignore[override]  # as the SDK does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Sync what the catalog selects; the command line calls this."""
        if about:
            cls.print_about(about_format)
            return
        tap = cls(
            config={} if config is None else config.config,
            state=None if state is None else _checked_state(_read_json("state", state)),
            catalog=None if catalog is None else read_catalog(_read_json("catalog", catalog)),
            parse_env_config=config is not None and config.parse_env,
        )
        try:
            tap.check_selection(os.environ.get(SELECT_VARIABLE))
            tap.sync_all()
        finally:
            tap.bulk_run.close()
            tap.connector.close()

    @classmethod
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the files of settings that the command line names.

        Raises:
            SetupError: one is missing or no JSON object.
        """
        try:
            config: _ConfigInput = super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError) as error:
            raise SetupError(
                f"settings cannot be read from {', '.join(value)} ({error}): give a file with one "
                "JSON object"
            ) from error
        return config

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The command line, with our way to fail."""
        command = super().get_singer_command()
        return OneLineCommand(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            help=command.help,
            params=command.params,
            logger=cls.logger,
        )


def _read_json(name: str, file: IO[str]) -> Any:  # noqa: ANN401  # checked by who uses it
    try:
        return json.load(file)
    except ValueError as error:
        raise SetupError(
            f"the {name} in {file.name} is no JSON ({error}): write it anew"
        ) from error


def _checked_state(state: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever JSON was given
    bookmarks = state.get("bookmarks", {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict) or not all(
        isinstance(bookmark, dict) for bookmark in bookmarks.values()
    ):
        raise SetupError(
            'the state is malformed (it must be like {"bookmarks": {"<stream>": {}}}): '
            "correct it with meltano state get and set"
        )
    return dict(state)
