"""Runs a command that ends when its parent dies, however: ``bound.py PARENT COMMAND …``."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def bind_to(parent: int) -> None:
    """Let the kernel send us SIGTERM when this parent is gone; end now if it is already."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    bind_to(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is wanted
