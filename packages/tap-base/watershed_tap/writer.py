"""Writes Singer messages to standard output."""

import os
import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage

from watershed_tap.exceptions import TargetEndedError

_BUFFER_BYTES = 65_536  # what a pipe of Linux holds


class BufferedWriter(MsgSpecWriter):
    """Writes records when enough of them have come; every other message, and all before it, now.

    The SDK flushes each record, which costs a system call, and wakes the target, for each row.
    Python's own buffer does not serve: it is gone where ``PYTHONUNBUFFERED`` is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    def write_message(self, message: Message) -> None:
        """Take one message as a line of JSON.

        Raises:
            TargetEndedError: nobody reads it.
        """
        self._buffer += self.format_message(message)
        if len(self._buffer) >= _BUFFER_BYTES or not isinstance(message, RecordMessage):
            self._flush()

    def _flush(self) -> None:
        rest = bytes(self._buffer)
        self._buffer.clear()
        try:
            while rest:  # an unbuffered output may take less than all of it
                rest = rest[sys.stdout.buffer.write(rest) :]
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            # Python would fail once more when it flushes standard output at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise TargetEndedError(
                "the target ended before the tap: see its own error, then run again"
            ) from error
