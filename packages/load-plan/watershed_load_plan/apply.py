"""One stream's share of a commit: evolve its table, then apply what came, in order."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from watershed_load_plan import batches
from watershed_load_plan.conform import conform, wider_types
from watershed_load_plan.exceptions import QuarantineLimitError
from watershed_load_plan.spool import RecordSpool
from watershed_load_plan.streams import Activation, Applied, Files, StreamLoad
from watershed_load_plan.tables import METADATA_COLUMNS, StreamSchema, Table
from watershed_load_plan.types import widen
from watershed_load_plan.warehouse import Changes, TakesFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from watershed_load_plan.batches import Batch
    from watershed_load_plan.conform import Stamp, Unfit
    from watershed_load_plan.types import ColumnType
    from watershed_load_plan.warehouse import Warehouse

    _Step = Callable[[], Changes]

logger = logging.getLogger(__name__)


class StreamApplier:
    """Applies one stream's pending messages.

    Args:
        warehouse: The dialect.
        stream: The stream.
        stamp: Metadata of the commit.
        is_known: The ledger counts this very load already: a stream without a key is left alone.
    """

    def __init__(
        self, warehouse: Warehouse, stream: StreamLoad, stamp: Stamp, *, is_known: bool
    ) -> None:
        self._warehouse = warehouse
        self._stream = stream
        self._stamp = stamp
        self._is_known = is_known
        self._applied = Applied()
        self._steps: Iterable[_Step] = ()

    def prepare(self) -> None:
        """Evolve the stream's table; stage the batches too, where the warehouse asks for that.

        Raises:
            RecordError: a BATCH file cannot be read.
            QuarantineLimitError: more values are unfit than the options allow.
        """
        self._evolve(self._stream.schema, self._stream.schema.table)
        self._steps = map(self._prepare, self._stream.pending)
        if self._warehouse.stages_ahead:
            self._steps = list(self._steps)

    def apply(self, *, is_known: bool) -> Applied:
        """Apply everything pending, in its order, within the transaction.

        Args:
            is_known: As above, by what the transaction sees.

        Raises:
            RecordError: as above, where batches are staged one by one.
            QuarantineLimitError: as above.
        """
        self._is_known = is_known
        self._applied.changes = Changes()
        for step in self._steps:
            if self._stream.schema.keys or not self._is_known:
                self._applied.changes += step()
        return self._applied

    def _prepare(self, item: RecordSpool | Files | Activation) -> _Step:
        if isinstance(item, RecordSpool):
            return self._prepare_batch(batches.spooled(item))
        if isinstance(item, Files):
            files = item.files
            if isinstance(self._warehouse, TakesFiles):
                files = self._warehouse.fetch(files)
            return self._prepare_batch(
                batches.parquet(item.schema, files, item.version, self._warehouse.engine)
            )
        return self._prepare_activation(item.version)

    def _prepare_batch(self, batch: Batch) -> _Step:
        self._applied.batches += 1
        self._applied.bytes += batch.bytes
        stream, table = batch.stream, batch.stream.table
        active = self._stream.activated | self._applied.activated
        if not stream.keys:
            if self._is_known:
                return Changes
            if batch.version is not None and batch.version not in active:
                table = table.incoming
        types = self._evolve(stream, table)
        is_expected = batch.files and all(
            raw.type == types[name] for name, raw in batch.columns.items()
        )
        if is_expected and isinstance(self._warehouse, TakesFiles):
            self._warehouse.expect_files(batch.files, types)
        is_as_read = self._conform(batch, table, types)
        columns = [*stream.columns, *METADATA_COLUMNS]
        if is_as_read and batch.files and isinstance(self._warehouse, TakesFiles):
            stage = self._warehouse.stage_files(table, columns, list(batch.columns), batch.files)
        else:
            stage = self._warehouse.stage(table, columns)

        def apply_batch() -> Changes:
            if table == stream.table.incoming and batch.version is not None:
                self._warehouse.drop_other_versions(table, batch.version)
            if stream.keys:
                return self._warehouse.merge(table, columns, stage, stream.keys)
            added = self._warehouse.append(table, columns, stage)
            return added if table == stream.table else Changes()

        return apply_batch

    def _conform(self, batch: Batch, table: Table, types: dict[str, ColumnType]) -> bool:
        """Make the batch `STAGE`; columns widen where its values ask for that.

        Returns:
            Whether the files can be taken as they are.
        """
        engine, fits = self._warehouse.engine, self._warehouse.fits
        conformed = conform(engine, batch, types, self._stamp, fits)
        if wider := wider_types(conformed.unfit, types):
            for column, column_type in wider.items():
                self._widen(batch.stream, table, column, column_type)
            conformed = conform(engine, batch, {**types, **wider}, self._stamp, fits)
        self._set_aside(conformed.unfit)
        return conformed.is_as_read

    def _prepare_activation(self, version: int) -> _Step:
        stream = self._stream.schema
        self._applied.activated.add(version)
        if stream.keys:
            return lambda: self._warehouse.delete_older_versions(
                stream.table, version, self._stamp.at
            )
        if self._is_known:
            return Changes
        self._evolve(stream, stream.table.incoming)
        columns = [*stream.columns, *METADATA_COLUMNS]

        def swap() -> Changes:
            self._warehouse.drop_other_versions(stream.table.incoming, version)
            return self._warehouse.replace(stream.table, columns)

        return swap

    def _evolve(self, stream: StreamSchema, table: Table) -> dict[str, ColumnType]:
        """Create or widen a table for a schema.

        Returns:
            The stream's columns with the types that the table now has.
        """
        present = self._warehouse.columns(table)
        if present is None:
            self._warehouse.create(table, {**stream.columns, **METADATA_COLUMNS})
            return dict(stream.columns)
        types: dict[str, ColumnType] = {}
        for column, incoming in {**stream.columns, **METADATA_COLUMNS}.items():
            current = present.get(column)
            if current is None:
                self._warehouse.add_column(table, column, incoming)
                logger.info("stream %s: new column %s %s", stream.stream, column, incoming)
                types[column] = incoming
                continue
            wider = widen(current, incoming)
            if wider is None:
                logger.warning(
                    "stream %s: column %s is %s in the warehouse and %s at the source; it stays, "
                    "and values that do not fit it exactly go to quarantine",
                    stream.stream,
                    column,
                    current,
                    incoming,
                )
            elif wider != current:
                self._widen(stream, table, column, wider)
            types[column] = wider or current
        return types

    def _widen(
        self, stream: StreamSchema, table: Table, column: str, column_type: ColumnType
    ) -> None:
        self._warehouse.widen_column(table, column, column_type)
        logger.info("stream %s: column %s widened to %s", stream.stream, column, column_type)

    def _set_aside(self, unfit: list[Unfit]) -> None:
        self._applied.unfit += unfit
        count = self._stream.quarantined + len(self._applied.unfit)
        limit = self._stream.options.quarantine_limit
        if unfit and count > limit:
            first = unfit[0]
            place = f"column {first.column}" if first.column else "row"
            key = f" of key {first.key}" if first.key else ""
            raise QuarantineLimitError(
                f"stream {self._stream.schema.stream}: {place}{key} {first.reason}; {count} such "
                f"in this run, {limit} allowed: correct the source or raise quarantine_limit"
            )
