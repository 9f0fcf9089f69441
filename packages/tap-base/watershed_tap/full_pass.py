"""FULL_TABLE in files: one pass over a table that a later run can take up where it was killed.

The pass goes through the table in the order of its key, and each STATE says how far it is. Its
rows bear the version of the pass; when it is through, ACTIVATE_VERSION makes them the table.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

STATE_KEY = "full_pass"
TORN = "torn"
"""Set in a stream's bookmark when its table was read in two sittings, and changed in between."""


@dataclass
class FullPass:
    """How far a pass has got.

    Attributes:
        version: of the table that the pass makes.
        after: the key of the last row sent, each part as text; ``None`` at the beginning.
        marker: the source's change marker when the pass began.
        form: a digest of the stream's schema and key: another form needs another pass.
        is_resumed: an earlier run began it.
    """

    version: int
    after: list[str] | None
    marker: str | None
    form: str
    is_resumed: bool = False

    @classmethod
    def begin(
        cls,
        state: Mapping[str, Any],
        version: int,
        marker: str | None,
        schema: Mapping[str, Any],
        key: Sequence[str],
    ) -> FullPass:
        """Take up the pass that the state tells of, or begin one.

        Args:
            state: the stream's bookmark.
            version: of a pass that begins now.
            marker: the source's change marker now.
            schema: of the stream's records.
            key: the columns whose order the pass follows.
        """
        text = json.dumps([schema, list(key)], sort_keys=True, default=str)
        form = hashlib.sha256(text.encode()).hexdigest()[:16]
        known = state.get(STATE_KEY)
        if isinstance(known, dict) and known.get("form") == form:
            return cls(known["version"], known["after"], known["marker"], form, is_resumed=True)
        return cls(version, None, marker, form)

    def move_to(self, last: pa.RecordBatch, positions: Sequence[int]) -> None:
        """Note that all rows up to the last one of a batch were sent.

        Args:
            last: the batch.
            positions: of the key's fields in it.
        """
        row = last.num_rows - 1
        values = [last.column(position)[row].as_py() for position in positions]
        self.after = [v.decode() if isinstance(v, bytes) else str(v) for v in values]

    def bookmark(self) -> dict[str, Any]:
        """What the stream's state says of a pass that is not through."""
        return {
            "version": self.version,
            "after": self.after,
            "marker": self.marker,
            "form": self.form,
        }

    def is_torn(self, marker: str | None) -> bool:
        """Whether rows may have changed between two sittings.

        Args:
            marker: the source's change marker in the sitting that ends the pass.
        """
        return self.is_resumed and (marker is None or marker != self.marker)
