"""What the readers of rows share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redshift_standin.transfer.failures import UnfitValueError

LARGEST_ROW = 4 * 1024 * 1024
"""Bytes of one row of input, from any source; Redshift's limit."""


@dataclass(slots=True)
class Record:
    """One record of a file, not yet converted.

    Args:
        line_number: Where it is, from 1.
        content: A list of fields, or a JSON document.
        problem: Why it could not be read.
    """

    line_number: int
    content: Any
    problem: UnfitValueError | None = None
