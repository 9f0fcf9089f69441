"""The command: `python -m watershed_mutation [MODEL ...]`, or `make mutate`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import click

from watershed.settings import Settings
from watershed_mutation.branches import LONGEST_TEXT
from watershed_mutation.survey import Survey, read_exceptions, survey
from watershed_mutation.unit_tests import UnitTestsError, collect, schema_copy

EXCEPTIONS = Path(__file__).parents[1] / "unproved_branches.yml"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def main(models: tuple[str, ...], *, as_json: bool) -> None:
    """Take each branch out of MODELS, by default all, and name those that no unit test misses.

    Exit codes: 0 all branches are proved or excepted with a reason, 1 not, 2 wrong usage.
    """
    settings = Settings.read(os.environ, Path(__file__).parent)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            empty = schema_copy(settings.warehouse, Path(folder))
            tests = collect(settings.transform, empty, Path(folder) / "target", models, None)
            found = survey(tests, read_exceptions(EXCEPTIONS))
        except UnitTestsError as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.__dict__, indent=2))
    else:
        click.echo(_text(found, len(tests), time.monotonic() - started))
    sys.exit(1 if found.survivors or found.stale else 0)


def _text(found: Survey, tests: int, seconds: float) -> str:
    lines = []
    for owner, name, text in found.survivors:
        shown = "" if name.endswith(text) else f" ({text[:LONGEST_TEXT]})"
        lines.append(f"{owner}: no unit test fails without `{name}`{shown}")
    lines += [f"{model}: `{b}` is excepted, and proved or gone" for model, b in found.stale]
    lines.append(
        f"{found.branches} branches, {tests} unit tests, {seconds:.0f} s: "
        f"{len(found.survivors)} unproved, {found.excepted} excepted with a reason"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
