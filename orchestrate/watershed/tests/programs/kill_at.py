"""Publish, and die by SIGKILL just before the nth thing that leaves a trace.

Reads lines `<n> <project>` from standard input, does each in a fork, and answers with `killed`, or
with `done` when the work has fewer than n such things: statements, renames, links, removals, syncs.
"""

# ruff: noqa: T201  # it speaks to the test through standard output

import os
import signal
import sys
from pathlib import Path

import duckdb  # noqa: F401  # imported once, before the forks

import watershed_duckdb
from watershed.publish import publish, roll_back
from watershed.settings import Settings

TRACES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}
WORK = {"publish": publish, "rollback": roll_back}


class Countdown:
    def __init__(self, steps):
        self.steps = steps

    def step(self):
        self.steps -= 1
        if self.steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class CountedConnection:
    """A DuckDB connection each of whose statements counts, unless it only reads."""

    def __init__(self, connection, countdown):
        self._connection = connection
        self._countdown = countdown

    def execute(self, sql, *parameters):
        if not sql.lstrip().startswith(("select", "describe")):
            self._countdown.step()
        return self._connection.execute(sql, *parameters)

    def __enter__(self):
        self._connection.__enter__()
        return self

    def __exit__(self, *error):
        self._countdown.step()
        return self._connection.__exit__(*error)


def work(name, steps, root):
    countdown = Countdown(steps)
    connect, sync = watershed_duckdb.connect, os.fsync

    def counted_connect(*arguments, **options):
        return CountedConnection(connect(*arguments, **options), countdown)

    def counted_sync(descriptor):
        countdown.step()
        sync(descriptor)

    watershed_duckdb.connect, os.fsync = counted_connect, counted_sync
    sys.addaudithook(lambda event, _: countdown.step() if event in TRACES else None)
    WORK[name](Settings.read({}, root))


for line in sys.stdin:
    name, steps, root = line.split(maxsplit=2)
    child = os.fork()
    if child == 0:
        work(name, int(steps), Path(root.strip()))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        print("killed", flush=True)
    else:
        print("done" if os.WEXITSTATUS(status) == 0 else "failed", flush=True)
