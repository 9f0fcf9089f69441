"""Loading the sources: all at the same time, each by a `meltano run` of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from watershed.engine import engine_of
from watershed.exceptions import WatershedError
from watershed.source_runs import SourceRun, create_source_runs, loaded_at_of, write_source_run
from watershed.sources import EXTRACTORS, Source, choose_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from watershed.settings import Settings

LOCK_WAIT_SECONDS = 600.0
SECONDS_TO_END = 100.0
"""What a load that is told to end has for its next commit; a container gets 120 s in all."""

RETRIES_AFTER_SECONDS = (5.0, 25.0)
"""How long a source that may come back is waited for, each time; what cannot pass is not tried."""
MAY_PASS = re.compile(
    "does not answer|broke off|hung up|cannot reach it [(]|no server answers that may be read"
)
"""How our taps say that the source is away: `watershed_tap.exceptions.SourceUnavailableError`."""

PLUGIN_ERROR = re.compile(r"(?:\[error\s*\] (?!meltano\b)|\] (?=\S+\s+error: ))(\S+)\s+(.+)")
"""How Meltano shows the line in which a tap or target says what a person can mend."""
PLUGIN_LINE = re.compile(r"\] (\S+)\s+(.+)")
PLUGIN_FAILED = re.compile(r"\[error\s*\] meltano\s+(Extractor|Loader) failed")
"""What Meltano says of the one that failed; its own last line is `Run completed` all the same."""
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")


def load(
    settings: Settings,
    names: Sequence[str],
    loader: str,
    announce: Callable[[str], None],
    variables: Mapping[str, str] | None = None,
) -> list[SourceRun]:
    """Load sources at the same time; one that is down, slow or failing stops no other.

    Args:
        settings: Where everything stands.
        names: The sources; none means all.
        loader: Meltano's name of the target.
        announce: Told each line that a load logs, with its source before it.
        variables: What Meltano sees besides our own environment.

    Returns:
        How each ended, in the order of their names.

    Raises:
        WatershedError: a source is not declared, or there is none.
            Or the warehouse is Redshift and no Meltano environment is said.
            Or Meltano cannot make its system database.
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
    """
    if settings.redshift and not settings.meltano_environment:
        raise WatershedError(
            "MELTANO_ENVIRONMENT is not set: Meltano would go on from the bookmarks of its default "
            "environment; set it to the one whose warehouse is Redshift, such as prod"
        )
    chosen = choose_sources(settings.project_root, names)
    if not chosen:
        raise WatershedError(f"no source is declared in {EXTRACTORS}: add one, as the README says")
    if not settings.system_database.exists():
        _create_system_database(settings)
    with _told_to_end():
        loads = [_Load(settings, source, loader, announce, variables or {}) for source in chosen]
        try:
            runs = [load.wait() for load in loads]
        finally:
            for started in loads:
                started.tell_to_end()
            for started in loads:
                started.end()
    return _record(settings, {source.name: source for source in chosen}, loader, runs)


def _create_system_database(settings: Settings) -> None:
    """Let Meltano make its database once: several that each begin to make it fail."""
    done = subprocess.run(
        [_meltano(), "upgrade", "database"],
        cwd=settings.project_root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = TERMINAL_CODES.sub("", done.stderr or done.stdout).strip()
        raise WatershedError(
            f"Meltano could not make its system database {settings.system_database}: "
            f"{said.splitlines()[-1] if said else 'meltano said nothing'}"
        )


def _meltano() -> Path:
    return Path(sys.prefix, "bin", "meltano")


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """Let SIGTERM end the loads and then us; Python would leave them running."""

    def end(signum: int, _: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would keep us from ending them
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Load:
    """One `meltano run`, its lines to a log of its own and to whoever follows."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        loader: str,
        announce: Callable[[str], None],
        variables: Mapping[str, str],
    ) -> None:
        self._source = source
        self._announce = announce
        self._started_at = datetime.now(UTC)
        self._deadline = None
        if source.time_limit is not None:
            self._deadline = time.monotonic() + source.time_limit.total_seconds()
        self._cause: str | None = None
        self._last_line = "meltano said nothing"
        self._last_lines: dict[str, str] = {}
        self._failed: str | None = None
        self._plugins = {"Extractor": source.extractor, "Loader": loader}
        log = settings.output / "logs" / f"load-{source.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("w")
        self._command = [str(_meltano()), "run", source.extractor, loader]
        self._folder = settings.project_root
        self._environment = {**os.environ, **variables}
        self._is_ending = threading.Event()
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a group of its own, so that all of it is told to end
        )
        self._follower = threading.Thread(target=self._follow, args=(self._process.stdout,))
        self._follower.start()

    def wait(self) -> SourceRun:
        """Wait for its end, or end it when its time is up; try again where that may help."""
        pauses = list(RETRIES_AFTER_SECONDS)
        while why := self._wait():
            if not (pauses and MAY_PASS.search(why)) or self._is_ending.is_set():
                break
            pause = pauses.pop(0)
            self._announce(f"[{self._source.name}] {why}: tried again in {pause:g} s")
            if self._is_ending.wait(pause):
                break
            self._cause, self._failed, self._last_lines = None, None, {}
            self._start()
        return SourceRun(
            self._source.name,
            self._source.extractor,
            "failed" if why else "succeeded",
            why,
            self._started_at,
            datetime.now(UTC),
        )

    def _wait(self) -> str | None:
        """Wait for the end of one try; say why it failed."""
        is_late = False
        try:
            remaining = None if self._deadline is None else self._deadline - time.monotonic()
            self._process.wait(None if remaining is None else max(remaining, 0))
        except subprocess.TimeoutExpired:
            is_late = True
            self.end()
        self._follower.join()
        is_failed = is_late or self._process.returncode != 0
        return self._why(is_late=is_late) if is_failed else None

    def tell_to_end(self) -> None:
        """Tell it, and its tap and target, to end at the next commit, if it still runs."""
        self._is_ending.set()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)

    def end(self) -> None:
        """End it if it still runs; what it has committed stays."""
        if self._process.poll() is None:
            self.tell_to_end()
            try:
                self._process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._follower.join()
        self._log.close()

    def _follow(self, output: TextIO | None) -> None:
        with output or contextlib.nullcontext() as lines:
            self._take(lines or ())

    def _take(self, lines: Iterable[str]) -> None:
        for line in lines:
            text = TERMINAL_CODES.sub("", line.rstrip())
            self._log.write(text + "\n")
            if self._cause is None and (found := PLUGIN_ERROR.search(text)):
                self._cause = f"{found[1]}: {found[2].removeprefix('error: ')}"
            if found := PLUGIN_LINE.search(text):
                self._last_lines[found[1]] = f"{found[1]}: {found[2]}"
            if found := PLUGIN_FAILED.search(text):
                self._failed = self._plugins[found[1]]
            self._last_line = text or self._last_line
            self._announce(f"[{self._source.name}] {text}")

    def _why(self, *, is_late: bool) -> str:
        if is_late and self._source.time_limit is not None:
            minutes = self._source.time_limit.total_seconds() / 60
            return f"not done within its time limit of {minutes:g} min"
        return self._cause or self._last_lines.get(self._failed or "", self._last_line)


def _record(
    settings: Settings, sources: dict[str, Source], loader: str, runs: list[SourceRun]
) -> list[SourceRun]:
    """Write the runs to ``ops.source_runs`` and complete them by what the warehouse knows."""
    engine = engine_of(settings)
    with engine.warehouse(read_only=False, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        create_source_runs(connection)
        complete = []
        for run in runs:
            write_source_run(connection, run)
            loaded_at = loaded_at_of(connection, run.extractor, loader)
            age = sources[run.source].largest_age
            is_young = (
                age is not None and loaded_at is not None and run.finished_at - loaded_at <= age
            )
            complete.append(
                dataclasses.replace(
                    run,
                    loaded_at=loaded_at,
                    is_tolerated=run.status == "succeeded" or is_young,
                )
            )
    return complete


def to_json(runs: list[SourceRun]) -> str:
    """Write the runs as a JSON list; times are ISO 8601."""
    rows = [dataclasses.asdict(run) for run in runs]
    return json.dumps(rows, default=datetime.isoformat, indent=2)


def to_text(runs: list[SourceRun]) -> str:
    """Write a line for each source."""
    return "\n".join(_line(run) for run in runs)


def _line(run: SourceRun) -> str:
    seconds = (run.finished_at - run.started_at).total_seconds()
    if run.status == "succeeded":
        return f"{run.source}: loaded in {seconds:.0f} s"
    if run.loaded_at is None:
        return f"{run.source}: FAILED, and was never loaded: {run.cause}"
    age = run.finished_at - run.loaded_at
    consequence = "the marts go on with them" if run.is_tolerated else "the marts wait for it"
    return f"{run.source}: FAILED; its rows are {_duration(age)} old, {consequence}: {run.cause}"


def _duration(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004  # an hour
