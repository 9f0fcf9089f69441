"""How a column that a reader delivers becomes a column of a Parquet file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What happens to a column of personal data before it is written anywhere.

    Attributes:
        HASH: HMAC-SHA-256 of the value's text, as 64 hexadecimal digits.
        MASK: three asterisks.
    """

    HASH = "hash"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class BulkColumn:
    """One column of a stream on its way from a record batch to a file.

    The expressions are DuckDB's SQL over the field of the record batch that stands at the same
    place as the column; ``{}`` in them is that field's quoted name.

    Attributes:
        name: of the column in the file.
        typed: the value, in the type that the stream's schema promises.
        inexact: true for a value that ``typed`` would change; ``None`` if there are none.
        is_null_if_inexact: ``typed`` itself gives NULL for such a value.
        text: the value as text, for files that hold such a value: whoever loads it decides.
        is_json: the value is a text that is known to be JSON: the file says so, nobody parses it.
        action: what is done to it for privacy's sake.
    """

    name: str
    typed: str = "{}"
    inexact: str | None = None
    is_null_if_inexact: bool = False
    text: str = "cast({} as VARCHAR)"
    is_json: bool = False
    action: Action | None = None
