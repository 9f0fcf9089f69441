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

if TYPE_CHECKING:
    from watershed_load_plan.batches import Batch
    from watershed_load_plan.conform import Stamp, Unfit
    from watershed_load_plan.types import ColumnType
    from watershed_load_plan.warehouse import Warehouse

logger = logging.getLogger(__name__)


class StreamApplier:
    """Applies one stream's pending messages within an open transaction.

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

    def apply(self) -> Applied:
        """Apply everything pending.

        Raises:
            RecordError: a BATCH file cannot be read.
            QuarantineLimitError: more values are unfit than the options allow.
        """
        self._evolve(self._stream.schema, self._stream.schema.table)
        for item in self._stream.pending:
            if isinstance(item, RecordSpool):
                self._apply_batch(batches.spooled(item))
            elif isinstance(item, Files):
                engine = self._warehouse.engine
                self._apply_batch(batches.parquet(item.schema, item.files, item.version, engine))
            elif isinstance(item, Activation):
                self._activate(item.version)
        return self._applied

    def _apply_batch(self, batch: Batch) -> None:
        self._applied.batches += 1
        self._applied.bytes += batch.bytes
        stream, table = batch.stream, batch.stream.table
        active = self._stream.activated | self._applied.activated
        if not stream.keys:
            if self._is_known:
                return
            if batch.version is not None and batch.version not in active:
                table = table.incoming
        types = self._evolve(stream, table)
        if table == stream.table.incoming and batch.version is not None:
            self._warehouse.drop_other_versions(table, batch.version)
        unfit = conform(self._warehouse.engine, batch, types, self._stamp)
        if wider := wider_types(unfit, types):
            for column, column_type in wider.items():
                self._widen(stream, table, column, column_type)
            unfit = conform(self._warehouse.engine, batch, {**types, **wider}, self._stamp)
        self._set_aside(unfit)
        columns = [*stream.columns, *METADATA_COLUMNS]
        if stream.keys:
            self._applied.changes += self._warehouse.merge(table, columns, stream.keys)
        else:
            added = self._warehouse.append(table, columns)
            if table == stream.table:
                self._applied.changes += added

    def _activate(self, version: int) -> None:
        stream = self._stream.schema
        if stream.keys:
            self._applied.changes += self._warehouse.delete_older_versions(
                stream.table, version, self._stamp.at
            )
        elif not self._is_known:
            self._evolve(stream, stream.table.incoming)
            self._warehouse.drop_other_versions(stream.table.incoming, version)
            columns = [*stream.columns, *METADATA_COLUMNS]
            self._applied.changes += self._warehouse.replace(stream.table, columns)
        self._applied.activated.add(version)

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
