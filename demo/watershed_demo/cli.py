"""``watershed-demo``: the sample company's servers and days."""

import dataclasses
import itertools
import json
import sys
import time
from pathlib import Path

import click
import duckdb
import psycopg
import pymysql
from pymongo.errors import PyMongoError

from watershed_demo.company import Company
from watershed_demo.exceptions import DemoError
from watershed_demo.score import SYSTEMS, read_found, read_truth, score_across, score_all
from watershed_demo.sources import at_once
from watershed_demo.timeline import Changes
from watershed_servers import ServerError

PROJECT = Path(__file__).resolve().parents[2]
json_option = click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project",
    envvar="MELTANO_PROJECT_ROOT",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT,
    show_default="this repository",
    help="Where .env and output/ are.",
)
@click.option(
    "--postgres-url",
    envvar="DEMO_POSTGRES_URL",
    help="Use this PostgreSQL, as a superuser, and start none; demo/compose.yml shows the form. "
    "Better set as DEMO_POSTGRES_URL: it holds a password.",
)
@click.option("--mysql-url", envvar="DEMO_MYSQL_URL", help="The same for MariaDB: DEMO_MYSQL_URL.")
@click.option(
    "--mongodb-url", envvar="DEMO_MONGODB_URL", help="The same for MongoDB: DEMO_MONGODB_URL."
)
@click.pass_context
def commands(
    context: click.Context,
    project: Path,
    postgres_url: str | None,
    mysql_url: str | None,
    mongodb_url: str | None,
) -> None:
    """Start, stop and age the sample company."""
    urls = {"shop": postgres_url, "crm": mysql_url, "web": mongodb_url}
    context.obj = Company.of_project(project.resolve(), urls)


@commands.command()
@click.option(
    "--scale",
    envvar="SCALE",
    type=click.FloatRange(min=0, min_open=True),
    help="Size of the history; 1, the default, is about 260,000 rows. Environment: SCALE.",
)
@click.option("--seed", envvar="SEED", type=int, help="The same seed, the same rows.")
@json_option
@click.pass_obj
def up(company: Company, scale: float | None, seed: int | None, *, is_json: bool) -> None:
    """Start the servers; at first, generate the data."""
    started = time.monotonic()
    company.start()
    for source in company.sources:
        _say(f"{source.title} runs on {source.address()}")
    generated = company.ensure(scale=scale, seed=seed, progress=_Progress().show)
    rows = company.count()
    seconds = round(time.monotonic() - started, 1)
    if is_json:
        result = {"generated": generated, "seconds": seconds, "rows": rows}
        click.echo(json.dumps(result | _made(company)))
        return
    for source in company.sources:
        verb = "Generated" if source.name in generated else "Found"
        count = sum(rows[source.name].values())
        click.echo(f"{verb} {count:,} {source.unit} of the {source.name}")
    click.echo(f"Took {seconds} s")


@commands.command()
@click.pass_obj
def down(company: Company) -> None:
    """Stop the servers; the data stays."""
    was_running = company.stop()
    for source in company.sources:
        if source.login is not None:
            click.echo(f"{source.title} at {source.url_variable} was not started here and goes on")
        elif was_running[source.name]:
            click.echo(f"{source.title} has stopped")
        else:
            click.echo(f"{source.title} was not running")


@commands.command()
@json_option
@click.pass_obj
def day(company: Company, *, is_json: bool) -> None:
    """Apply the next day of changes."""
    number, changes = company.apply_day()
    if is_json:
        by_source = {
            name: {table: dataclasses.asdict(change) for table, change in of_source.items()}
            for name, of_source in changes.items()
        }
        click.echo(json.dumps({"day": number, "changes": by_source}))
        return
    click.echo(f"Day {number}")
    _print_table(changes)


@commands.command()
@json_option
@click.pass_obj
def status(company: Company, *, is_json: bool) -> None:
    """Tell whether the servers run and what they hold."""
    is_running = dict(at_once(company.sources, lambda source: source.is_running()))
    if not all(is_running.values()):
        if is_json:
            click.echo(json.dumps({"is_running": is_running}))
            return
        for source in company.sources:
            state = "runs" if is_running[source.name] else "is not running"
            click.echo(f"{source.title} {state}")
        return
    made, rows = _made(company), company.count()
    if is_json:
        addresses = {source.name: source.address() for source in company.sources}
        running = {"is_running": is_running, "addresses": addresses, "rows": rows}
        click.echo(json.dumps(running | made))
        return
    click.echo(f"SCALE={made['scale']:g} SEED={made['seed']}, {made['day']} days after the history")
    for source in company.sources:
        click.echo(f"{source.title} runs on {source.address()}")
        for table, count in rows[source.name].items():
            click.echo(f"  {source.name + '.' + table:<28}{count:>12,}")


@commands.command()
@json_option
@click.pass_obj
def score(company: Company, *, is_json: bool) -> None:
    """Tell how well the published warehouse tells who is who; run it after `make demo`."""
    output = company.project / "output"
    truth = read_truth(output / "demo" / "identity_truth.csv")
    found = read_found(output / "published.duckdb")
    scores = {"all": score_all(truth, found)}
    for one, other in itertools.combinations(SYSTEMS, 2):
        scores[f"{one} and {other}"] = score_across(truth, found, one, other)
    if is_json:
        shown = {
            name: dataclasses.asdict(of) | {"recall": of.recall, "precision": of.precision}
            for name, of in scores.items()
        }
        click.echo(json.dumps(shown))
        return
    click.echo(f"{'Entries of one person':<24}{'pairs':>10}{'recall':>10}{'precision':>12}")
    for name, of in scores.items():
        click.echo(f"{name:<24}{of.true_pairs:>10,}{of.recall:>10.2%}{of.precision:>12.2%}")


def _made(company: Company) -> dict[str, float]:
    """How the company was made; its day is that of the database which is furthest behind."""
    made = company.made().values()
    return dataclasses.asdict(min(made, key=lambda one: one.day))


def _print_table(changes: dict[str, dict[str, Changes]]) -> None:
    click.echo(f"  {'':<28}{'inserted':>10}{'updated':>10}{'deleted':>10}")
    for name, of_source in changes.items():
        for table, change in of_source.items():
            numbers = (change.inserted, change.updated, change.deleted)
            columns = "".join(f"{number:>10,}" for number in numbers)
            click.echo(f"  {name + '.' + table:<28}{columns}")


class _Progress:
    """How far the generation of each source is."""

    def __init__(self) -> None:
        self._shares: dict[str, float] = {}

    def show(self, name: str, _step: str, share: float) -> None:
        """Write over the line before on a terminal; elsewhere, say once what begins."""
        is_first = name not in self._shares
        self._shares[name] = share
        if sys.stderr.isatty():
            shares = "  ".join(f"{name} {share:4.0%}" for name, share in self._shares.items())
            is_last = all(share == 1 for share in self._shares.values())
            click.echo(f"\rGenerating  {shares}", err=True, nl=is_last)
        elif is_first:
            _say(f"Generating the {name}")


def _say(text: str) -> None:
    """Tell a person how it goes, apart from what a program reads."""
    click.echo(text, err=True)


def main() -> None:
    """Run the command line; what a user can put right ends in one line and exit code 1."""
    try:
        commands()
    except (DemoError, ServerError, OSError, psycopg.Error, PyMongoError, duckdb.Error) as error:
        first_line = str(error).strip().partition("\n")[0]
        _fail(first_line)
    except pymysql.MySQLError as error:
        _fail(str(error.args[-1]))


def _fail(text: str) -> None:
    click.echo(f"watershed-demo: {text}", err=True)
    sys.exit(1)
