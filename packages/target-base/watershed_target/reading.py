"""Messages and the records of files, a line at a time; numbers keep every digit."""

from __future__ import annotations

import gzip
import json
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.exceptions import InvalidInputLine
from singer_sdk.io_base import SingerReader
from singer_sdk.singerlib.json import deserialize_json

from watershed_load_plan.batches import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class LineReader(SingerReader):
    """Reads a message a line; numbers keep every digit."""

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Parse a line.

        Raises:
            InvalidInputLine: it is no JSON; the text does not show the line, which may be private.
        """
        try:
            return deserialize_json(line)
        except json.JSONDecodeError as error:
            raise InvalidInputLine(
                f"input is not a Singer message: {error.msg} at character {error.pos} of a line of "
                f"{len(line)}: what stands before the pipe must print nothing but messages"
            ) from error


def read_json_lines(
    stream: str, encoding: Mapping[str, Any], manifest: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Read the records of a BATCH of JSON lines, one at a time."""
    for file in manifest:
        path = local_path(stream, file)
        is_packed = encoding.get("compression") == "gzip"
        lines: IO[str]
        with gzip.open(path, "rt") if is_packed else path.open() as lines:
            for line in lines:
                yield deserialize_json(line)
