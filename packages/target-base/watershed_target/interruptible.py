"""Standard input that a signal interrupts, whichever thread the system hands the signal to.

Libraries start threads of their own. A signal that goes to one of those leaves Python's first
thread in its wait for input, and the handler unheard until the next line comes.
"""

from __future__ import annotations

import io
import os
import select
import signal
import socket
import sys


class _Input(io.RawIOBase):
    """The bytes of a file descriptor, waited for together with signals."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._woken, waker = socket.socketpair()
        self._woken.setblocking(False)  # noqa: FBT003  # its name says what it is
        waker.setblocking(False)  # noqa: FBT003  # as above
        self._waker = waker  # Python's handler in C writes to it
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # it is given one
        while True:
            ready, _, _ = select.select([self._descriptor, self._woken], [], [])
            if self._woken in ready:
                self._woken.recv(64)  # and Python runs the signal's handler before it goes on
            if self._descriptor in ready:
                data = os.read(self._descriptor, len(buffer))
                buffer[: len(data)] = data
                return len(data)


def interruptible_stdin() -> io.TextIOWrapper:
    """Open standard input anew; once, in the first thread, before anything is read from it."""
    raw = _Input(sys.stdin.fileno())
    return io.TextIOWrapper(io.BufferedReader(raw, 256 * 1024), encoding="utf-8")
