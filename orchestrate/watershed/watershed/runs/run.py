"""Running a job: under its lease, with a log of its own, ended when its time is up."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import yaml
from rich import box
from rich.table import Table

from watershed.engine import engine_of
from watershed.exceptions import WatershedError
from watershed.runs import bound, report, system_database
from watershed.runs.lease import Lease
from watershed.runs.progress import OURS, Progress
from watershed.runs.system_database import RUNS
from watershed.schedules.declared import JOBS
from watershed.terminal import console_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO

    from rich.console import Console

    from watershed.runs.lease import Holder
    from watershed.settings import Settings

RUN_ID = "WATERSHED_RUN_ID"
"""By this variable the tasks of a run know that they belong to one."""
LOGS_ARE_KEPT = timedelta(days=30)
SECONDS_TO_END = 110.0
"""What a job that is told to end has: a load ends at its next commit."""
LOCK_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        exit_code: 0 only when every task of the job ended well.
        cause: Why not, in one line.
        seconds: From the lease to the end of the job.
        log: All that was said, a JSON object a line.
    """

    run_id: str
    job: str
    exit_code: int
    cause: str | None
    seconds: float
    log: Path
    streams: tuple[report.StreamReport, ...]


def tasks_of(settings: Settings, job: str) -> list[str]:
    """Read what a job consists of.

    Raises:
        WatershedError: it is not declared.
    """
    path = settings.project_root / JOBS
    try:
        jobs = {one["name"]: one["tasks"] for one in yaml.safe_load(path.read_text())["jobs"]}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise WatershedError(
            f"{path} does not list jobs: {' '.join(str(error).split())}"
        ) from error
    if job not in jobs:
        known = ", ".join(sorted(jobs))
        raise WatershedError(f"job {job!r} is not declared in {JOBS}: known are {known or 'none'}")
    return list(jobs[job])


def run(
    settings: Settings,
    job: str,
    *,
    environment: Mapping[str, str],
    out: TextIO,
    time_limit: timedelta | None,
) -> Outcome:
    """Run a job, alone among all machines that share Meltano's system database.

    Args:
        settings: Where everything stands.
        job: Its name.
        environment: What the job sees of ours.
        out: Where its progress is shown; a terminal gets a table that moves.
        time_limit: After which it is ended; None: never.

    Raises:
        WatershedError: there is no such job, or it did not begin, or nothing of it did.
        watershed.runs.lease.LeaseHeldError: it runs already.
    """
    tasks_of(settings, job)
    console = console_on(out)
    system = system_database.opened(settings, environment)
    started_at = datetime.now(UTC)
    run_id = f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    pipeline = f"{settings.meltano_environment or 'default'}:{job}"
    lease = Lease(system, pipeline, run_id)
    lease.acquire(lambda line: console.print(line, markup=False))
    try:
        expected = _expected(settings, console)
        _remember(system, lease.holder, pipeline, job)
        with _log(settings, run_id) as log, _ended_by_signals():
            progress = Progress(log, console, expected)
            child = _Job(settings, job, run_id, environment)
            code: int = 1
            cause: str | None = None
            try:
                with progress.shown():
                    code, cause = child.follow(progress, lease, time_limit)
            except WatershedError as error:
                cause = str(error)
                raise
            except SystemExit as end:
                code, cause = int(end.code or 1), "it was told to end"
                progress.say(f"{OURS}: told to end: what was committed stays")
                raise
            finally:
                child.end()
                _remember_end(system, run_id, code, cause)
            return Outcome(
                run_id,
                job,
                code,
                cause,
                (datetime.now(UTC) - started_at).total_seconds(),
                Path(log.name),
                _closed(settings, system, started_at, progress.say),
            )
    finally:
        lease.release()


class _Job:
    """A `meltano run` in a process group of its own, which dies with us."""

    def __init__(
        self, settings: Settings, job: str, run_id: str, environment: Mapping[str, str]
    ) -> None:
        variables = {"XDG_STATE_HOME": str(settings.output / "logs"), **environment, RUN_ID: run_id}
        meltano = str(Path(sys.prefix, "bin", "meltano"))
        self._stopped: str | None = None
        self._process = subprocess.Popen(
            [sys.executable, bound.__file__, str(os.getpid()), meltano, "run", job],
            cwd=settings.project_root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def follow(
        self, progress: Progress, lease: Lease, time_limit: timedelta | None
    ) -> tuple[int, str | None]:
        """Follow it to its end.

        Returns:
            Its exit code, and why it is not 0.

        Raises:
            WatershedError: Meltano could not begin with the first task.
        """
        lease.keep(lambda: self._stop("another run took the lease, as this one was silent"))
        timer = None
        if time_limit is not None:
            minutes = time_limit.total_seconds() / 60
            why = f"not done within its time limit of {minutes:g} min"
            timer = threading.Timer(time_limit.total_seconds(), self._stop, [why])
            timer.start()
        try:
            for line in self._process.stdout or ():
                progress.take(line)
            code = self._process.wait()
        finally:
            if timer is not None:
                timer.cancel()
        if self._stopped is not None:
            return code or 1, self._stopped
        if code == 0:
            return 0, None
        cause = progress.cause or f"meltano run ended with exit code {code}"
        if not progress.has_begun:
            raise WatershedError(f"the job did not begin: {cause}")
        return code if code > 0 else 1, cause

    def end(self) -> None:
        """End it, if it still runs, at its next commit."""
        if self._process.poll() is None:
            self._tell()
            try:
                self._process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _stop(self, why: str) -> None:
        self._stopped = self._stopped or why
        self._tell()

    def _tell(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the job, and then us; a second one hurries nobody."""
    signals = (signal.SIGTERM, signal.SIGINT)

    def end(signum: int, _: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + signum)

    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _log(settings: Settings, run_id: str) -> Iterator[TextIO]:
    """Open the run's log, and delete those that are old."""
    folder = settings.output / "logs" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jsonl"):
        if time.time() - old.stat().st_mtime > LOGS_ARE_KEPT.total_seconds():
            old.unlink(missing_ok=True)
    with (folder / f"{run_id}.jsonl").open("w") as file:
        yield file


def _expected(settings: Settings, console: Console) -> dict[str, int]:
    engine = engine_of(settings)
    if not console.is_terminal or not engine.has_warehouse():
        return {}
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        return report.expected_rows(connection)


def _remember(system: sa.Engine, holder: Holder, pipeline: str, job: str) -> None:
    row = {
        "run_id": holder.run_id,
        "pipeline": pipeline,
        "job": job,
        "machine": holder.machine,
        "started_at": holder.started_at,
    }
    with system.begin() as connection:
        connection.execute(sa.insert(RUNS), row)


def _remember_end(system: sa.Engine, run_id: str, code: int, cause: str | None) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with system.begin() as connection:
        connection.execute(
            sa.update(RUNS)
            .where(RUNS.c.run_id == run_id)
            .values(finished_at=now, exit_code=code, cause=cause)
        )


def _closed(
    settings: Settings, system: sa.Engine, started_at: datetime, say: Callable[[str], None]
) -> tuple[report.StreamReport, ...]:
    """Copy the ended runs to the ledger, and read from it what this one did."""
    engine = engine_of(settings)
    if not engine.has_warehouse():
        return ()
    try:
        with engine.warehouse(read_only=False, wait_seconds=LOCK_WAIT_SECONDS) as connection:
            report.copy_runs(system, connection)
            return tuple(report.streams_since(connection, started_at))
    except Exception as error:  # noqa: BLE001  # the job is over, and its exit code stands
        say(f"{OURS}: the ledger cannot be read now: {' '.join(str(error).split())}")
        return ()


def to_json(outcome: Outcome) -> str:
    """Write the outcome as one JSON object."""
    return json.dumps(asdict(outcome), default=str, indent=2)


def write(outcome: Outcome, out: TextIO) -> None:
    """Write the closing table, and how the run ended."""
    console = console_on(out)
    if outcome.streams:
        table = Table("stream", box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("rows", "seconds"):
            table.add_column(name, justify="right")
        table.add_column("proof")
        for each in outcome.streams:
            proof = each.proof or "not compared"
            said = f"{proof}: {each.reason}" if each.reason else proof
            table.add_row(each.stream, f"{each.rows:,}", f"{each.seconds:.1f}", said)
        console.print(table)
    if outcome.exit_code == 0:
        console.print(f"job {outcome.job}: done in {outcome.seconds:.0f} s")
        return
    console.print(
        f"job {outcome.job}: FAILED after {outcome.seconds:.0f} s: {outcome.cause}; "
        f"all that was said: {outcome.log}; again: watershed run {outcome.job}",
        markup=False,
        soft_wrap=True,
    )
