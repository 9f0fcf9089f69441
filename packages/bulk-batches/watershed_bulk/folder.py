"""The folder in which one run's files wait until the target has committed and deleted them."""

from __future__ import annotations

import os
import select
import shutil
import sys
import time
import uuid
from pathlib import Path

from watershed_bulk.exceptions import BatchFolderError

_PREFIX = "tap-"
_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_OF_PATIENCE = 900.0
_ORPHANED_AFTER_SECONDS = 3600.0


class BatchFolder:
    """One run's files below a folder that tap and target share.

    The target deletes a file when its commit is through; the folder is the tap's to delete. What a
    killed run left behind is deleted by a later run, an hour after anything last changed in it: the
    target of a run may still be at work when its tap has ended.

    Args:
        parent: the shared folder.
        waiting_bytes: as much may wait there; 0 for a target that leaves files where they are.
    """

    def __init__(self, parent: Path, waiting_bytes: int) -> None:
        self._waiting_bytes = waiting_bytes
        self._files: dict[Path, int] = {}
        self.path = parent.absolute() / f"{_PREFIX}{os.getpid()}-{uuid.uuid4().hex}"
        try:
            self.path.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise BatchFolderError(
                f"the folder of batches {parent} cannot be written ({error.strerror}): correct "
                "batch_config.storage.root, or its owner"
            ) from error
        _delete_orphans(parent)

    def new_file(self, stream: str) -> Path:
        """Name the next file, and wait until there is room for it.

        Raises:
            BatchFolderError: the target takes nothing any more, or has ended.
        """
        self._wait()
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in stream)[:100]
        return self.path / f"{safe}-{uuid.uuid4().hex}.parquet"

    def hand_over(self, path: Path) -> int:
        """Count a file as waiting from now on.

        Returns:
            Its size in bytes.
        """
        size = path.stat().st_size
        self._files[path] = size
        return size

    def close(self) -> None:
        """Leave; the folder goes too if nothing waits in it."""
        try:
            self.path.rmdir()
        except OSError:  # files wait in it
            return

    def _wait(self) -> None:
        patience = time.monotonic() + _SECONDS_OF_PATIENCE
        before = len(self._files)
        while self._waiting() >= self._waiting_bytes > 0:
            if len(self._files) < before:
                before, patience = len(self._files), time.monotonic() + _SECONDS_OF_PATIENCE
            if _is_reader_gone() or time.monotonic() > patience:
                raise BatchFolderError(
                    f"{sum(self._files.values()) // 2**20} MB of batches wait in {self.path} and "
                    "the target takes none of them: see its own error, then run again (for a "
                    "target that leaves files where they are, set batch_waiting_megabytes to 0)"
                )
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _waiting(self) -> int:
        self._files = {path: size for path, size in self._files.items() if path.exists()}
        return sum(self._files.values())


def _is_reader_gone() -> bool:
    """Whether nobody reads our standard output any more."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLERR)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):  # it is no file, as in tests
        return False


def _delete_orphans(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if Path("/proc", pid).exists():
            continue
        try:
            folder.rmdir()
        except OSError:  # files wait in it, or another run was faster
            is_old = (
                folder.exists() and time.time() - folder.stat().st_mtime > _ORPHANED_AFTER_SECONDS
            )
            if is_old:
                shutil.rmtree(folder, ignore_errors=True)
