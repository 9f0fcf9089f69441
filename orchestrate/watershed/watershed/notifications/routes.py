"""orchestrate/notifications.yml: who hears of what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from watershed.exceptions import WatershedError
from watershed.notifications.alert import KINDS, SEVERITIES

if TYPE_CHECKING:
    from pathlib import Path

    from watershed.notifications.alert import Alert

FILE = "orchestrate/notifications.yml"
VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\}?")
FILTERS = ("kinds", "sources", "owners", "severities")
NUMBERS = ("remind_after_hours", "digest_every_hours", "messages_per_hour")


@dataclass(frozen=True)
class Route:
    """Where some alerts go.

    Attributes:
        variable: The environment variable that holds the address, as apprise writes it.
        kinds, sources, owners, severities: What it takes; empty: any.
    """

    name: str
    variable: str
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()

    def takes(self, alert: Alert, owners: dict[str, str]) -> bool:
        """Tell whether an alert goes here."""
        owner = owners.get(alert.source or "")
        wanted = (
            (self.kinds, alert.kind),
            (self.sources, alert.source),
            (self.owners, owner),
            (self.severities, alert.severity),
        )
        return all(not allowed or value in allowed for allowed, value in wanted)


@dataclass(frozen=True)
class Notifications:
    """The whole file.

    Attributes:
        owners: Source to whoever answers for it.
        remind_after: A problem that stays is told again after this.
        digest_every: How often a digest says what was completed.
        messages_per_hour: Of one route; what is beyond it waits.
        runbooks: Where messages say that the runbooks stand.
    """

    routes: tuple[Route, ...] = ()
    owners: dict[str, str] = field(default_factory=dict)
    remind_after: timedelta = timedelta(hours=24)
    digest_every: timedelta = timedelta(hours=24)
    messages_per_hour: int = 20
    runbooks: str = "docs/runbooks"


def read_notifications(project_root: Path) -> Notifications:
    """Read the file; without one there is no route.

    Raises:
        WatershedError: it is malformed, or holds an address: its text is never repeated.
    """
    path = project_root / FILE
    if not path.exists():
        return Notifications()
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise WatershedError(f"{path} cannot be read as YAML") from error
    if not isinstance(content, dict):
        raise WatershedError(f"{path} is no mapping: write `routes:`, with a list")
    _check_names(content, {"routes", "owners", "runbooks", *NUMBERS}, f"{path}")
    for name in NUMBERS:
        if not isinstance(content.get(name, 1), (int, float)) or content.get(name, 1) <= 0:
            raise WatershedError(f"{path}: {name} is no number above 0")
    owners = content.get("owners") or {}
    routes = content.get("routes") or []
    if not isinstance(owners, dict) or not isinstance(routes, list):
        raise WatershedError(f"{path}: `owners` is a mapping and `routes` a list")
    return Notifications(
        tuple(_route(entry, path) for entry in routes),
        {str(source): str(owner) for source, owner in owners.items()},
        timedelta(hours=content.get("remind_after_hours", 24)),
        timedelta(hours=content.get("digest_every_hours", 24)),
        int(content.get("messages_per_hour", 20)),
        str(content.get("runbooks", "docs/runbooks")),
    )


def _route(entry: Any, path: Path) -> Route:  # noqa: ANN401  # what YAML holds
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise WatershedError(f"{path}: each route is a mapping with a `name`")
    where = f"{path}: route {entry['name']}"
    _check_names(entry, {"name", "url", *FILTERS}, where)
    found = VARIABLE.fullmatch(str(entry.get("url", "")))
    if not found:
        raise WatershedError(
            f"{where}: `url` must name an environment variable, such as $OPS_MAIL_URL: addresses "
            "hold secrets, and stand in no file"
        )
    filters = {name: entry.get(name) or [] for name in FILTERS}
    for name, values in filters.items():
        if not isinstance(values, list):
            raise WatershedError(f"{where}: `{name}` is no list")
    known = {"kinds": KINDS, "severities": SEVERITIES}
    for name, allowed in known.items():
        if unknown := sorted(set(map(str, filters[name])) - set(allowed)):
            raise WatershedError(
                f"{where}: {unknown[0]!r} of `{name}` is not known: write {', '.join(allowed)}"
            )
    return Route(
        entry["name"], found[1], **{name: tuple(map(str, filters[name])) for name in FILTERS}
    )


def _check_names(mapping: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(map(str, mapping)) - known):
        raise WatershedError(
            f"{where}: {unknown[0]!r} is not known: write {', '.join(sorted(known))}"
        )
