"""Bringing rows that differ to what the source holds, in one transaction with its ledger row."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watershed_load_plan import LoadOptions, LoadPlan, ledger
from watershed_load_plan.warehouse import Changes
from watershed_tap import privacy
from watershed_tap.tables import text_schema
from watershed_target_duckdb.warehouse import DuckDBWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watershed.proof.comparison import Differences
    from watershed.proof.live import Snapshot
    from watershed.proof.pairs import Pair, Stream
    from watershed_load_plan.tables import Table

LOCK_WAIT_SECONDS = 600.0
QUARANTINE_LIMIT = 100


class _RepairedWarehouse(DuckDBWarehouse):
    """Deletes the rows of the keys first: two rows of one key would else both stay."""

    def merge(
        self, table: Table, columns: Sequence[str], stage: str, keys: Sequence[str]
    ) -> Changes:
        """Delete-and-insert every row of the stage."""
        on_keys = " and ".join(f'old."{key}" = new."{key}"' for key in keys)
        ((deleted,),) = self.execute(
            f"delete from {self.quoted(table)} as old using {stage} as new where {on_keys}"
        )
        added = self.append(table, columns, stage).inserted
        return Changes(inserted=max(added - deleted, 0), updated=min(added, deleted))


def repair(
    warehouse: Path, snapshot: Snapshot, stream: Stream, pair: Pair, found: Differences
) -> None:
    """Read the rows of the keys that differ again, and mark those the source has not as deleted.

    Args:
        warehouse: The DuckDB file, which nobody has open.
        snapshot: The source.
        stream: Whose rows they are.
        pair: Its sides, in that snapshot.
        found: What differs.
    """
    run_id = datetime.now(UTC).strftime("repair-%Y%m%dT%H%M%S.%fZ")
    with _spool() as folder:
        dialect = _RepairedWarehouse(warehouse, wait_seconds=LOCK_WAIT_SECONDS, threads=1)
        options = LoadOptions(
            state_id=stream.state_id,
            run_id=run_id,
            spool_directory=folder,
            batch_directory=folder,
            target_schema=stream.schema,
            quarantine_limit=QUARANTINE_LIMIT,
        )
        if found.missing or found.different:
            _merge(LoadPlan(dialect, options), snapshot, stream, pair, found)
        if found.extra:
            _mark_deleted(dialect, run_id, stream, pair, found.extra)


@contextmanager
def _spool() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="watershed-repair-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _merge(
    plan: LoadPlan, snapshot: Snapshot, stream: Stream, pair: Pair, found: Differences
) -> None:
    """Hand the rows to the load plan as the tap would."""
    table = snapshot.tables[stream.name]
    actions = snapshot.source.settings.privacy.of(stream.name)
    salt = snapshot.source.settings.privacy.salt
    columns = {
        name: column
        for name, column in table.columns.items()
        if actions.get(name) != privacy.DROP and name.lower() in pair.raw_columns
    }
    schema = {
        name: text_schema() if name in actions else column.type.schema
        for name, column in columns.items()
    }
    converts = [
        privacy.converter(actions[name], salt, column.type.convert)
        if name in actions
        else column.type.convert
        for name, column in columns.items()
    ]
    selected = ", ".join(
        column.type.expression.format(snapshot.quoted(name)) for name, column in columns.items()
    )
    plan.schema(stream.name, {"type": "object", "properties": schema}, table.key)
    for condition in pair.source.having(found.missing | found.different):
        statement = (
            f"select {selected} from {pair.source.table} where {pair.source.where} and {condition}"
        )
        for row in snapshot.rows(statement, stream.name):
            record: dict[str, Any] = {
                name: value if value is None or convert is None else convert(value)
                for name, value, convert in zip(columns, row, converts, strict=True)
            }
            plan.record(stream.name, record, stream.bookmark.get("version"), None)
    plan.commit({"bookmarks": {stream.name: dict(stream.bookmark)}})
    plan.close()


def _mark_deleted(
    warehouse: DuckDBWarehouse, run_id: str, stream: Stream, pair: Pair, keys: set[str]
) -> None:
    with warehouse.session():
        now = datetime.now(UTC)
        deleted = 0
        for condition in pair.raw.having(keys):
            ((rows,),) = warehouse.execute(
                f"update {stream.raw_table} set _sdc_deleted_at = ?::timestamptz "
                f"where _sdc_deleted_at is null and {condition}",
                [now.isoformat()],
            )
            deleted += int(rows)
        names = (stream.state_id, stream.schema, stream.name, stream.table)
        row = ledger.row_of_change(names, run_id, now.isoformat(), deleted=deleted)
        ledger.insert_once(warehouse, ledger.LOADS, row)
