"""The company's sources, as the Meltano project declares them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

EXTRACTORS = "extract/extractors.meltano.yml"
SEPARATOR = "--"
"""Between the tap and the source in the name of an inherited extractor: ``tap-postgres--shop``."""


@dataclass(frozen=True)
class Source:
    """A company database.

    Attributes:
        name: For example ``shop``.
        extractor: Meltano's name of it, for example ``tap-postgres--shop``.
        largest_age: How old its rows may be for the marts to go on without a new load; None: the
            marts wait for the source.
        time_limit: After which its load is ended; None: never.
        is_frozen: Whether `watershed drift` fails when its schema changed.
    """

    name: str
    extractor: str
    largest_age: timedelta | None
    time_limit: timedelta | None
    is_frozen: bool = False

    def variable(self, setting: str) -> str:
        """Name the variable by which Meltano is told a setting of the extractor."""
        return re.sub("[^A-Z0-9]", "_", f"{self.extractor}__{setting}".upper())


def read_sources(project_root: Path) -> dict[str, Source]:
    """Read the sources: each extractor that inherits a tap and is named after its source.

    An extractor's ``annotations: {watershed: {largest_age_hours: …, time_limit_minutes: …,
    schema_policy: evolve | freeze}}`` hold what only Watershed asks for.

    Raises:
        WatershedError: the file is missing or malformed.
    """
    path = project_root / EXTRACTORS
    try:
        extractors = yaml.safe_load(path.read_text())["plugins"]["extractors"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        line = " ".join(str(error).split())
        raise WatershedError(f"{path} does not list extractors: {line}") from error
    sources = {}
    for extractor in extractors:
        tap, _, name = extractor["name"].partition(SEPARATOR)
        if name and extractor.get("inherit_from") == tap:
            sources[name] = _source(name, extractor, path)
    return sources


def choose_sources(project_root: Path, names: Sequence[str]) -> list[Source]:
    """Return the sources of these names, by default all.

    Raises:
        WatershedError: one is not declared, or the file is missing or malformed.
    """
    declared = read_sources(project_root)
    if unknown := sorted(set(names) - set(declared)):
        raise WatershedError(
            f"source {unknown[0]!r} is not declared in {EXTRACTORS}: "
            f"known are {', '.join(sorted(declared)) or 'none'}"
        )
    return [declared[name] for name in sorted(names or declared)]


def short_name(stream: str) -> str:
    """Leave off what stands before a stream's first ``-``, its schema at the source."""
    return stream.partition("-")[2] or stream


def is_called(stream: str, names: Collection[str]) -> bool:
    """Tell whether a stream is among those that somebody named, in full or in short."""
    return stream in names or short_name(stream) in names


def is_pipeline_of(state_id: str, extractor: str, loader: str) -> bool:
    """Tell whether a state ID is this extractor's into this loader, in whatever environment."""
    pipeline = f"[^:]+:{re.escape(f'{extractor}-to-{loader}')}(:.*)?"
    return re.fullmatch(pipeline, state_id) is not None


def _source(name: str, extractor: dict[str, Any], path: Path) -> Source:
    annotations = (extractor.get("annotations") or {}).get("watershed") or {}
    unknown = set(annotations) - {"largest_age_hours", "time_limit_minutes", "schema_policy"}
    if unknown:
        raise WatershedError(
            f"{path}: annotation {min(unknown)!r} of {extractor['name']} is not known: "
            "write largest_age_hours, time_limit_minutes or schema_policy"
        )
    policy = annotations.get("schema_policy", "evolve")
    if policy not in {"evolve", "freeze"}:
        raise WatershedError(
            f"{path}: schema_policy {policy!r} of {extractor['name']} is not known: "
            "write evolve or freeze"
        )
    hours = annotations.get("largest_age_hours")
    minutes = annotations.get("time_limit_minutes")
    return Source(
        name,
        extractor["name"],
        None if hours is None else timedelta(hours=hours),
        None if minutes is None else timedelta(minutes=minutes),
        policy == "freeze",
    )
