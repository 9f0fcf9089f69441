"""`watershed run`."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import click

from watershed.settings import Settings


@click.command("run")
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option("--dry-run", is_flag=True, help="Say what would run; start nothing.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="End the job at its next commit after so long; by default never.",
)
def run_(job: str, *, as_json: bool, dry_run: bool, time_limit: float | None) -> None:
    """Run JOB of orchestrate/jobs.meltano.yml, as `meltano run JOB`, but never twice at once.

    Its progress stands on standard error, what it came to on standard output, all that was said in
    output/logs/runs for 30 days. Exits with 0 only when every task ended well.
    """
    from watershed.runs import run as running  # noqa: PLC0415  # start-up

    settings = Settings.read(os.environ, Path.cwd())
    if dry_run:
        tasks = running.tasks_of(settings, job)
        click.echo(json.dumps({"job": job, "tasks": tasks}) if as_json else "\n".join(tasks))
        return
    outcome = running.run(
        settings,
        job,
        environment=os.environ,
        out=sys.stderr,
        time_limit=None if time_limit is None else timedelta(minutes=time_limit),
    )
    if as_json:
        click.echo(running.to_json(outcome))
    else:
        running.write(outcome, sys.stdout)
    if outcome.exit_code:
        sys.exit(outcome.exit_code)
