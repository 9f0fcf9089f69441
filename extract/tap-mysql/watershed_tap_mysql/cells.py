"""Takes rows in MySQL's binary protocol apart by columns: all rows of a column at once.

A row is a zero byte, a bitmap of its NULLs, and its other values one after the other: numbers of
a fixed size, dates of some bytes, everything else behind its length. Where the next column of each
row begins is therefore known once the one before has been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pymysql.constants import FIELD_TYPE

if TYPE_CHECKING:
    import numpy.typing as npt

    from watershed_tap_mysql.packets import Field, Packets

    Places = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

_FIXED = {
    FIELD_TYPE.TINY: "i1",
    FIELD_TYPE.SHORT: "i2",
    FIELD_TYPE.YEAR: "i2",
    FIELD_TYPE.INT24: "i4",
    FIELD_TYPE.LONG: "i4",
    FIELD_TYPE.LONGLONG: "i8",
    FIELD_TYPE.FLOAT: "f4",
    FIELD_TYPE.DOUBLE: "f8",
}
_MOMENTS = {FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP}
# First byte of a length that does not fit it -> how many bytes of it follow.
_LONG_LENGTHS = {252: 2, 253: 3, 254: 8}
_BITS_BEFORE_NULLS = 2


@dataclass(frozen=True, slots=True)
class Moments:
    """Dates with their times, which need not exist; all arrays are as long as there are rows.

    Attributes:
        microseconds: since midnight.
        is_null: of each row, or ``None`` if none is.
    """

    year: Places
    month: Places
    day: Places
    microseconds: Places
    is_null: Flags | None


class Cells:
    """The cells of some rows; columns are to be taken once, from left to right."""

    def __init__(self, packets: Packets, fields: list[Field]) -> None:
        self._data = packets.data
        self._fields = fields
        self._bitmap = packets.starts + 1
        self._places = self._bitmap + (len(fields) + _BITS_BEFORE_NULLS + 7) // 8
        self._even = np.arange(0, 2 * len(packets.starts), 2, dtype=np.int32)
        self._taken = 0

    def take(self) -> pa.Array[Any] | Moments:
        """Take the next column: numbers, moments, or else the bytes of each value."""
        field = self._fields[self._taken]
        is_null = self._nulls()
        self._taken += 1
        if field.type_code in _FIXED:
            kind = _FIXED[field.type_code]
            is_unsigned = kind.startswith("i") and field.is_unsigned
            return self._numbers(f"<u{kind[1:]}" if is_unsigned else f"<{kind}", is_null)
        if field.type_code in _MOMENTS:
            return self._moments(is_null)
        return self._binaries(is_null)

    def _nulls(self) -> Flags | None:
        byte, bit = divmod(self._taken + _BITS_BEFORE_NULLS, 8)
        is_null = (self._data[self._bitmap + byte] & (1 << bit)) != 0
        return is_null if is_null.any() else None

    def _at(self, kind: str, places: Places) -> npt.NDArray[Any]:
        """Numbers at any places, aligned or not."""
        size = np.dtype(kind).itemsize
        everywhere: npt.NDArray[Any] = np.ndarray(
            (len(self._data) - size + 1,), kind, self._data.data, strides=(1,)
        )
        return everywhere[places]

    def _numbers(self, kind: str, is_null: Flags | None) -> pa.Array[Any]:
        numbers = self._at(kind, self._places)
        size = numbers.dtype.itemsize
        self._places = self._places + (size if is_null is None else np.where(is_null, 0, size))
        column: pa.Array[Any] = pa.array(numbers, mask=is_null)
        return column

    def _moments(self, is_null: Flags | None) -> Moments:
        lengths = self._data[self._places].astype(np.int64)
        if is_null is not None:
            lengths[is_null] = -1  # not even a length is there
        places = self._places + 1
        self._places = places + lengths
        has_date, has_clock, has_fraction = lengths >= 4, lengths >= 7, lengths >= 11  # noqa: PLR2004  # the protocol's
        clock = (
            self._at("u1", places + 4) * np.int64(3600)
            + self._at("u1", places + 5) * np.int64(60)
            + self._at("u1", places + 6)
        ) * 1_000_000
        fraction = self._at("<u4", places + 7) * has_fraction
        return Moments(
            year=self._at("<u2", places) * has_date.astype(np.int64),
            month=self._at("u1", places + 2) * has_date.astype(np.int64),
            day=self._at("u1", places + 3) * has_date.astype(np.int64),
            microseconds=clock * has_clock + fraction,
            is_null=is_null,
        )

    def _binaries(self, is_null: Flags | None) -> pa.Array[Any]:
        first = self._data[self._places]
        begin = self._places + 1
        lengths = first.astype(np.int64)
        if is_null is not None:
            lengths[is_null] = 0
            begin = begin - is_null
            first = np.where(is_null, 0, first)
        for code, width in _LONG_LENGTHS.items() if first.max() >= min(_LONG_LENGTHS) else ():
            rows = np.flatnonzero(first == code)
            mask = (1 << (8 * min(width, 4))) - 1  # no value is as long as 4 GB
            lengths[rows] = self._at("<u4", begin[rows]) & mask
            begin[rows] += width
        end = self._places = begin + lengths
        # One Arrow array of cells and of what lies between them; from that the cells are copied.
        cuts = np.empty(2 * len(begin), np.int32)
        cuts[0::2], cuts[1::2] = begin, end
        buffers = [None, pa.py_buffer(cuts.data), pa.py_buffer(self._data.data)]
        everything: pa.Array[Any] = pa.Array.from_buffers(pa.binary(), len(cuts) - 1, buffers)
        cells: Any = pa.array(self._even, mask=is_null)
        return everything.take(cells)
