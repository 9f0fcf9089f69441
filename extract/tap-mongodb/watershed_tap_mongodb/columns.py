"""Columns of Arrow: what RECORDs tell as JSON, in the types that warehouses have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from watershed_tap_mongodb.extended_json import exact_decimal
from watershed_tap_mongodb.field_types import FieldType, Kind
from watershed_tap_mongodb.fields import KEY_SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watershed_tap_mongodb.fields import Document, Fields

_MILLISECONDS = pa.timestamp("ms", "UTC")
_MICROSECONDS = pa.timestamp("us", "UTC")
# The years 1 to 9999, in milliseconds since 1970. No engine agrees with another beyond them.
_FIRST_MOMENT, _LAST_MOMENT = -62_135_596_800_000, 253_402_300_799_999

# Kinds whose BSON values Arrow takes as they are. Of all others but dates and decimals, what a
# RECORD tells is text, and so is the column.
_ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.INT: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.DOUBLE: pa.float64(),
    Kind.STRING: pa.string(),
    Kind.BOOL: pa.bool_(),
    Kind.BINARY: pa.binary(),
    Kind.JSON: pa.string(),  # written by then
}


class Columns:
    """Makes record batches of documents.

    Args:
        fields: the columns, as far as they are known by now; a batch may teach it more of them.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._told_as_text: set[str] = set()

    def record_batch(self, documents: Sequence[Document]) -> pa.RecordBatch:
        """Write documents as a batch of the stream's columns, in the order of its schema.

        Each column has the Arrow type of its JSON schema: an integer 32 or 64 bits, a number a
        double, a date microseconds in UTC, a decimal its digits, a binary its bytes. What has no
        such type is text, as in a RECORD: JSON, UUIDs, ObjectIds. So is a column of dates from the
        first batch on in which one lies outside the years 1 to 9999.
        """
        values = self._fields.values(documents)
        nothing = [None] * len(documents)
        arrays: dict[str, pa.Array[Any]] = {
            name: pa.array(values[name], pa.string()) for name in KEY_SCHEMAS
        }
        for name, known in self._fields.columns.items():
            arrays[name] = self._array(name, known, values.get(name, nothing))
        return pa.RecordBatch.from_pydict(arrays)

    def _array(self, name: str, known: FieldType, values: list[Any]) -> pa.Array[Any]:
        if known.kind in _ARROW_TYPES:
            return pa.array(values, _ARROW_TYPES[known.kind])
        if known.kind is Kind.DECIMAL:
            digits = pa.decimal128(known.whole + known.fraction, known.fraction)
            numbers = [None if value is None else exact_decimal(value) for value in values]
            return pa.array(numbers, digits)
        if known.kind is Kind.DATE and name not in self._told_as_text:
            moments = pa.array([None if v is None else int(v) for v in values], pa.int64())
            if _is_told_alike(moments):
                return moments.cast(_MILLISECONDS).cast(_MICROSECONDS)
            self._told_as_text.add(name)
        convert = known.convert
        return pa.array([None if v is None else convert(v) for v in values], pa.string())


def _is_told_alike(moments: pa.Array[Any]) -> bool:
    """Whether all engines hold these moments, and write them alike."""
    earliest, latest = pc.min(moments).as_py(), pc.max(moments).as_py()
    return earliest is None or bool(earliest >= _FIRST_MOMENT and latest <= _LAST_MOMENT)
