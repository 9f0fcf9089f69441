"""INCREMENTAL replication: which documents to read, and how far that brought the stream.

A field of MongoDB may hold values of any type, and a comparison finds those of one type only. So a
replication key has one type, that of most use; documents whose key is missing, null or of another
type have no place in its order: no bookmark ever covers them, and each run reads them.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bson import Decimal128, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.errors import InvalidId

from watershed_tap.exceptions import SetupError
from watershed_tap_mongodb.field_types import Kind
from watershed_tap_mongodb.values import iso_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watershed_tap_mongodb.field_types import FieldType

BookmarkValue = Any  # of what `KeyValue.comparable` makes: values of one key can be compared

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class KeyType(StrEnum):
    """The types that can tell what is newer, the likeliest first."""

    DATE = "date"
    NUMBER = "number"
    OBJECT_ID = "objectId"
    STRING = "string"


_NUMBERS = ("int", "long", "double", "decimal")
_NAMES = {
    KeyType.DATE: ("date",),
    KeyType.NUMBER: _NUMBERS,
    KeyType.OBJECT_ID: ("objectId",),
    KeyType.STRING: ("string",),
}
_EVERY_NAME = (
    *("date", *_NUMBERS, "objectId", "string", "object", "array", "binData", "bool", "regex"),
    *("javascript", "javascriptWithScope", "timestamp", "minKey", "maxKey"),
    *("undefined", "dbPointer", "symbol"),  # deprecated
)
_OF_FIELDS = {
    Kind.DATE: KeyType.DATE,
    Kind.INT: KeyType.NUMBER,
    Kind.LONG: KeyType.NUMBER,
    Kind.DOUBLE: KeyType.NUMBER,
    Kind.DECIMAL: KeyType.NUMBER,
    Kind.OBJECT_ID: KeyType.OBJECT_ID,
    Kind.STRING: KeyType.STRING,
}


@dataclass(frozen=True, slots=True)
class ReplicationKey:
    """The field that says when, or in which order, a document was last changed.

    Attributes:
        place: source and stream, for error texts.
        is_sortable: an index gives the documents in its order.
    """

    place: str
    name: str
    is_sortable: bool

    @classmethod
    def of(cls, name: str | None, indexed: set[str], place: str) -> ReplicationKey:
        """Take the replication key that the catalog names.

        Raises:
            SetupError: there is none, or MongoDB cannot be asked for it.
        """
        if not name:
            raise SetupError(
                f"{place}: it is INCREMENTAL without a replication key: set "
                "replication-key in its metadata, or replicate it as FULL_TABLE"
            )
        if "." in name or name.startswith("$"):
            raise SetupError(
                f"{place}: replication key {name!r} is no field at the top of a document: choose "
                "one without dot and dollar, or replicate the stream as FULL_TABLE"
            )
        return cls(place, name, name in indexed)

    def newer_than(self, key_type: KeyType, bookmark: BookmarkValue | None) -> dict[str, Any]:
        """Filter: documents whose key is not before the bookmark; if there is none, all."""
        if bookmark is None and key_type is KeyType.NUMBER:
            return {self.name: {"$gte": -math.inf}}  # NaN is never covered
        if bookmark is None:
            return self.with_type(key_type)
        return {self.name: {"$gte": _of_bookmark(key_type, bookmark)}}

    def never_covered(self, key_type: KeyType) -> dict[str, Any]:
        """Filter: documents that no bookmark ever covers.

        It names the other types instead of negating the one, so that an index can be used.
        """
        others = [name for name in _EVERY_NAME if name not in _NAMES[key_type]]
        conditions: list[dict[str, Any]] = [{self.name: None}, {self.name: {"$type": others}}]
        if key_type is KeyType.NUMBER:
            conditions.append({self.name: math.nan})
        return {"$or": conditions}

    def with_type(self, key_type: KeyType) -> dict[str, Any]:
        """Filter: documents whose key is of a type."""
        return {self.name: {"$type": list(_NAMES[key_type])}}


def key_type_of_field(field_type: FieldType | None) -> KeyType | None:
    """The type of a key whose values agree; ``None`` if they do not, or there are none."""
    return None if field_type is None else _OF_FIELDS.get(field_type.kind)


def comparable(key_type: KeyType, value: Any) -> BookmarkValue | None:  # noqa: ANN401  # any BSON value
    """Make of a document's key what bookmarks are compared in; ``None`` if it is of another type.

    Dates become milliseconds. What is not finite has no place in an order.
    """
    match key_type:
        case KeyType.DATE:
            return int(value) if isinstance(value, DatetimeMS) else None
        case KeyType.OBJECT_ID:
            return value if isinstance(value, ObjectId) else None
        case KeyType.STRING:
            return value if isinstance(value, str) else None
    if isinstance(value, Decimal128):
        number = value.to_decimal()
        return number if number.is_finite() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return int(value)
    return value if math.isfinite(value) else None


def overlapping(key_type: KeyType, bookmark: BookmarkValue, seconds: int) -> BookmarkValue:
    """Step back by the overlap, for keys that tell the time; the others only count."""
    if key_type is KeyType.DATE:
        return max(bookmark - seconds * 1_000, -(2**63))
    if key_type is KeyType.OBJECT_ID:
        second = max(int(bookmark.generation_time.timestamp()) - seconds, 0)
        return ObjectId(second.to_bytes(4, "big") + bytes(8))
    return bookmark


def written(key_type: KeyType, bookmark: BookmarkValue) -> Any:  # noqa: ANN401  # any JSON
    """Write a bookmark for the state: a date in ISO 8601, a decimal with all its digits."""
    if key_type is KeyType.DATE:
        return iso_date(DatetimeMS(bookmark))
    return bookmark if type(bookmark) in {int, float} else str(bookmark)


def read(key: ReplicationKey, key_type: KeyType, text: Any) -> BookmarkValue:  # noqa: ANN401
    """Read a bookmark from a state, also as other taps write them.

    Raises:
        SetupError: it is none of the key's type.
    """
    readers: dict[KeyType, Callable[[Any], BookmarkValue]] = {
        KeyType.DATE: _milliseconds,
        KeyType.NUMBER: _number,
        KeyType.OBJECT_ID: ObjectId,
        KeyType.STRING: str,
    }
    try:
        return readers[key_type](text)
    except (ValueError, ArithmeticError, TypeError, InvalidId) as error:
        raise SetupError(
            f"{key.place}: its bookmark {text!r} is no {key_type} as {key.name!r} needs it: "
            "correct the state, or remove this stream from it to read the collection anew (meltano "
            "state get, set)"
        ) from error


def read_key_type(key: ReplicationKey, state: Mapping[str, Any]) -> KeyType | None:
    """The type that an earlier run decided on.

    Raises:
        SetupError: the state names one that there is not.
    """
    name = state.get("replication_key_type")
    if name is None:
        return None
    try:
        return KeyType(name)
    except ValueError as error:
        raise SetupError(
            f"{key.place}: its state has replication_key_type {name!r}: correct it to one of "
            f"{', '.join(KeyType)}, or remove this stream from the state (meltano state get, set)"
        ) from error


class Bookmark:
    """How far a stream has got.

    Args:
        key_type: documents whose key is of another type do not count.
        value: where the last run ended; ``None`` if there was none.
        now: tells the source's clock; dates after it do not move the bookmark.
    """

    def __init__(
        self, key_type: KeyType, value: BookmarkValue | None, now: Callable[[], dt.datetime]
    ) -> None:
        self.key_type = key_type
        self.value = value
        self.is_future_seen = False
        self.outside = 0
        self._now = now
        self._latest = -(2**63)  # milliseconds that were no longer the future when we last looked

    def see(self, value: Any) -> None:  # noqa: ANN401  # any BSON value
        """Move on to the key of a document just sent, unless it lies behind, or in the future."""
        found = comparable(self.key_type, value)
        if found is None:
            self.outside += 1
        elif self.value is None or found > self.value:
            if self.key_type is KeyType.DATE and self._is_future(found):
                self.is_future_seen = True
            else:
                self.value = found

    def _is_future(self, milliseconds: int) -> bool:
        if milliseconds > self._latest:
            self._latest = (self._now() - _EPOCH) // dt.timedelta(milliseconds=1)
        return milliseconds > self._latest


def _of_bookmark(key_type: KeyType, bookmark: BookmarkValue) -> Any:  # noqa: ANN401  # BSON
    if key_type is KeyType.DATE:
        return DatetimeMS(bookmark)
    return Decimal128(bookmark) if isinstance(bookmark, Decimal) else bookmark


def _milliseconds(text: Any) -> int:  # noqa: ANN401  # whatever the state holds
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def _number(value: Any) -> int | float | Decimal:  # noqa: ANN401  # whatever the state holds
    if type(value) in {int, float}:
        return value  # type: ignore[no-any-return]  # it is one of the two
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("not finite")
    return number
