"""What a run says, line by line: kept as JSON, and shown to who waits."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from rich.live import Live
from rich.table import Table

from watershed.load import TERMINAL_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

LINE = re.compile(r"\S+Z? \[(\w+)\s*\] (\S+)\s+(.*)")
"""How Meltano logs: when, level, who, what."""
SOURCE = re.compile(r"\[([\w.-]+)\] (.*)")
"""How `watershed load` says whose line it is."""
METRIC = re.compile(r'.*METRIC: (\{.*"record_count".*\})')
FAILED = re.compile(r"^watershed: |: FAILED|^RED: ")
"""How our tasks say that they failed."""
OURS = "watershed"
MELTANOS_OWN = "meltano"


@dataclass(frozen=True)
class Line:
    """A line of a run.

    Attributes:
        source: Whose load said it; None: no load.
        plugin: Meltano's name of the plugin; `meltano` for Meltano itself.
    """

    level: str
    source: str | None
    plugin: str
    text: str

    @property
    def is_worth_showing(self) -> bool:
        """Whether it is news to who waits: what our tasks say, what a stream came to, errors."""
        if METRIC.match(self.text):
            return False
        if self.source is None:
            return self.plugin == OURS
        is_target = self.plugin.startswith("target-")
        return self.level in {"warning", "error", "critical"} or (
            is_target and self.text.startswith("stream ")
        )

    @property
    def shown(self) -> str:
        """As it is shown."""
        return self.text if self.source is None else f"[{self.source}] {self.plugin}: {self.text}"

    @classmethod
    def read(cls, line: str) -> Line:
        """Take apart what `meltano run` wrote."""
        text = TERMINAL_CODES.sub("", line.rstrip())
        outer = LINE.fullmatch(text)
        if outer is None:
            return cls("info", None, MELTANOS_OWN, text)
        level, plugin, text = outer.groups()
        inner = SOURCE.fullmatch(text) if plugin == OURS else None
        if inner is None:
            return cls(level, None, plugin, text)
        said = LINE.fullmatch(inner[2])
        if said is None:
            return cls(level, inner[1], MELTANOS_OWN, inner[2])
        return cls(said[1], inner[1], said[2], said[3])


class Progress:
    """Writes each line to the run's log, and shows what is news.

    Args:
        log: The run's log, of JSON lines.
        console: Where a person, or the log of whoever started us, reads.
        expected: Rows that each stream had when it was last read whole, by its name.
    """

    def __init__(self, log: TextIO, console: Console, expected: Mapping[str, int]) -> None:
        self._log = log
        self._console = console
        self._expected = expected
        self._rows: dict[str, int] = {}
        self._since: dict[str, float] = {}
        self._live: Live | None = None
        self._causes: dict[str, str] = {}
        self.has_begun = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep a table of the streams below the lines while inside, on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=2, transient=True) as self._live:
            yield
        self._live = None

    def say(self, text: str) -> None:
        """Show a line of our own."""
        self._write(Line("info", None, OURS, text))
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def take(self, raw: str) -> None:
        """Take a line of `meltano run`."""
        line = Line.read(raw)
        self.has_begun = self.has_begun or line.plugin == OURS
        self._write(line)
        if found := METRIC.match(line.text):
            self._count(found[1])
        self._note_cause(line)
        if line.is_worth_showing and line.text:
            self._console.print(line.shown, highlight=False, markup=False, soft_wrap=True)
        if self._live is not None:
            self._live.update(self._table())

    @property
    def cause(self) -> str | None:
        """Why the run failed: in the words of our task, else of a plugin, else of Meltano."""
        said = (self._causes.get(of) for of in (OURS, "plugin", MELTANOS_OWN))
        return next((cause for cause in said if cause), None)

    def _note_cause(self, line: Line) -> None:
        """Keep the first that each says: what comes after it follows from it."""
        if line.source is None and line.plugin == OURS:
            if FAILED.search(line.text):
                self._causes.setdefault(OURS, line.text.removeprefix(f"{OURS}: "))
        elif line.plugin != MELTANOS_OWN and line.level in {"error", "critical"}:
            self._causes.setdefault("plugin", f"{line.plugin}: {line.text}")
        elif line.text.startswith("Error: "):
            self._causes.setdefault(MELTANOS_OWN, line.text.removeprefix("Error: "))

    def _write(self, line: Line) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._log.write(json.dumps({"at": at, **vars(line)}) + "\n")
        self._log.flush()

    def _count(self, metric: str) -> None:
        try:
            point = json.loads(metric)
            stream, rows = point["tags"]["stream"], int(point["value"])
        except (ValueError, KeyError, TypeError):
            return
        self._since.setdefault(stream, time.monotonic())
        self._rows[stream] = self._rows.get(stream, 0) + rows

    def _table(self) -> Table:
        table = Table("stream", box=None, pad_edge=False)
        for name in ("rows", "rows/s", "left"):
            table.add_column(name, justify="right")
        for stream, rows in self._rows.items():
            seconds = time.monotonic() - self._since[stream]
            rate = rows / seconds if seconds > 1 else None
            missing = self._expected.get(stream, 0) - rows
            left = f"{missing / rate:,.0f} s" if rate and missing > 0 else ""
            table.add_row(stream, f"{rows:,}", f"{rate:,.0f}" if rate else "", left)
        return table
