"""Starting a job when its schedule is due, once at a time; what was missed is caught up."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watershed.schedules.declared import Schedule
    from watershed.settings import Settings


class StillRunningError(WatershedError):
    """Fail: the last run of this schedule has not ended."""


@dataclass(frozen=True)
class Standing:
    """Where a schedule is.

    Attributes:
        next_at: When it is due next.
        started_at: When its last run started; None: never.
        exit_code: How that run ended; None: it runs, or was killed.
        due_since: The newest start that was due and has not begun; None: none is missing.
    """

    name: str
    job: str
    cron: str
    time_zone: str
    next_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    due_since: datetime | None


def standing(settings: Settings, schedule: Schedule, at: datetime) -> Standing:
    """Say where a schedule is, by the memory of its starts."""
    path = _memory(settings, schedule)
    memory = _read(path.read_text()) if path.exists() else {}
    return Standing(
        schedule.name,
        schedule.job,
        schedule.cron,
        schedule.time_zone,
        schedule.next_after(at),
        _moment(memory, "started_at"),
        _moment(memory, "finished_at"),
        memory.get("exit_code"),
        _due(schedule, _moment(memory, "handled_at"), at),
    )


def start_if_due(settings: Settings, schedule: Schedule, *, is_forced: bool) -> int | None:
    """Run the job when a start came due since the last one; however many did, it runs once.

    A load goes on from its bookmarks, so one run brings all that the missed ones would have.

    Returns:
        The exit code of `watershed run`; None: nothing is due.

    Raises:
        StillRunningError: it is due, and its last run goes on.
    """
    now = datetime.now(UTC)
    with _locked(settings, schedule, is_due_at=now, is_forced=is_forced) as file:
        if file is None:
            return None
        memory = _read(file.read())
        if not is_forced and not _due(schedule, _moment(memory, "handled_at"), now):
            if not memory:
                _write(file, {"handled_at": now.isoformat()})
            return None
        started = {"handled_at": now.isoformat(), "started_at": now.isoformat()}
        _write(file, started)
        code = subprocess.run(
            [Path(sys.prefix, "bin", "watershed"), "run", schedule.job],
            cwd=settings.project_root,
            stdin=subprocess.DEVNULL,
            check=False,
            pass_fds=[file.fileno()],  # the job holds the lock too, should we be killed
        ).returncode
        ended = {"finished_at": datetime.now(UTC).isoformat(), "exit_code": code}
        _write(file, {**started, **ended})
        return code


@contextmanager
def _locked(
    settings: Settings, schedule: Schedule, *, is_due_at: datetime, is_forced: bool
) -> Iterator[Any]:
    """Hold the memory of a schedule; the kernel lets go of it when the process ends, however."""
    path = _memory(settings, schedule)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            memory = _read(file.read())
            if not is_forced and not _due(schedule, _moment(memory, "handled_at"), is_due_at):
                yield None
                return
            raise StillRunningError(
                f"schedule {schedule.name} runs since {memory.get('started_at', 'just now')}: "
                "not started a second time; what is due starts after its end"
            ) from None
        yield file


def _due(schedule: Schedule, handled_at: datetime | None, at: datetime) -> datetime | None:
    """Return the newest start that came after the last one that was handled."""
    tick = schedule.last_until(at)
    # The first time nothing is known: only a start of this very minute is due.
    known = handled_at or at.replace(second=0, microsecond=0)
    is_due = tick >= known if handled_at is None else tick > known
    return tick if is_due else None


def _memory(settings: Settings, schedule: Schedule) -> Path:
    return settings.output / "schedules" / f"{schedule.name}.json"


def _read(text: str) -> dict[str, Any]:
    """Read the memory; one that a killed machine left half written is none."""
    try:
        memory = json.loads(text)
    except ValueError:
        return {}
    return memory if isinstance(memory, dict) else {}


def _write(file: Any, memory: dict[str, Any]) -> None:  # noqa: ANN401  # a text file
    file.seek(0)
    file.truncate()
    file.write(json.dumps(memory) + "\n")
    file.flush()


def _moment(memory: dict[str, Any], name: str) -> datetime | None:
    text = memory.get(name)
    return datetime.fromisoformat(text) if text else None
