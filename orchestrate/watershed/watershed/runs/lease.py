"""The lease of a job: of all machines that share Meltano's system database, one runs it.

Its holder counts up `beats`. Who wants it looks whether they go on: that needs no two clocks to
agree, and none to go forward.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from watershed.exceptions import WatershedError
from watershed.runs.system_database import LEASES, RUNS

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 30.0
"""Without a beat for so long a holder on another machine is taken for dead."""
_LOOK_SECONDS = 0.5
_STARTED = 19
"""Field of /proc/<pid>/stat, counted from behind the program's name: start, in clock ticks."""


class LeaseHeldError(WatershedError):
    """Fail: the job runs already."""

    is_worth_telling = False


@dataclass(frozen=True)
class Holder:
    """Who holds a lease.

    Attributes:
        machine: Name, boot and process namespace: where a process id means something.
        pid_started: In clock ticks since boot; tells a process from a later one of its number.
    """

    run_id: str
    machine: str
    pid: int
    pid_started: int
    started_at: str
    beats: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.machine.partition('/')[0]} (process {self.pid})"

    @classmethod
    def here(cls, run_id: str) -> Holder:
        """Name this process."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(run_id, _machine(), os.getpid(), _started(os.getpid()) or 0, now, 0)


class Lease:
    """The right to run a job, kept until `release`.

    Args:
        engine: The system database.
        pipeline: What is leased, e.g. ``dev:all``.
        run_id: Of the run that wants it.
        silence_seconds: See `SILENCE_SECONDS`.

    Attributes:
        holder: How we are entered.
    """

    def __init__(
        self,
        engine: sa.Engine,
        pipeline: str,
        run_id: str,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._silence = silence_seconds
        self.holder = Holder.here(run_id)
        self._ended = threading.Event()
        self._heart: threading.Thread | None = None

    def acquire(self, announce: Callable[[str], None]) -> None:
        """Take it, from a holder that is dead too.

        Args:
            announce: Told what one waits for.

        Raises:
            LeaseHeldError: its holder lives.
        """
        while not self._insert():
            holder = self._read()
            if holder is None:
                continue
            is_alive = self._is_alive_here(holder)
            if is_alive is None:
                announce(f"looking whether the run on {holder.name} still lives")
                holder, is_alive = self._observed(holder)
            if is_alive:
                raise LeaseHeldError(
                    f"{self._pipeline} runs on {holder.name} since {holder.started_at}: not "
                    "started a second time; wait for its end, or end that process"
                )
            if self._take_over(holder):
                announce(f"the run on {holder.name} ended without saying so: going on from there")
                return

    def keep(self, lost: Callable[[], None]) -> None:
        """Beat from now on, in a thread; tell when another has taken it."""
        self._heart = threading.Thread(target=self._beat, args=(lost,), daemon=True)
        self._heart.start()

    def release(self) -> None:
        """Give it back."""
        self._ended.set()
        if self._heart is not None:
            self._heart.join()
        with self._engine.begin() as connection:
            connection.execute(sa.delete(LEASES).where(self._is(self.holder)))

    def _insert(self) -> bool:
        row = {"pipeline": self._pipeline, **vars(self.holder)}
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(LEASES), row)
        except sa.exc.IntegrityError:
            return False
        return True

    def _read(self) -> Holder | None:
        columns = [column for column in LEASES.columns if column.name != "pipeline"]
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(*columns).where(LEASES.c.pipeline == self._pipeline)
            ).one_or_none()
        return None if row is None else Holder(*row)

    def _is_alive_here(self, holder: Holder) -> bool | None:
        """Ask the kernel; None where the holder is on another machine."""
        if holder.machine != self.holder.machine:
            return None
        return _started(holder.pid) == holder.pid_started

    def _observed(self, holder: Holder) -> tuple[Holder, bool]:
        """Watch for a beat."""
        deadline = time.monotonic() + self._silence
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            now = self._read()
            if now != holder:
                return (holder, False) if now is None else (now, True)
        return holder, False

    def _take_over(self, holder: Holder) -> bool:
        """Put us in its place, unless somebody was faster or it beats again."""
        with self._engine.begin() as connection:
            taken = connection.execute(
                sa.update(LEASES).where(self._is(holder, holder.beats)).values(**vars(self.holder))
            )
            if taken.rowcount == 1:
                connection.execute(
                    sa.update(RUNS)
                    .where(RUNS.c.run_id == holder.run_id, RUNS.c.finished_at.is_(None))
                    .values(finished_at=self.holder.started_at, cause="it was killed")
                )
        return taken.rowcount == 1

    def _is(self, holder: Holder, beats: int | None = None) -> sa.ColumnElement[bool]:
        condition = (LEASES.c.pipeline == self._pipeline) & (LEASES.c.run_id == holder.run_id)
        return condition if beats is None else condition & (LEASES.c.beats == beats)

    def _beat(self, lost: Callable[[], None]) -> None:
        beat = sa.update(LEASES).where(self._is(self.holder)).values(beats=LEASES.c.beats + 1)
        heard_at = time.monotonic()
        while not self._ended.wait(BEAT_SECONDS):
            try:
                with self._engine.begin() as connection:
                    beaten = connection.execute(beat)
            except sa.exc.DBAPIError:  # it may come back before others think us dead
                if time.monotonic() - heard_at > self._silence:
                    lost()
                    return
                continue
            heard_at = time.monotonic()
            if beaten.rowcount == 0:
                lost()
                return


def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{platform.node()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"


def _started(pid: int) -> int | None:
    """Say when a process started; None when there is none, or only its exit code is left."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[_STARTED])
