"""A target as a process: what a person can mend ends in one line and exit code 1."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import duckdb
from singer_sdk.exceptions import (
    InvalidInputLine,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)

from watershed_load_plan import LoadError
from watershed_target.interruptible import interruptible_stdin
from watershed_target.reading import LineReader

if TYPE_CHECKING:
    from watershed_target.target import LoadPlanTarget

MENDABLE = (
    LoadError,
    InvalidInputLine,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
    duckdb.Error,
    OSError,
    ValueError,
)


def run(target: type[LoadPlanTarget], *mendable: type[Exception]) -> None:
    """Run a target.

    Args:
        target: Its class.
        mendable: Errors of its warehouse that a person can mend; their text is one line.
    """
    LineReader.default_input = interruptible_stdin()
    errors: tuple[type[Exception], ...] = (*MENDABLE, *mendable)
    try:
        target.cli()
    except errors as error:
        if os.environ.get("WATERSHED_TRACEBACK"):
            raise
        # Meltano shows a loader's lines without their level: the line itself says what it is.
        target.logger.error("error: %s", _line(error))  # noqa: TRY400  # one line
        sys.exit(1)


def _line(error: Exception) -> str:
    """Say in one line what went wrong, in which stream, and what became of the rows."""
    text = " ".join(str(error).split("\n")[0].split())
    notes = [note for note in getattr(error, "__notes__", ()) if note not in text]
    if isinstance(error, (duckdb.Error, OSError)):
        text += "; nothing of this commit was kept: mend it (a full disk?) and run again"
    return ": ".join([*notes, text])
