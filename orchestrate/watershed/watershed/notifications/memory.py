"""What was told to whom: a small file, since the warehouse may be what is down."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watershed.settings import Settings


@contextmanager
def remembered(settings: Settings) -> Iterator[dict[str, Any]]:
    """Read the memory and write what the block leaves in it; one process at a time.

    Its parts: ``problems`` by key, with whom each was told and when; ``commands`` that ended with
    an error which no ledger knows; ``sent`` times by route; ``digests`` by route.
    """
    path = settings.output / "notifications.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        memory = _read(path.read_text() if path.exists() else "")
        try:
            yield memory
        finally:
            scratch = path.with_suffix(".writing")
            scratch.write_text(json.dumps(memory, indent=2) + "\n")
            os.replace(scratch, path)  # noqa: PTH105  # replaces at once


def _read(text: str) -> dict[str, Any]:
    try:
        memory = json.loads(text)
    except ValueError:
        memory = {}
    if not isinstance(memory, dict):
        memory = {}
    for part in ("problems", "commands", "sent", "digests"):
        memory.setdefault(part, {})
    return memory
