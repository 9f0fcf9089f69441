"""Writes Singer messages to standard output."""

import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage


class BufferedWriter(MsgSpecWriter):
    """Writes records when enough of them have come; every other message, and all before it, now.

    The SDK flushes each record, which costs a system call, and wakes the target, for each row.
    """

    def write_message(self, message: Message) -> None:
        """Write one message as a line of JSON."""
        sys.stdout.buffer.write(self.format_message(message))
        if not isinstance(message, RecordMessage):
            sys.stdout.buffer.flush()
