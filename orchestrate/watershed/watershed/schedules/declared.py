"""The schedules, as the Meltano project declares them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from cronsim import CronSim, CronSimError

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from pathlib import Path

JOBS = "orchestrate/jobs.meltano.yml"
NEVER = {None, "@once", "@manual", "@none"}
"""Intervals of Meltano that no clock starts."""
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = 5
SOME_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """When a job starts.

    Attributes:
        name: For example ``hourly``.
        job: For example ``all``.
        cron: Its five fields, for example ``30 4 * * 1-5``.
        time_zone: In which they are meant, for example ``Europe/Berlin``.
    """

    name: str
    job: str
    cron: str
    time_zone: str

    def next_after(self, moment: datetime) -> datetime:
        """Find the next start after a moment, in the schedule's time zone.

        A clock that is put forward or back is seen as by Debian's cron: a fixed time that it skips
        is due when it has skipped it, and one that it shows twice is due once; `*` and steps in
        the hour go by what the clock shows.
        """
        return next(CronSim(self.cron, moment.astimezone(ZoneInfo(self.time_zone))))

    def last_until(self, moment: datetime) -> datetime:
        """Find the last start that was due at a moment or before it."""
        # What comes before the next whole minute is due now or was due before.
        minute = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        local = minute.astimezone(ZoneInfo(self.time_zone))
        return next(CronSim(self.cron, local, reverse=True))


def read_schedules(project_root: Path) -> dict[str, Schedule]:
    """Read the schedules that a clock starts, by name.

    A schedule's ``annotations: {watershed: {time_zone: …}}`` names its time zone; UTC by default.

    Raises:
        WatershedError: the file is missing or malformed, or a schedule can never be due.
    """
    path = project_root / JOBS
    try:
        content = yaml.safe_load(path.read_text())
        declared = [
            _schedule(entry, path)
            for entry in content.get("schedules") or ()
            if entry.get("interval") not in NEVER
        ]
        jobs = {job["name"] for job in content.get("jobs") or ()}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        line = " ".join(str(error).split())
        raise WatershedError(f"{path} does not list jobs and schedules: {line}") from error
    for schedule in declared:
        if schedule.job not in jobs:
            raise WatershedError(
                f"{path}: schedule {schedule.name} starts {schedule.job!r}, which is no job"
            )
    return {schedule.name: schedule for schedule in declared}


def chosen(project_root: Path, names: tuple[str, ...]) -> list[Schedule]:
    """Return the schedules of these names, by default all.

    Raises:
        WatershedError: one is not declared.
    """
    declared = read_schedules(project_root)
    if unknown := sorted(set(names) - set(declared)):
        raise WatershedError(
            f"schedule {unknown[0]!r} is not declared in {JOBS}: known are "
            f"{', '.join(sorted(declared)) or 'none'}"
        )
    return [declared[name] for name in sorted(names or declared)]


def _schedule(entry: dict[str, Any], path: Path) -> Schedule:
    name = entry["name"]
    annotations = (entry.get("annotations") or {}).get("watershed") or {}
    if unknown := set(annotations) - {"time_zone"}:
        raise WatershedError(
            f"{path}: annotation {min(unknown)!r} of schedule {name} is not known: write time_zone"
        )
    time_zone = annotations.get("time_zone", "UTC")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise WatershedError(
            f"{path}: schedule {name}: {time_zone!r} is no time zone: write one such as "
            "Europe/Berlin"
        ) from error
    interval = str(entry["interval"])
    cron = ALIASES.get(interval, interval)
    schedule = Schedule(name, entry["job"], cron, time_zone)
    problem = f"{path}: schedule {name}: {interval!r} is not cron's five fields, or never comes"
    if len(cron.split()) != FIELDS:
        raise WatershedError(problem)
    try:
        schedule.next_after(SOME_MOMENT)
    except (CronSimError, StopIteration) as error:
        raise WatershedError(problem) from error
    return schedule
