"""The rows of a statement as the server sends them: whole packets, some megabytes at a time.

PyMySQL logs in, over TLS, and sends commands; but it makes an object of every packet and of every
cell. Here the packets of a *prepared* statement stay where they were received, and only where each
row begins is noted. Prepared, because then the server need not write numbers and dates as text.

See "Binary Protocol Resultset" in MySQL's internals manual and in MariaDB's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pymysql
from pymysql.protocol import FieldDescriptorPacket

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from watershed_tap_mysql.connection import LeavableCursor

BYTES_OF_A_BATCH = 8 * 2**20

_PREPARE, _EXECUTE, _CLOSE = 0x16, 0x17, 0x19
_END, _ERROR = 0xFE, 0xFF
_HEADER = 4  # bytes: three of length, one that counts packets
_LONGEST = 0xFFFFFF  # bytes of a packet; as long as this, the row goes on in the next
_LONGEST_END = 9
_SERVER_LOST, _MALFORMED = 2013, 2027
_HAS_UNSIGNED = 0x20
_BYTES_AT_ONCE = 64 * 2**10  # more than TLS gives at once
_PADDING = 16  # bytes that may be read, but not used, behind the last row

_length = struct.Struct("<I").unpack_from


@dataclass(frozen=True, slots=True)
class Field:
    """What the server says about a column of the result: MySQL's code of its type."""

    type_code: int
    is_unsigned: bool


@dataclass(frozen=True, slots=True)
class Packets:
    """Some rows.

    Attributes:
        data: bytes as received; overwritten when the next rows are asked for.
        starts: where in ``data`` each row's packet begins, behind its header.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]


class Result:
    """What one prepared statement gives; the connection serves nothing else until its last row.

    Args:
        connection: open, and busy with nothing else.
        statement: SQL.
        batch_bytes: bytes received before they are handed on; more only for a longer row.

    Raises:
        pymysql.MySQLError: the server refuses the statement.
    """

    def __init__(
        self,
        connection: pymysql.Connection[LeavableCursor],
        statement: str,
        batch_bytes: int = BYTES_OF_A_BATCH,
    ) -> None:
        # What PyMySQL has for its own cursors is not public; it offers no other way in.
        self._connection: Any = connection
        self._command(_PREPARE, statement)
        (self._id, count) = struct.unpack_from("<IH", self._packet(), 1)
        self._fields(count)
        self._command(_EXECUTE, struct.pack("<IBI", self._id, 0, 1))
        self.fields = self._fields(self._packet()[0])
        self._data = bytearray(batch_bytes + _PADDING)
        self._filled = 0

    def __iter__(self) -> Iterator[Packets]:
        """Yield the rows in the order in which they come.

        Raises:
            pymysql.MySQLError: the server stopped, or the connection broke.
        """
        is_over, begin = False, 0
        starts: list[int] = []
        while not is_over:
            if self._filled == len(self._data) - _PADDING:
                yield from self._packets(starts)
                self._make_room(begin)
                begin, starts = 0, []
            self._receive()
            begin, is_over = self._find_rows(begin, starts)
        yield from self._packets(starts)
        self._command(_CLOSE, struct.pack("<I", self._id))

    def _command(self, command: int, argument: str | bytes) -> None:
        self._connection._execute_command(command, argument)  # noqa: SLF001

    def _packet(self) -> bytes:
        packet: bytes = self._connection._read_packet()._data  # noqa: SLF001
        return packet

    def _fields(self, count: int) -> list[Field]:
        read = self._connection._read_packet  # noqa: SLF001
        descriptions: list[Any] = [read(FieldDescriptorPacket) for _ in range(count)]
        self._packet()  # which says that this was the last
        return [Field(one.type_code, bool(one.flags & _HAS_UNSIGNED)) for one in descriptions]

    def _packets(self, starts: list[int]) -> Iterator[Packets]:
        if starts:
            yield Packets(np.frombuffer(self._data, np.uint8), np.array(starts, np.int64))

    def _receive(self) -> None:
        room = len(self._data) - _PADDING - self._filled
        try:
            # Not `readinto1`: it waits for more even when something has already come.
            received = self._connection._rfile.read1(min(room, _BYTES_AT_ONCE))  # noqa: SLF001
        except OSError as error:
            raise pymysql.OperationalError(_SERVER_LOST, str(error)) from error
        if not received:
            raise pymysql.OperationalError(_SERVER_LOST, "the connection was closed")
        self._data[self._filled : self._filled + len(received)] = received
        self._filled += len(received)

    def _find_rows(self, begin: int, starts: list[int]) -> tuple[int, bool]:
        """Note the rows that are there as a whole.

        Returns:
            Where the first packet begins that is not, and whether it needs no more: the last one.
        """
        data, filled, note, length_at = self._data, self._filled, starts.append, _length
        while begin < filled - _HEADER:  # this is done for each row: everything counts here
            start = begin + _HEADER
            length = length_at(data, begin)[0] & _LONGEST
            end = start + length
            if length == _LONGEST:
                joined = self._join(begin)
                if joined is None:
                    break
                end, filled = joined, self._filled
            if end > filled:
                break
            if data[start]:  # a row begins with a zero
                self._end(bytes(data[start:end]))
                return begin, True
            note(start)
            begin = end
        return begin, False

    def _join(self, begin: int) -> int | None:
        """Take the headers out of a row of several packets; ``None`` if it is not all there.

        Returns:
            Where the row ends.
        """
        headers, end, length = [], begin + _HEADER + _LONGEST, _LONGEST
        while length == _LONGEST:
            if end + _HEADER > self._filled:
                return None
            length = _length(self._data, end)[0] & _LONGEST
            headers.append(end)
            end += _HEADER + length
        if end > self._filled:
            return None
        for header in reversed(headers):
            rest = bytes(memoryview(self._data)[header + _HEADER : self._filled])
            self._data[header : header + len(rest)] = rest
            self._filled -= _HEADER
        return end - _HEADER * len(headers)

    def _end(self, packet: bytes) -> None:
        if packet[0] == _ERROR:
            pymysql.err.raise_mysql_exception(packet)
        if packet[0] != _END or len(packet) >= _LONGEST_END:
            raise pymysql.InternalError(_MALFORMED, "a packet that is neither a row nor the end")

    def _make_room(self, begin: int) -> None:
        """Forget what comes before ``begin``; or, if that is nothing, make twice the room."""
        size = len(self._data) if begin else 2 * len(self._data)
        rest = bytes(memoryview(self._data)[begin : self._filled])
        # In place when it can be: memory that the system has to clear first costs more.
        if size != len(self._data):
            self._data = bytearray(size)
        self._data[: len(rest)] = rest
        self._filled = len(rest)
