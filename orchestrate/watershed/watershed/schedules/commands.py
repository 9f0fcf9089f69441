"""`watershed schedule list|next|render|run`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from watershed.settings import Settings

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
names_argument = click.argument("names", nargs=-1)


@click.group()
def schedule() -> None:
    """See when jobs are due, and start those that are."""


@schedule.command("list")
@names_argument
@as_json_option
def list_(names: tuple[str, ...], *, as_json: bool) -> None:
    """Say when schedules ran last, whether a start is missing, and when the next is due."""
    from watershed.schedules.declared import chosen  # noqa: PLC0415  # start-up
    from watershed.schedules.starts import standing  # noqa: PLC0415  # start-up

    settings, now = Settings.read(os.environ, Path.cwd()), datetime.now(UTC)
    found = [standing(settings, one, now) for one in chosen(settings.project_root, names)]
    if as_json:
        rows = [dataclasses.asdict(one) for one in found]
        click.echo(json.dumps(rows, default=datetime.isoformat, indent=2))
        return
    for one in found:
        last = "never ran"
        if one.started_at:
            end = "has not ended" if one.exit_code is None else f"exit code {one.exit_code}"
            last = f"ran {one.started_at:%Y-%m-%d %H:%M} UTC, {end}"
        missed = f", MISSED that of {one.due_since:%Y-%m-%d %H:%M %Z}" if one.due_since else ""
        click.echo(
            f"{one.name}: job {one.job} at `{one.cron}` {one.time_zone}; {last}{missed}; "
            f"next {one.next_at:%Y-%m-%d %H:%M %Z}"
        )


@schedule.command("next")
@names_argument
@as_json_option
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True)
def next_(names: tuple[str, ...], *, as_json: bool, count: int) -> None:
    """Say when schedules are due next, in their time zone and in UTC."""
    from watershed.schedules.declared import chosen  # noqa: PLC0415  # start-up

    settings, now = Settings.read(os.environ, Path.cwd()), datetime.now(UTC)
    starts = []
    for one in chosen(settings.project_root, names):
        moment = now
        for _ in range(count):
            moment = one.next_after(moment)
            starts.append((one.name, moment))
    starts.sort(key=lambda start: start[1].astimezone(UTC))
    if as_json:
        rows = [{"schedule": name, "at": moment.isoformat()} for name, moment in starts]
        click.echo(json.dumps(rows, indent=2))
        return
    for name, moment in starts:
        click.echo(f"{moment:%Y-%m-%d %H:%M %Z} ({moment.astimezone(UTC):%H:%M} UTC)  {name}")


@schedule.command()
@names_argument
@as_json_option
@click.option(
    "--format", "form", type=click.Choice(["cron", "github-actions"]), default="cron",
    show_default=True, help="For the machine's crontab, or a workflow file.",
)  # fmt: skip
def render(names: tuple[str, ...], *, as_json: bool, form: str) -> None:
    """Print what makes another program start the schedules."""
    from watershed.schedules import render as writer  # noqa: PLC0415  # start-up
    from watershed.schedules.declared import chosen  # noqa: PLC0415  # start-up

    settings = Settings.read(os.environ, Path.cwd())
    write = writer.to_crontab if form == "cron" else writer.to_workflow
    text = write(settings, chosen(settings.project_root, names))
    click.echo(json.dumps({"format": form, "text": text}, indent=2) if as_json else text)


@schedule.command()
@click.argument("name")
@as_json_option
@click.option("--now", "is_forced", is_flag=True, help="Start it although nothing is due.")
@click.option("--quiet", is_flag=True, help="Say nothing when nothing is due.")
def run(name: str, *, as_json: bool, is_forced: bool, quiet: bool) -> None:
    """Run the job of schedule NAME if a start came due since the last; missed ones count once.

    Exits with the exit code of the job; 1 when its last run has not ended.
    """
    from watershed.schedules.declared import chosen  # noqa: PLC0415  # start-up
    from watershed.schedules.starts import start_if_due  # noqa: PLC0415  # start-up

    settings = Settings.read(os.environ, Path.cwd())
    (one,) = chosen(settings.project_root, (name,))
    code = start_if_due(settings, one, is_forced=is_forced)
    if as_json:
        click.echo(json.dumps({"schedule": name, "has_run": code is not None, "exit_code": code}))
    elif code is None and not quiet:
        click.echo(f"{name} is not due: next at {one.next_after(datetime.now(UTC))}")
    sys.exit(code or 0)
