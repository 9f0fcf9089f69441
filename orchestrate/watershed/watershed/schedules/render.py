"""Lines of a crontab, and a workflow of GitHub Actions, that start what is due."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from watershed.schedules.declared import Schedule
    from watershed.settings import Settings

QUARTERS = "*/15"
"""Time zones differ from UTC by whole quarters of an hour."""


def to_crontab(settings: Settings, schedules: list[Schedule]) -> str:
    """Write a line for each schedule.

    cron knows one time zone, the machine's. So a line only asks, each hour at the schedule's
    minutes and whole quarters of an hour from them, and the command decides in the schedule's zone.
    """
    logs = shlex.quote(str(settings.output / "logs"))
    watershed = shlex.quote(str(Path(sys.prefix, "bin", "watershed")))
    environment = f"XDG_STATE_HOME={logs}"  # where Meltano logs
    if settings.meltano_environment:
        environment += f" MELTANO_ENVIRONMENT={shlex.quote(settings.meltano_environment)}"
    lines = []
    for schedule in schedules:
        command = (
            f"cd {shlex.quote(str(settings.project_root))} && mkdir -p {logs} && {environment} "
            f"{watershed} schedule run {shlex.quote(schedule.name)} --quiet "
            f">> {logs}/schedules.log 2>&1"
        )
        lines += [
            f"# {schedule.name}: job {schedule.job} at `{schedule.cron}` {schedule.time_zone}",
            # cron takes a percent sign for the end of the line.
            f"{_asking(schedule)} * * * * " + command.replace("%", r"\%"),
        ]
    return "\n".join(lines)


def to_workflow(settings: Settings, schedules: list[Schedule]) -> str:
    """Write a workflow; GitHub's clock is UTC and starts late, but never twice at once.

    Raises:
        WatershedError: a schedule is of another time zone.
    """
    for schedule in schedules:
        if schedule.time_zone != "UTC":
            raise WatershedError(
                f"schedule {schedule.name} is of {schedule.time_zone}: GitHub Actions starts by "
                "UTC; write its interval in UTC, or use --format cron"
            )
    crons = "\n".join(f"    - cron: '{schedule.cron}'" for schedule in schedules)
    steps = "\n".join(
        f"    - if: github.event.schedule == '{schedule.cron}'\n"
        f"      run: .venv/bin/watershed run {schedule.job}"
        for schedule in schedules
    )
    name = settings.meltano_environment or "prod"
    return f"""name: schedules
on:
  schedule:
{crons}
concurrency: {{group: schedules, cancel-in-progress: false}}
jobs:
  run:
    runs-on: ubuntu-latest
    env: {{MELTANO_ENVIRONMENT: {name}}}
    steps:
    - uses: actions/checkout@v4
    - run: requirements/setup.sh pipeline
{steps}"""


def _asking(schedule: Schedule) -> str:
    minutes = schedule.cron.split()[0]
    if minutes == QUARTERS:
        return QUARTERS
    named = minutes.split(",")
    if not all(minute.isdigit() for minute in named):
        return "*"
    asked = sorted({(int(minute) + shift) % 60 for minute in named for shift in (0, 15, 30, 45)})
    return ",".join(map(str, asked))
