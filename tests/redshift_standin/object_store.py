"""S3 for the stand-in: moto's server, in a process and on a port of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS_TO_START = 30
REGION = "us-east-1"


@contextmanager
def running_object_store(folder: Path) -> Iterator[str]:
    """Run an S3 without permissions on loopback; it ends with this process, however that ends.

    Args:
        folder: For its log.

    Yields:
        Its address, for example ``http://127.0.0.1:43663``.

    Raises:
        RuntimeError: it did not start.
    """
    log_file = folder / "object_store.log"
    prefix = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield _address(process, log_file)
    finally:
        process.terminate()
        process.wait()


def connect(address: str) -> Any:
    """Make a client of an object store that checks no keys."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="emulated",
        aws_secret_access_key="emulated",  # noqa: S106  # nobody checks it
    )


def _address(process: subprocess.Popen[bytes], log_file: Path) -> str:
    """Wait until the server says where it listens."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log_file.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the object store did not start: see {log_file}")
