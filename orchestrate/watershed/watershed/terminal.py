"""Where lines and tables for people go."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console

PIPE_WIDTH = 10_000
"""Columns for an output that is no terminal: as wide as the values need, so that nothing is cut."""


def console_on(out: TextIO) -> Console:
    """Make a console that colours nothing by guess."""
    console = Console(file=out, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=out, highlight=False, width=PIPE_WIDTH)
