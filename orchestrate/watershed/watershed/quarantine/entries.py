"""``ops.quarantine``: which values were set aside, and how one chooses among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from watershed.exceptions import WatershedError
from watershed.publication_plan import has_ledger
from watershed.sources import is_called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed.engine import Connection

ENTRIES_SQL = """
    select
        quarantine_id,
        state_id,
        target_schema,
        stream,
        table_name,
        record_key,
        column_name,
        value,
        reason,
        quarantined_at,
        row_number() over (
            partition by state_id, stream, record_key, column_name order by quarantined_at desc
        ) = 1 as is_newest
    from ops.quarantine
    order by stream, column_name, quarantined_at desc, quarantine_id
"""
SHORTEST_BEGINNING = 4


@dataclass(frozen=True)
class Entry:
    """A value that was set aside, or a whole row.

    Attributes:
        record_key: The row's key, a JSON object; None for a stream without a key and for a row
            whose key was the matter.
        column_name: None for a whole row.
        value: The original; None once it was discarded.
        is_newest: Whether no other value of its cell was set aside later.
    """

    quarantine_id: str
    state_id: str
    target_schema: str
    stream: str
    table_name: str
    record_key: str | None
    column_name: str | None
    value: str | None
    reason: str
    quarantined_at: datetime
    is_newest: bool


@dataclass(frozen=True)
class Choice:
    """Which entries are meant; what is not said restricts nothing.

    Attributes:
        ids: Identities, or their beginnings.
        streams: Names, with or without what stands before their ``-``.
        columns: Names.
        older_than_days: Set aside at least so long ago.
    """

    ids: Sequence[str] = ()
    streams: Sequence[str] = ()
    columns: Sequence[str] = ()
    older_than_days: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing restricts it."""
        return self == Choice()

    def has(self, entry: Entry, now: datetime) -> bool:
        """Tell whether an entry is meant."""
        days = self.older_than_days
        return (
            (not self.ids or any(entry.quarantine_id.startswith(one) for one in self.ids))
            and (not self.streams or is_called(entry.stream, self.streams))
            and (not self.columns or entry.column_name in self.columns)
            and (days is None or now - entry.quarantined_at >= timedelta(days=days))
        )


def read(connection: Connection, choice: Choice) -> list[Entry]:
    """Read what is meant; nothing where nothing was ever loaded.

    Raises:
        WatershedError: an identity names nothing, or more than one thing.
    """
    if not has_ledger(connection, "quarantine"):
        return []
    entries = [Entry(*row) for row in connection.execute(ENTRIES_SQL).fetchall()]
    for beginning in choice.ids:
        found = sum(entry.quarantine_id.startswith(beginning) for entry in entries)
        if found != 1 or len(beginning) < SHORTEST_BEGINNING:
            raise WatershedError(
                f"{beginning!r} is the beginning of {found} identities in quarantine: take one "
                f"from `watershed quarantine show`, at least its first {SHORTEST_BEGINNING} letters"
            )
    now = datetime.now(UTC)
    return [entry for entry in entries if choice.has(entry, now)]


def summary(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Count them by stream, column and reason."""
    groups: dict[tuple[str, str | None, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.stream, entry.column_name, entry.reason), []).append(entry)
    return [
        {
            "stream": stream,
            "column": column,
            "reason": reason,
            "values": len(group),
            "discarded": sum(entry.value is None for entry in group),
            "first_at": min(entry.quarantined_at for entry in group).isoformat(),
            "last_at": max(entry.quarantined_at for entry in group).isoformat(),
        }
        for (stream, column, reason), group in groups.items()
    ]


def discard(connection: Connection, entries: Sequence[Entry]) -> None:
    """Forget the originals; that a cell was set aside stays known, and the proof leaves it out."""
    for entry in entries:
        connection.execute(
            "update ops.quarantine set value = null where quarantine_id = ?", [entry.quarantine_id]
        )
