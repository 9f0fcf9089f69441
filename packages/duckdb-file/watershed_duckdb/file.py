"""Opening a DuckDB file that other processes open too."""

from __future__ import annotations

import contextlib
import os
import random
import re
import time
import uuid
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.5
MEMORY_LIMIT = "512MB"
"""What DuckDB may hold; with Python and buffers of drivers a process stays under 1 GiB."""


class WarehouseError(Exception):
    """The warehouse file cannot be used; the text is one line that says which and what to do."""


class WarehouseLockedError(WarehouseError):
    """Another process held the file for longer than the caller would wait: try again later."""


class WarehouseMissingError(WarehouseError):
    """There is no such file to read."""


def connect(
    path: Path, *, read_only: bool = False, wait_seconds: float = 60.0
) -> duckdb.DuckDBPyConnection:
    """Open a warehouse file, waiting while another process has it.

    DuckDB gives the file to one writer, or to any number of readers, at a time.

    Args:
        path: The DuckDB file. A writer creates it, and its folder, when missing.
        read_only: Share the file with other readers.
        wait_seconds: How long to wait for the lock; 0 tries once.

    Returns:
        A connection in UTC with a bounded memory; spills go beside the file.

    Raises:
        WarehouseLockedError: the lock was not free in time.
        WarehouseMissingError: `read_only`, and there is no file.
        WarehouseError: the file is not a DuckDB database, or cannot be opened.
    """
    if read_only and not path.exists():
        raise WarehouseMissingError(f"warehouse {path} does not exist: run a load first")
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            if not path.exists():
                _create(path)
            connection = duckdb.connect(str(path), read_only=read_only)
            break
        except duckdb.IOException as error:
            holder = _lock_holder(error)
            if holder is None:
                raise WarehouseError(
                    f"warehouse {path} cannot be opened: {str(error).splitlines()[0]}"
                ) from error
            if time.monotonic() >= deadline:
                raise WarehouseLockedError(
                    f"warehouse {path} is locked by {holder}: gave up after {wait_seconds:g} s; "
                    "end that process or try again when it is done"
                ) from error
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # spreads waiters, no secret
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _create(path: Path) -> None:
    """Let an empty warehouse appear whole: of a file half made, DuckDB says it is no database."""
    made = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        duckdb.connect(str(made)).close()
        # Another process may have been faster; where files have no second name, DuckDB makes it.
        with contextlib.suppress(OSError):
            os.link(made, path)
    finally:
        made.unlink(missing_ok=True)


def _lock_holder(error: duckdb.IOException) -> str | None:
    """Name the process that holds the lock, as DuckDB reports it; None for other errors."""
    found = re.search(r"Conflicting lock is held in (.+?) \(PID (\d+)\)", str(error))
    if found:
        return f"{found[1]} (process {found[2]})"
    return "another process" if "Could not set lock" in str(error) else None
