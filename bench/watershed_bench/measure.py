"""Runs a command and says what it cost: time, processor, memory; its own and the server's."""

import os
import re
import select
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
REPOSITORY = Path(__file__).parents[2]
Arguments = list[str | Path]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MEGABYTE = 2**20
SAMPLE_SECONDS = 0.1
# A server notices within milliseconds that its client has gone; then it books the backend's time.
SECONDS_TO_SETTLE = 0.3
# Of /proc/<pid>/stat, counted from behind the program's name.
PARENT, USER_TICKS, SYSTEM_TICKS, CHILD_USER_TICKS, CHILD_SYSTEM_TICKS = 1, 11, 12, 13, 14
# How lines begin that follow the one which tells what went wrong.
AFTERTHOUGHTS = ("(Background on this error", "For query =>", "For more info", 'Extension "')


class RunFailedError(Exception):
    """A command did not do its work; the text says why, in one line."""


@dataclass(frozen=True)
class Command:
    """What to run.

    Attributes:
        arguments: the program and its arguments.
        environment: all of its environment; secrets stand here and nowhere else.
        folder: where it runs.
    """

    arguments: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path("/")


@dataclass(frozen=True)
class Usage:
    """What one run cost: seconds, and megabytes of 2**20 bytes.

    Attributes:
        client_cpu_s: of the command and all processes that it started.
        server_cpu_s: of the source's server meanwhile.
        peak_mb: most that all processes of the command held together; shared pages count for each.
        peak_process_mb: most that any single one of them held.
    """

    wall_s: float
    client_cpu_s: float
    server_cpu_s: float
    peak_mb: float
    peak_process_mb: float

    @property
    def cpu_s(self) -> float:
        """Client and server together."""
        return self.client_cpu_s + self.server_cpu_s


def run(
    command: Command, *, server_pids: Sequence[int], log_file: Path, seconds_allowed: float
) -> Usage:
    """Run ``command`` to its end.

    Raises:
        RunFailedError: it ended with an error or took too long.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    server_cpu = sum(map(_tree_cpu_seconds, server_pids))
    with log_file.open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(argument) for argument in command.arguments],
            env=dict(command.environment),
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        peak, peak_process = _watch(process.pid, began + seconds_allowed)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if wall > seconds_allowed:
        raise RunFailedError(f"took longer than {seconds_allowed:.0f} s")
    if process.returncode:
        said = complaint(log_file.read_text(errors="replace"), command.environment)
        raise RunFailedError(f"exit {process.returncode}: {said}")
    time.sleep(SECONDS_TO_SETTLE)
    return Usage(
        wall_s=wall,
        client_cpu_s=used.ru_utime + used.ru_stime,
        server_cpu_s=sum(map(_tree_cpu_seconds, server_pids)) - server_cpu,
        peak_mb=peak / MEGABYTE,
        peak_process_mb=peak_process / MEGABYTE,
    )


def _watch(pid: int, deadline: float) -> tuple[int, int]:
    """Wait for the end of ``pid``; return the most bytes its tree held, and any one process."""
    peak = peak_process = 0
    ended = os.pidfd_open(pid)
    try:
        while not select.select([ended], [], [], SAMPLE_SECONDS)[0]:
            held = [_resident_bytes(member) for member in _tree(pid)]
            peak = max(peak, sum(now for now, _ in held))
            peak_process = max([peak_process, *(highest for _, highest in held)])
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
    except BaseException:
        os.killpg(pid, signal.SIGKILL)
        raise
    finally:
        os.close(ended)
    return peak, peak_process


def _tree(root: int) -> Iterator[int]:
    """The process ``root`` and all below it."""
    children = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children[int(fields[PARENT])].append(int(entry.name))
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children[pid]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; none of a process that is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _tree_cpu_seconds(root: int) -> float:
    """Processor time of a server so far, that of its processes which have ended included."""
    ticks = 0
    for pid in _tree(root):
        if fields := _stat(pid):
            ticks += int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])
            if pid == root:
                ticks += int(fields[CHILD_USER_TICKS]) + int(fields[CHILD_SYSTEM_TICKS])
    return ticks / TICKS_PER_SECOND


def _resident_bytes(pid: int) -> tuple[int, int]:
    """What a process holds now, and the most that it ever held."""
    try:
        status = (PROC / str(pid) / "status").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    kilobytes = {
        name: int(value.split()[0])
        for name, _, value in (line.partition(":") for line in status.splitlines())
        if name in {"VmRSS", "VmHWM"}
    }
    return kilobytes.get("VmRSS", 0) * 1024, kilobytes.get("VmHWM", 0) * 1024


def complaint(text: str, variables: Mapping[str, str], longest: int = 200) -> str:
    """Find the last line of an output that tells why a command failed, fit to be published.

    Args:
        text: what the command wrote.
        variables: its environment; the passwords in it are masked.
        longest: characters to return.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith(AFTERTHOUGHTS)]
    line = (telling or ["it left no message"])[-1]
    for name, secret in variables.items():
        if secret and ("PASSWORD" in name or "PWD" in name):
            line = line.replace(secret, "***")
    return line.replace(f"{REPOSITORY}/", "")[:longest]
