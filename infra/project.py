"""What the Meltano project declares: sources, jobs and schedules become infrastructure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from infra.exceptions import InfraError
from infra.schedule_expression import to_schedule_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SEPARATOR = "--"
"""Between the tap and the source in the name of an inherited extractor: ``tap-postgres--shop``."""

LOAD_ALL = "watershed:load"
"""The task of a job that loads every source."""

VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\}?")
AWS_NAMES = {"user": "username", "database": "dbname"}
"""Settings that AWS's rotation functions look for under another name in the secret."""


@dataclass(frozen=True)
class Source:
    """A company database.

    Attributes:
        name: For example ``shop``.
        extractor: Meltano's name of it, for example ``tap-postgres--shop``.
        tap: What it inherits, for example ``tap-postgres``.
        port: Where its database listens.
        credentials: Environment variable to key of its secret, for example
            ``{"SHOP_POSTGRES_USER": "username"}``.
        time_limit: After which its load is ended.
    """

    name: str
    extractor: str
    tap: str
    port: int
    credentials: Mapping[str, str]
    time_limit: timedelta


@dataclass(frozen=True)
class Step:
    """One task of a job.

    Attributes:
        task: As Meltano's job has it, for example ``watershed:build``.
        sources: What it loads, each by itself; empty: it is run as it is.
    """

    task: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Job:
    """What one schedule starts."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Schedule:
    """When a job starts; the expression is EventBridge Scheduler's, in the time zone."""

    name: str
    job: str
    expression: str
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Project:
    """All that infrastructure is made for."""

    sources: tuple[Source, ...]
    jobs: tuple[Job, ...]
    schedules: tuple[Schedule, ...]


DEFAULT_TIME_LIMIT = timedelta(hours=4)


def read_project(root: Path) -> Project:
    """Read what ``meltano.yml`` and the files that it includes declare.

    Raises:
        InfraError: a file is missing or malformed, or declares what AWS cannot run.
    """
    files = list(_files(root))
    extractors = {
        plugin["name"]: plugin
        for file in files
        for plugin in (file.get("plugins") or {}).get("extractors") or ()
    }
    sources = tuple(
        sorted(
            (
                _source(plugin, extractors)
                for plugin in extractors.values()
                if SEPARATOR in plugin["name"]
            ),
            key=lambda source: source.name,
        )
    )
    if not sources:
        raise InfraError(f"{root / 'meltano.yml'} and its includes declare no <tap>--<source>")
    jobs = tuple(_job(job, sources) for file in files for job in file.get("jobs") or ())
    schedules = tuple(
        _schedule(schedule, {job.name for job in jobs})
        for file in files
        for schedule in file.get("schedules") or ()
        if schedule.get("interval") not in (None, "@once", "@manual")
    )
    return Project(sources, jobs, schedules)


def _files(root: Path) -> Iterator[dict[str, Any]]:
    main = _read(root / "meltano.yml")
    yield main
    for pattern in main.get("include_paths") or ():
        for path in sorted(root.glob(pattern)):
            yield _read(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InfraError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise InfraError(f"{path} is no mapping: it must be a file of a Meltano project")
    return content


def _source(plugin: Mapping[str, Any], extractors: Mapping[str, Any]) -> Source:
    name = plugin["name"].partition(SEPARATOR)[2]
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise InfraError(
            f"extractor {plugin['name']}: {name!r} cannot name a task or a secret: use lower case"
        )
    tap = str(plugin.get("inherit_from"))
    if tap not in extractors:
        raise InfraError(f"extractor {plugin['name']} inherits {tap!r}, which is not declared")
    config = plugin.get("config") or {}
    credentials = {
        variable: AWS_NAMES.get(setting, setting)
        for setting, value in config.items()
        for variable in VARIABLE.findall(value if isinstance(value, str) else "")
        if not variable.startswith("MELTANO_")
    }
    settings = {setting["name"]: setting.get("value") for setting in extractors[tap]["settings"]}
    port = config.get("port") if isinstance(config.get("port"), int) else settings.get("port")
    if not isinstance(port, int):
        raise InfraError(f"extractor {plugin['name']}: no port here nor default port in {tap}")
    annotations = (plugin.get("annotations") or {}).get("watershed") or {}
    minutes = annotations.get("time_limit_minutes")
    limit = DEFAULT_TIME_LIMIT if minutes is None else timedelta(minutes=minutes)
    return Source(name, plugin["name"], tap, port, credentials, limit)


def _job(job: Mapping[str, Any], sources: tuple[Source, ...]) -> Job:
    by_extractor = {source.extractor: source for source in sources}
    steps = []
    for task in job["tasks"]:
        # A task may be a list of words, or one text.
        text = task if isinstance(task, str) else " ".join(task)
        loaded = tuple(by_extractor[word] for word in text.split() if word in by_extractor)
        steps.append(Step(text, sources if text == LOAD_ALL else loaded))
    if not steps:
        raise InfraError(f"job {job['name']} has no tasks")
    return Job(job["name"], tuple(steps))


def _schedule(schedule: Mapping[str, Any], jobs: set[str]) -> Schedule:
    if schedule.get("job") not in jobs:
        raise InfraError(
            f"schedule {schedule['name']} starts {schedule.get('job')!r}, which is no job"
        )
    expression = to_schedule_expression(schedule["name"], schedule["interval"])
    annotations = (schedule.get("annotations") or {}).get("watershed") or {}
    time_zone = annotations.get("time_zone", "UTC")
    return Schedule(schedule["name"], schedule["job"], expression, time_zone)
