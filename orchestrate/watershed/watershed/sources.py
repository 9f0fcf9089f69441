"""The company's sources, as the Meltano project declares them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
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
