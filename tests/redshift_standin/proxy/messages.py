"""PostgreSQL's messages, as bytes.

https://www.postgresql.org/docs/15/protocol-message-formats.html
"""

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass

PROTOCOL = 196608
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102
JSONB = 3802
SUPER = 4000
"""The number by which Redshift's drivers know SUPER."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        kind: its first byte.
        body: what follows the length.
    """

    kind: bytes
    body: bytes = b""

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return self.kind + struct.pack("!i", len(self.body) + 4) + self.body


def text(value: str) -> bytes:
    """A text with the zero that ends it."""
    return value.encode() + b"\0"


async def read(stream: asyncio.StreamReader) -> Message:
    """Read one message; raises asyncio.IncompleteReadError at the end."""
    header = await stream.readexactly(5)
    (length,) = struct.unpack("!i", header[1:])
    return Message(header[:1], await stream.readexactly(length - 4))


async def read_startup(stream: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read what a client sends first, which has no kind: a number and the rest."""
    (length,) = struct.unpack("!i", await stream.readexactly(4))
    body = await stream.readexactly(length - 4)
    (code,) = struct.unpack("!i", body[:4])
    return code, body[4:]


def startup(code: int, rest: bytes) -> bytes:
    """As `read_startup` reads it."""
    return struct.pack("!ii", len(rest) + 8, code) + rest


def parameters(body: bytes) -> dict[str, str]:
    """The names and values of a start-up message."""
    parts = body.split(b"\0")
    pairs = zip(parts[::2], parts[1::2], strict=False)
    return {name.decode(): value.decode() for name, value in pairs if name}


def error(message: str, code: str, severity: str = "ERROR") -> Message:
    """An ErrorResponse."""
    fields = ((b"S", severity), (b"V", severity), (b"C", code), (b"M", message))
    return Message(b"E", b"".join(name + text(value) for name, value in fields) + b"\0")


def notice(message: str) -> Message:
    """A NoticeResponse, as Redshift's INFO lines are."""
    fields = ((b"S", "INFO"), (b"V", "INFO"), (b"C", "00000"), (b"M", message))
    return Message(b"N", b"".join(name + text(value) for name, value in fields) + b"\0")


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their letters: ``C`` the code, ``M`` the message."""
    parts = (part for part in body.split(b"\0") if part)
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in parts}


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a RowDescription: its name, the number of its type, the type's modifier."""

    name: str
    type: int
    modifier: int


def result_columns(body: bytes) -> Iterator[ResultColumn]:
    """Read a RowDescription."""
    position = 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        end = body.index(b"\0", position)
        type_number, _size, modifier = struct.unpack("!ihi", body[end + 7 : end + 17])
        yield ResultColumn(body[position:end].decode(), type_number, modifier)
        position = end + 19


def with_super(body: bytes) -> bytes:
    """Tell a RowDescription's jsonb columns as SUPER."""
    changed = bytearray(body)
    position = 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        place = body.index(b"\0", position) + 7
        if struct.unpack("!i", body[place : place + 4])[0] == JSONB:
            changed[place : place + 4] = struct.pack("!i", SUPER)
        position = place + 12
    return bytes(changed)


def row(body: bytes) -> list[str | None]:
    """Read a DataRow in text format."""
    values: list[str | None] = []
    position = 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        (length,) = struct.unpack("!i", body[position : position + 4])
        position += 4
        values.append(None if length < 0 else body[position : position + length].decode())
        position += max(length, 0)
    return values
