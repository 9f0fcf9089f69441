"""`watershed quarantine list|show|replay|discard`."""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watershed.engine import engine_of
from watershed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watershed.engine import Connection
    from watershed.quarantine.entries import Choice, Entry

LOCK_WAIT_SECONDS = 60.0
as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would become of them.")


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add what chooses among the values."""
    for option in (
        click.option(
            "--older-than",
            type=click.IntRange(min=0),
            metavar="DAYS",
            help="Set aside so long ago.",
        ),
        click.option("--column", "columns", multiple=True, help="A column; may recur."),
        click.option("--stream", "streams", multiple=True, help="A stream; may recur."),
        click.argument("ids", nargs=-1),
    ):
        command = option(command)
    return command


@click.group()
def quarantine() -> None:
    """See, replay or discard values that their columns could not hold.

    Their cells are NULL in the warehouse. IDS are identities that `show` prints, or beginnings.
    """


@quarantine.command("list")
@choosing
@as_json_option
def list_(*, as_json: bool, **chosen: Any) -> None:  # noqa: ANN401  # as `_choice` takes them
    """Count them by stream, column and reason."""
    from watershed.quarantine import entries  # noqa: PLC0415  # start-up

    with _opened(read_only=True) as connection:
        groups = entries.summary(entries.read(connection, _choice(chosen)) if connection else [])
    if as_json:
        click.echo(json.dumps(groups, indent=2))
        return
    for group in groups:
        discarded = f", {group['discarded']:,} of them discarded" if group["discarded"] else ""
        place = f"{group['stream']}.{group['column']}" if group["column"] else group["stream"]
        click.echo(
            f"{place}: {group['values']:,} {group['reason']}{discarded}; "
            f"last on {group['last_at'][:16].replace('T', ' ')}"
        )
    if not groups:
        click.echo("nothing is in quarantine")


@quarantine.command()
@choosing
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@as_json_option
def show(*, as_json: bool, limit: int, **chosen: Any) -> None:  # noqa: ANN401  # as above
    """Show them, with key and original: personal data may be among them."""
    from watershed.quarantine import entries  # noqa: PLC0415  # start-up

    with _opened(read_only=True) as connection:
        found = entries.read(connection, _choice(chosen)) if connection else []
    if as_json:
        rows = [dataclasses.asdict(entry) for entry in found[:limit]]
        click.echo(json.dumps(rows, default=datetime.isoformat, indent=2))
        return
    for entry in found[:limit]:
        value = "(discarded)" if entry.value is None else json.dumps(entry.value)
        click.echo(f"{_name(entry)}: {value} {entry.reason}")
    if len(found) > limit:
        click.echo(f"the first {limit:,} of {len(found):,}; --limit shows more")


@quarantine.command()
@choosing
@dry_run_option
@as_json_option
def replay(*, as_json: bool, dry_run: bool, **chosen: Any) -> None:  # noqa: ANN401  # as above
    """Give their cells the values that fit by now; others stay.

    For a column that was widened, or whose type was corrected. Where the source may hold another
    value by now, it says so: `watershed refresh` brings that.
    """
    from watershed.quarantine import entries  # noqa: PLC0415  # start-up
    from watershed.quarantine.replay import Replay  # noqa: PLC0415  # start-up

    settings = Settings.read(os.environ, Path.cwd())
    with _opened(read_only=False, is_kept=not dry_run) as connection:
        found = (
            Replay(connection, is_redshift=settings.redshift is not None).replay(
                entries.read(connection, _choice(chosen))
            )
            if connection
            else []
        )
    if as_json:
        rows = [
            {"id": one.entry.quarantine_id, "outcome": one.outcome, "why": one.why} for one in found
        ]
        click.echo(json.dumps({"is_dry_run": dry_run, "values": rows}, indent=2))
        return
    would = "would be " if dry_run else ""
    ordered = sorted(found, key=lambda one: (one.entry.stream, one.outcome, one.why or ""))
    for (stream, outcome, why), group in groupby(
        ordered, key=lambda one: (one.entry.stream, one.outcome, one.why)
    ):
        verb = outcome if outcome == "stays" else would + outcome
        click.echo(f"{stream}: {len(list(group)):,} {verb}{f': {why}' if why else ''}")
    if not found:
        click.echo("nothing of that is in quarantine")
    elif not dry_run and any(one.outcome == "loaded" for one in found):
        click.echo("`watershed build` and `watershed publish` show them to readers")


@quarantine.command()
@choosing
@dry_run_option
@as_json_option
def discard(*, as_json: bool, dry_run: bool, **chosen: Any) -> None:  # noqa: ANN401  # as above
    """Delete originals: their cells stay NULL, and stay out of the proof.

    With --older-than, from a schedule, it is how long originals are kept.
    """
    from watershed.quarantine import entries  # noqa: PLC0415  # start-up

    choice = _choice(chosen)
    if choice.is_everything:
        raise click.UsageError("say which: IDS, --stream, --column or --older-than")
    with _opened(read_only=False, is_kept=not dry_run) as connection:
        found = entries.read(connection, choice) if connection else []
        found = [entry for entry in found if entry.value is not None]
        if connection:
            entries.discard(connection, found)
    if as_json:
        click.echo(json.dumps({"is_dry_run": dry_run, "ids": [e.quarantine_id for e in found]}))
        return
    for entry in found[:10]:
        click.echo(_name(entry))
    if len(found) > 10:  # noqa: PLR2004  # as above
        click.echo(f"and {len(found) - 10:,} more")
    click.echo(f"{len(found):,} {'would be ' if dry_run else ''}discarded")


def _choice(chosen: dict[str, Any]) -> Choice:
    from watershed.quarantine.entries import Choice  # noqa: PLC0415  # start-up

    return Choice(chosen["ids"], chosen["streams"], chosen["columns"], chosen["older_than"])


@contextmanager
def _opened(*, read_only: bool, is_kept: bool = True) -> Iterator[Connection | None]:
    """Open the warehouse, None where there is none yet; changes are one transaction, or undone."""
    engine = engine_of(Settings.read(os.environ, Path.cwd()))
    if not engine.has_warehouse():
        yield None
        return
    with engine.warehouse(read_only=read_only, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        if read_only:
            yield connection
            return
        with engine.transaction(connection, is_kept=is_kept):
            yield connection


def _name(entry: Entry) -> str:
    place = f"{entry.stream}.{entry.column_name}" if entry.column_name else entry.stream
    return f"{entry.quarantine_id[:12]}  {place}  {entry.record_key or '(no key)'}"
