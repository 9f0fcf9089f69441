"""The command line, `watershed --help`: from `load` to `publish`, and what is asked beside.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from watershed.engine import engine_of
from watershed.notifications.commands import notify_, notify_at_end
from watershed.quarantine.commands import quarantine
from watershed.runs.bound import bind_to
from watershed.runs.commands import run_
from watershed.schedules.commands import schedule
from watershed.settings import Settings, read_dotenv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

EXIT_FAILED = 1
EXIT_USAGE = 2
PACKAGES_OF_OURS = {"watershed", "watershed_duckdb", "watershed_redshift"}
"""Their exceptions are worded for the person at the keyboard."""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="watershed")
def commands() -> None:
    """Watershed: build, publish, ask, and see how far everything is.

    Exit codes: 0 done, 1 failed, 2 wrong usage. WATERSHED_TRACEBACK=1 shows where an error arose.
    """


@commands.command()
@as_json_option
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait while a run holds the warehouse.",
)
def status(*, as_json: bool, wait_seconds: float) -> None:
    """Say how far each stream, the build and the publication are."""
    from watershed import status as facts  # noqa: PLC0415  # start-up
    from watershed.status_text import to_text  # noqa: PLC0415  # start-up

    found = facts.collect(_settings(), wait_seconds=wait_seconds)
    click.echo(facts.to_json(found) if as_json else to_text(found))


@commands.command()
@click.argument("sql", required=False)
@click.option(
    "--file", "file", type=click.File(), help="Read the SQL from a file; `-` is standard input."
)
@as_json_option
@click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV: NULL is empty, '' is quoted.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="Rows of the table that is printed; --json and --csv give all.",
)
def query(sql: str | None, *, file: TextIO | None, as_json: bool, as_csv: bool, limit: int) -> None:
    """Answer SQL from the published warehouse, read-only.

    SQL stands as one argument, in --file, or on standard input.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    statement = _statement(sql, file)
    from watershed import query as reader  # noqa: PLC0415  # start-up

    with engine_of(_settings()).answer(statement) as result:
        if as_json:
            reader.write_json(result, sys.stdout)
        elif as_csv:
            reader.write_csv(result, sys.stdout)
        else:
            from watershed import table  # noqa: PLC0415  # start-up

            table.write(result, sys.stdout, limit=limit)


@commands.command()
@click.argument("sources", nargs=-1)
@as_json_option
@click.option("--loader", help="Meltano's target; by default that of the warehouse.")
def load(sources: tuple[str, ...], *, as_json: bool, loader: str | None) -> None:
    """Load SOURCES, by default all, at the same time; one that fails stops no other.

    Exits with 1 when a source failed whose rows are older than its configuration allows. A failure
    that is tolerated makes `watershed publish`, at the end of the job, exit with 1.
    """
    from watershed import load as loading  # noqa: PLC0415  # start-up

    settings = _settings()
    engine = engine_of(settings)
    runs = loading.load(
        settings, sources, loader or engine.loader, lambda line: click.echo(line, err=True)
    )
    click.echo(loading.to_json(runs) if as_json else loading.to_text(runs))
    if not all(run.is_tolerated for run in runs):
        engine.publish()
        sys.exit(EXIT_FAILED)


@commands.command()
@click.argument("sources", nargs=-1)
@as_json_option
def drift(sources: tuple[str, ...], *, as_json: bool) -> None:
    """Say how the schemas of SOURCES, by default all, changed since the last load.

    Each change names the models and exposures that it reaches. Exits with 1 when a source cannot be
    asked, or changed although its annotation says `schema_policy: freeze`.
    """
    from watershed import drift as drifting  # noqa: PLC0415  # start-up

    found = drifting.drift(_settings(), sources)
    click.echo(drifting.to_json(found) if as_json else drifting.to_text(found))
    if found.is_failed:
        sys.exit(EXIT_FAILED)


@commands.command()
@click.argument("stream")
@as_json_option
@click.option("--from", "since", metavar="VALUE", help="Of its replication key; by default all.")
@click.option("--dry-run", is_flag=True, help="Say what would be read again; change nothing.")
def refresh(stream: str, *, as_json: bool, since: str | None, dry_run: bool) -> None:
    """Read STREAM again, whole or from a VALUE of its replication key on.

    Other streams keep their bookmarks, and readers what they have until the next publication.
    """
    from watershed import refresh as refreshing  # noqa: PLC0415  # start-up

    outcome = refreshing.refresh(
        _settings(),
        stream,
        since=since,
        dry_run=dry_run,
        announce=lambda line: click.echo(line, err=True),
    )
    click.echo(refreshing.to_json(outcome) if as_json else refreshing.to_text(outcome))
    if outcome.cause:
        sys.exit(EXIT_FAILED)


@commands.command()
@as_json_option
@click.option("--source", "sources", multiple=True, help="A source; by default all.")
@click.option("--stream", "streams", multiple=True, help="A stream, such as orders or shop-orders.")
@click.option("--deep", is_flag=True, help="Compare all rows, not the share whose turn it is.")
@click.option("--repair", is_flag=True, help="Bring rows that differ to what the source holds.")
def reconcile(
    *, as_json: bool, sources: tuple[str, ...], streams: tuple[str, ...], deep: bool, repair: bool
) -> None:
    """Compare what was loaded with its sources, row by row.

    Exits with 1 when differences stay: then the marts stay as readers have them.
    """
    from watershed.proof import reconcile as proving  # noqa: PLC0415  # start-up

    settings = _settings()
    found = proving.reconcile(settings, proving.Wish(sources, streams, deep, repair))
    click.echo(proving.to_json(found) if as_json else proving.to_text(found))
    if any(each.remaining for each in found):
        engine_of(settings).publish()
        sys.exit(EXIT_FAILED)


@commands.command()
@as_json_option
@click.option("--force", is_flag=True, help="Build all anew, although nothing changed.")
@click.option("--docs/--no-docs", default=True, show_default=True, help="Write the docs page too.")
def build(*, as_json: bool, force: bool, docs: bool) -> None:
    """Build and test every model, unless nothing changed since the last green build."""
    from watershed import build as builder  # noqa: PLC0415  # start-up

    outcome = builder.build(
        _settings(), force=force, docs=docs, announce=lambda line: click.echo(line, err=True)
    )
    click.echo(builder.to_json(outcome) if as_json else builder.to_text(outcome))
    if not outcome.is_green:
        sys.exit(EXIT_FAILED)


@commands.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="On this machine only; by default one that is free.",
)
def docs(*, port: int) -> None:
    """Show the documentation to a browser of this machine, until Ctrl-C."""
    from watershed import docs_server  # noqa: PLC0415  # start-up

    docs_server.serve(_settings().docs, port=port, announce=click.echo)


@commands.command("build-changed")
@as_json_option
@click.option("--name", help="Part of the schemas' names; by default who you are here.")
@click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with the manifest.json of the last good build, made elsewhere.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Keys shown for rows that differ.",
)
def build_changed(*, as_json: bool, name: str | None, state: Path | None, sample: int) -> None:
    """Build and test what changed since the last good build, and what reads it; say what differs.

    Models go into schemas of their own and read all others from the last good build, which stays
    as it is.
    """
    from watershed import changed  # noqa: PLC0415  # start-up

    outcome = changed.build_changed(
        _settings(),
        name=name or re.sub("[^a-z0-9_]", "_", getpass.getuser().lower()),
        state=state,
        sample=sample,
        announce=lambda line: click.echo(line, err=True),
    )
    click.echo(changed.to_json(outcome) if as_json else changed.to_text(outcome))
    if not outcome.is_green:
        sys.exit(EXIT_FAILED)


@commands.command()
@as_json_option
@click.option("--dry-run", is_flag=True, help="Say what would be published; change nothing.")
@click.option("--rollback", is_flag=True, help="Give readers the publication before this one.")
def publish(*, as_json: bool, dry_run: bool, rollback: bool) -> None:
    """Give readers the last green build, and the ledger in any case."""
    if dry_run and rollback:
        raise click.UsageError("--dry-run and --rollback exclude each other")
    from watershed import publish as publisher  # noqa: PLC0415  # start-up

    engine = engine_of(_settings())
    outcome = engine.roll_back() if rollback else engine.publish(dry_run=dry_run)
    click.echo(publisher.to_json(outcome) if as_json else publisher.to_text(outcome))
    if outcome.failed_sources:
        sys.exit(EXIT_FAILED)


commands.add_command(schedule)
commands.add_command(notify_)
commands.add_command(quarantine)
commands.add_command(run_)


def _settings() -> Settings:
    return Settings.read(os.environ, Path.cwd())


def _statement(sql: str | None, file: TextIO | None) -> str:
    """Take the SQL from the one place where it was given."""
    if sql is not None and file is not None:
        raise click.UsageError("SQL was given twice: as an argument and as --file")
    if sql is None and file is None and sys.stdin.isatty():
        raise click.UsageError("no SQL: give it as an argument, as --file, or on standard input")
    statement = sql if sql is not None else (file or sys.stdin).read()
    if not statement.strip():
        raise click.UsageError("the SQL is empty")
    return statement


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code; an error is one line on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wants_traceback = os.environ.get("WATERSHED_TRACEBACK") == "1"
    if os.environ.get("WATERSHED_RUN_ID"):
        bind_to(os.getppid())  # a task of a run that was killed ends too
    read_dotenv(os.environ, Path.cwd())
    try:
        code = _run(given)
        notify_at_end(given, None)
        sys.exit(code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "watershed"
        _end(f"{error.format_message()} (see {where} --help)", EXIT_USAGE)
    except click.Abort:
        _end("interrupted", EXIT_FAILED)
    except BrokenPipeError:
        # The reader of our output has seen enough (`| head`); Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except Exception as error:
        if getattr(error, "is_worth_telling", True):
            notify_at_end(given, _one_line(error))
        if wants_traceback:
            raise
        _end(_one_line(error), EXIT_FAILED)


def _run(arguments: list[str]) -> int:
    """Run one command; one that exits by itself has told its failure to the ledger."""
    try:
        return commands.main(arguments, prog_name="watershed", standalone_mode=False) or 0
    except SystemExit as end:
        # Told to end (128 and above) it is in a hurry, and nothing failed.
        if not isinstance(end.code, int) or end.code > EXIT_USAGE:
            raise
        return end.code


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    # `click.ClickException` too: a --file that cannot be opened.
    package = type(error).__module__.partition(".")[0]
    if package in PACKAGES_OF_OURS or isinstance(error, (click.ClickException, OSError)):
        return text
    return f"{type(error).__name__}: {text} (WATERSHED_TRACEBACK=1 shows where)"


def _end(line: str, code: int) -> NoReturn:
    click.echo(f"watershed: {line}", err=True)
    sys.exit(code)
