"""``watershed-demo``: the sample company's servers and days."""

import dataclasses
import json
import sys
import time
from pathlib import Path

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

from watershed_demo.database import (
    DATABASE,
    READER,
    connect_as_owner,
    ensure_database,
    ensure_shop,
    read_company,
)
from watershed_demo.days import Changes, apply_day
from watershed_demo.env_file import read_settings, write_settings
from watershed_demo.exceptions import DemoError
from watershed_servers import PostgresDatabase, PostgresServer, ServerError

PROJECT = Path(__file__).resolve().parents[2]
json_option = click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where the company's databases are: a server of our own, or one that somebody else runs."""

    project: Path
    url: str | None

    @property
    def server(self) -> PostgresServer:
        """Our own server, running or not."""
        return PostgresServer(self.project / "output" / "demo" / "postgres")

    def administrator(self) -> PostgresDatabase:
        """Tell how to connect as a superuser.

        Raises:
            DemoError: our server is down, or the URL of somebody's is incomplete.
        """
        if self.url is None:
            if not self.server.is_running():
                raise DemoError("the demo's PostgreSQL is not running: run `watershed-demo up`")
            return self.server.database()
        parts = {"port": "5432", "dbname": "postgres", **conninfo_to_dict(self.url)}
        missing = [
            name for name in ("host", "user", "password", "sslrootcert") if name not in parts
        ]
        if missing:
            raise DemoError(
                f"the URL of the server lacks {', '.join(missing)}: give "
                "postgresql://USER:PASSWORD@HOST:PORT/postgres?sslrootcert=/path/of/ca.crt"
            )
        return PostgresDatabase(
            host=str(parts["host"]),
            port=int(str(parts["port"])),
            user=str(parts["user"]),
            password=str(parts["password"]),
            dbname=str(parts["dbname"]),
            ca_file=Path(str(parts["sslrootcert"])).resolve(),
        )


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
    "--server",
    "url",
    envvar="DEMO_POSTGRES_URL",
    help="Use this PostgreSQL, as a superuser, and start none; demo/compose.yml shows the form. "
    "Better set as DEMO_POSTGRES_URL: it holds a password.",
)
@click.pass_context
def commands(context: click.Context, project: Path, url: str | None) -> None:
    """Start, stop and age the sample company."""
    context.obj = Sources(project.resolve(), url)


@commands.command()
@click.option(
    "--scale",
    envvar="SCALE",
    type=click.FloatRange(min=0, min_open=True),
    help="Size of the history; 1, the default, is about 200,000 rows. Environment: SCALE.",
)
@click.option("--seed", envvar="SEED", type=int, help="The same seed, the same rows.")
@json_option
@click.pass_obj
def up(sources: Sources, scale: float | None, seed: int | None, *, is_json: bool) -> None:
    """Start the servers; at first, generate the data."""
    started = time.monotonic()
    if sources.url is None:
        sources.server.start()
    administrator = sources.administrator()
    _say(f"PostgreSQL runs on {administrator.host}:{administrator.port}")
    env_file = sources.project / ".env"
    password = ensure_database(administrator, read_settings(env_file).get("SHOP_POSTGRES_PASSWORD"))
    is_new = ensure_shop(administrator, scale=scale, seed=seed, report=_show_progress)
    write_settings(
        env_file,
        {
            "SHOP_POSTGRES_HOST": administrator.host,
            "SHOP_POSTGRES_PORT": str(administrator.port),
            "SHOP_POSTGRES_DATABASE": DATABASE,
            "SHOP_POSTGRES_USER": READER,
            "SHOP_POSTGRES_PASSWORD": password,
            "SHOP_POSTGRES_SSLROOTCERT": str(administrator.ca_file),
        },
    )
    company = read_company(administrator)
    seconds = round(time.monotonic() - started, 1)
    if is_json:
        result = {"is_new": is_new, "port": administrator.port, "seconds": seconds}
        click.echo(json.dumps(result | dataclasses.asdict(company)))
        return
    verb = "Generated" if is_new else "Found"
    click.echo(f"{verb} {sum(company.rows.values()):,} rows of the shop in {seconds} s")


@commands.command()
@click.pass_obj
def down(sources: Sources) -> None:
    """Stop the servers; the data stays."""
    if sources.url is not None:
        raise DemoError("the server at DEMO_POSTGRES_URL was not started here: stop it yourself")
    was_running = sources.server.is_running()
    sources.server.stop()
    click.echo("PostgreSQL has stopped" if was_running else "PostgreSQL was not running")


@commands.command()
@json_option
@click.pass_obj
def day(sources: Sources, *, is_json: bool) -> None:
    """Apply the next day of changes."""
    with connect_as_owner(sources.administrator()) as connection:
        changes = apply_day(connection)
    number = read_company(sources.administrator()).day
    if is_json:
        by_table = {table: dataclasses.asdict(change) for table, change in changes.items()}
        click.echo(json.dumps({"day": number, "changes": by_table}))
        return
    click.echo(f"Day {number}")
    _print_table(changes)


@commands.command()
@json_option
@click.pass_obj
def status(sources: Sources, *, is_json: bool) -> None:
    """Tell whether the servers run and what they hold."""
    is_running = sources.url is not None or sources.server.is_running()
    if not is_running:
        click.echo(json.dumps({"is_running": False}) if is_json else "PostgreSQL is not running")
        return
    administrator = sources.administrator()
    company = read_company(administrator)
    if is_json:
        server = {"is_running": True, "host": administrator.host, "port": administrator.port}
        click.echo(json.dumps(server | dataclasses.asdict(company)))
        return
    click.echo(f"PostgreSQL runs on {administrator.host}:{administrator.port}")
    click.echo(f"SCALE={company.scale:g} SEED={company.seed}, {company.day} days after the history")
    for table, count in company.rows.items():
        click.echo(f"  {table:<20}{count:>12,}")


def _print_table(changes: dict[str, Changes]) -> None:
    click.echo(f"  {'':<20}{'inserted':>10}{'updated':>10}{'deleted':>10}")
    for table, change in changes.items():
        numbers = (change.inserted, change.updated, change.deleted)
        click.echo(f"  {table:<20}" + "".join(f"{number:>10,}" for number in numbers))


def _show_progress(step: str, share: float) -> None:
    """Write over the line before on a terminal; elsewhere, say once what begins."""
    if sys.stderr.isatty():
        click.echo(f"\rGenerating the shop: {share:4.0%} {step:<24}", err=True, nl=share == 1)
    elif share == 0:
        _say("Generating the shop")


def _say(text: str) -> None:
    """Tell a person how it goes, apart from what a program reads."""
    click.echo(text, err=True)


def main() -> None:
    """Run the command line; what a user can put right ends in one line and exit code 1."""
    try:
        commands()
    except (DemoError, ServerError, OSError, psycopg.Error) as error:
        first_line = str(error).strip().partition("\n")[0]
        click.echo(f"watershed-demo: {first_line}", err=True)
        sys.exit(1)
