"""A query's answer as a table for people."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from watershed.query import NUMERIC_TYPES
from watershed.terminal import console_on

if TYPE_CHECKING:
    from watershed.query import Result

CONTROL_CHARACTERS = {
    code: rf"\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))
} | {ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t"}
"""A value must not move the cursor of who reads it."""


def write(result: Result, out: TextIO, *, limit: int) -> None:
    """Print at most `limit` rows, and say so when there are more."""
    rows = result.rows(["{}::varchar"] * len(result.columns))
    shown = list(islice(rows, limit))
    has_more = next(rows, None) is not None
    console = console_on(out)
    if result.columns:
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name, kind in zip(result.columns, result.types, strict=True):
            grid.add_column(
                Text(name.translate(CONTROL_CHARACTERS)),
                justify="right" if NUMERIC_TYPES.match(kind) else "left",
                overflow="fold",
            )
        for row in shown:
            grid.add_row(*(_cell(value) for value in row))
        console.print(grid)
    if has_more:
        console.print(f"the first {limit:,} rows; --limit shows more, --csv and --json give all")
    else:
        console.print(f"{len(shown):,} row{'' if len(shown) == 1 else 's'}")


def _cell(value: str | None) -> Text:
    if value is None:
        return Text("NULL", style="dim italic")
    return Text(value.translate(CONTROL_CHARACTERS))
