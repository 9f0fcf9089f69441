"""What one stream has sent since the last commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watershed_load_plan.spool import RecordSpool
from watershed_load_plan.warehouse import Changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watershed_load_plan.conform import Unfit
    from watershed_load_plan.tables import StreamSchema


@dataclass(frozen=True)
class LoadOptions:
    """What a target's configuration says to the load plan.

    Attributes:
        state_id: Whose bookmarks these are; Meltano's state ID.
        run_id: Names this run of the target in the ledger.
        spool_directory: Where RECORDs wait for their commit; this run's own.
        batch_directory: Where taps leave files for us; those are deleted when their commit is
            through, or when the load fails, for then they come again.
        target_schema: Schema of the raw tables; None takes the stream's.
        quarantine_limit: Unfit values of one stream that a run may set aside before it fails.
    """

    state_id: str
    run_id: str
    spool_directory: Path
    batch_directory: Path
    target_schema: str | None
    quarantine_limit: int


@dataclass(frozen=True)
class Files:
    """A BATCH message, with the schema it came under and the table version that it names."""

    schema: StreamSchema
    files: tuple[str, ...]
    version: int | None


@dataclass(frozen=True)
class Activation:
    """An ACTIVATE_VERSION message."""

    version: int


@dataclass
class Applied:
    """What a commit did for one stream."""

    changes: Changes = field(default_factory=Changes)
    unfit: list[Unfit] = field(default_factory=list)
    activated: set[int] = field(default_factory=set)
    bytes: int = 0
    batches: int = 0

    @property
    def is_worth_a_row(self) -> bool:
        """Whether the ledger should say something about it."""
        return self.batches > 0 or self.changes != Changes()


class StreamLoad:
    """A stream in this run: its schema now, and what waits for the next commit, in order.

    Args:
        schema: The SCHEMA message, read.
        definitions: Its ``properties``.
        options: The load's options.
    """

    def __init__(
        self, schema: StreamSchema, definitions: Mapping[str, Any], options: LoadOptions
    ) -> None:
        self.schema = schema
        self.options = options
        self.pending: list[RecordSpool | Files | Activation] = []
        self.ordinal = 0
        self.version: int | None = None
        self.activated: set[int] = set()
        self.quarantined = 0
        self.total = Changes()
        self.applied: Applied | None = None
        self._definitions = definitions
        self._spools = 0
        self._is_prepared = False
        self.is_synced = False

    @property
    def has_news(self) -> bool:
        """Whether the next commit has something to do for this stream."""
        return bool(self.pending) or not self._is_prepared

    def change_schema(self, schema: StreamSchema, definitions: Mapping[str, Any]) -> None:
        """Take a later SCHEMA; what came under the earlier one keeps it."""
        if (schema, definitions) != (self.schema, self._definitions):
            self.schema, self._definitions = schema, definitions
            self._is_prepared = False

    def add_record(
        self, record: Mapping[str, Any], version: int | None, extracted_at: str | None
    ) -> None:
        """Take a RECORD."""
        spool = self.pending[-1] if self.pending else None
        if (
            not isinstance(spool, RecordSpool)
            or spool.stream is not self.schema
            or spool.version != version
        ):
            self._spools += 1
            path = self.options.spool_directory / f"{self.schema.table}-{self._spools}.parquet"
            spool = RecordSpool(path, self.schema, self._definitions, version)
            self.pending.append(spool)
            self.version = version
        spool.add(record, extracted_at)

    def add_files(self, files: Sequence[str], version: int | None) -> None:
        """Take the files of a BATCH."""
        self.pending.append(Files(self.schema, tuple(files), version))
        self.version = version if version is not None else self.version

    def add_activation(self, version: int) -> None:
        """Take an ACTIVATE_VERSION."""
        self.pending.append(Activation(version))
        self.version = version

    def settle(self, *, is_synced: bool) -> None:
        """Note that a commit is through: what was pending is in the warehouse."""
        if self.applied is not None:
            self.total += self.applied.changes
            self.quarantined += len(self.applied.unfit)
            self.activated |= self.applied.activated
            if self.applied.is_worth_a_row:
                self.ordinal += 1
        self._is_prepared = True
        self.is_synced = self.is_synced or is_synced
        self.discard()

    def discard(self) -> None:
        """Forget what is pending, and delete its spools and the files that are ours to delete."""
        for item in self.pending:
            if isinstance(item, RecordSpool):
                item.remove()
            else:
                for file in item.files if isinstance(item, Files) else ():
                    self._remove(file)
        self.pending = []
        self.applied = None

    def _remove(self, file: str) -> None:
        """Delete a file of the folder that we share with our taps; others keep theirs."""
        path = Path(file.removeprefix("file://"))
        if path.resolve().is_relative_to(self.options.batch_directory.resolve()):
            path.unlink(missing_ok=True)
