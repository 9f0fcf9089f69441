"""`watershed notify` and `watershed notify test`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watershed.settings import Settings

if TYPE_CHECKING:
    from watershed.notifications.notify import Told

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
TELLING = {"load", "build", "publish", "run"}
"""Commands whose end is told: a failed task keeps a job from its later ones."""


@click.group("notify", invoke_without_command=True)
@as_json_option
@click.pass_context
def notify_(context: click.Context, *, as_json: bool) -> None:
    """Tell the routes of orchestrate/notifications.yml what is due.

    `watershed load`, `build`, `publish` and `run` do this themselves at their end.
    """
    if context.invoked_subcommand:
        return
    from watershed.notifications import notify  # noqa: PLC0415  # start-up

    _end(notify.notify(_settings(), os.environ, ended=None), as_json=as_json)


@notify_.command("test")
@as_json_option
def test_(*, as_json: bool) -> None:
    """Send a message to every route."""
    from watershed.notifications import notify  # noqa: PLC0415  # start-up

    _end(notify.test(_settings(), os.environ), as_json=as_json)


def notify_at_end(arguments: list[str], error: str | None) -> None:
    """Tell what is due after a command; whatever goes wrong here is a line, and no more."""
    name = next((word for word in arguments if not word.startswith("-")), None)
    is_asked_only = {"--help", "-h", "--dry-run"} & set(arguments)
    if name not in TELLING or is_asked_only:
        return
    from watershed.notifications import notify  # noqa: PLC0415  # start-up

    try:
        told = notify.notify(_settings(), os.environ, ended=(name, error))
        lines = told.problems if told.sent or _has_routes() else ()
    except Exception as problem:  # noqa: BLE001  # the run ends as it did
        # Where there is no project, the command has said so.
        lines = () if error else (" ".join(str(problem).split()),)
    for line in lines:
        click.echo(f"watershed: notify: {line}", err=True)


def _has_routes() -> bool:
    from watershed.notifications.routes import read_notifications  # noqa: PLC0415  # start-up

    return bool(read_notifications(_settings().project_root).routes)


def _settings() -> Settings:
    return Settings.read(os.environ, Path.cwd())


def _end(told: Told, *, as_json: bool) -> None:
    if as_json:
        sent = [{"route": route, "title": title} for route, title in told.sent]
        click.echo(json.dumps({"sent": sent, "problems": told.problems}, indent=2))
    else:
        for route, title in told.sent:
            click.echo(f"{route}: {title}")
        if not told.sent and not told.problems:
            click.echo("nothing to tell")
    for line in told.problems:
        click.echo(f"watershed: {line}", err=True)
    if told.problems:
        sys.exit(1)
