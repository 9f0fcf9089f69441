"""The top-level fields of a collection's documents, and the columns that they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watershed_tap.tables import text_schema
from watershed_tap_mongodb.field_types import JSON, FieldType, type_of
from watershed_tap_mongodb.values import canonical_json, identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Document = dict[str, Any]
Record = dict[str, Any]

ID = "_id"
ID_TYPE = "_id_type"
OTHER_FIELDS = "_other_fields"
KEY_SCHEMAS = {ID: text_schema(), ID_TYPE: text_schema()}

_OURS = dict.fromkeys([ID, ID_TYPE, OTHER_FIELDS], "")
"""Columns that belong to no field of a document, whatever its fields are called."""

MOST_COLUMNS = 1_000  # warehouses set limits; Redshift's is 1,600
LONGEST_NAME_BYTES = 127  # Redshift's limit
_RESERVED_PREFIX = "_sdc_"


@dataclass(frozen=True, slots=True)
class Change:
    """What a document taught about a field.

    Attributes:
        field: the field; its values up to now were of type ``before``, ``None`` if there were none.
        after: the type of its column from now on.
    """

    field: str
    before: FieldType | None
    after: FieldType

    @property
    def is_break(self) -> bool:
        """Whether values that were sent before would now be written otherwise."""
        return self.before not in {None, JSON} and self.after == JSON


class Fields:
    """Makes RECORDs of documents, and notes when one has a value that fits no column yet.

    A field that was null in every document has no column. A field whose name cannot be a
    column's, or differs from another's in case only, is kept in one JSON column with its like.

    Args:
        types: the columns that are selected: field to type; ``None`` where it is not known yet.
        ignored: the fields that are not selected.
        is_wanted: whether a field that is in neither is selected.
    """

    def __init__(
        self,
        types: Mapping[str, FieldType | None],
        ignored: Iterable[str] = (),
        is_wanted: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.columns: dict[str, FieldType] = {}
        self._changes: list[Change] = []
        self._known = set(types)
        self._ignored = {ID, *ignored}
        self._is_wanted = is_wanted
        self._owners = {name.lower(): name for name in types} | _OURS
        self.learn(types)
        self.take_changes()

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the RECORDs."""
        columns = {name: column.schema for name, column in self.columns.items()}
        return {"type": "object", "properties": KEY_SCHEMAS | columns}

    @property
    def has_changes(self) -> bool:
        """Whether :meth:`take_changes` has something to hand out."""
        return bool(self._changes)

    @property
    def left_off_by_source(self) -> tuple[str, ...]:
        """Fields that are not selected, as far as MongoDB can be asked to leave them off."""
        return tuple(
            name
            for name in sorted(self._ignored - {ID})
            if name and "." not in name and not name.startswith("$")
        )

    def learn(self, types: Mapping[str, FieldType | None]) -> None:
        """Take over what is known from elsewhere, where it says more."""
        for field, known in types.items():
            if known is not None and field not in self._ignored and self._admits(field):
                self._meet(field, known)

    def take_changes(self) -> list[Change]:
        """Hand out what was learnt since this was last asked."""
        changes, self._changes = self._changes, []
        return changes

    def record(self, document: Document) -> Record:
        """Write a document as a RECORD."""
        if ID in document:
            key, type_of_key = identity(document[ID])
            record: Record = {ID: key, ID_TYPE: type_of_key}
        else:  # a document of a view
            record = dict.fromkeys(KEY_SCHEMAS)
        others: Document = {}
        for field, value in document.items():
            if field not in self.columns or field == OTHER_FIELDS:
                if field in self._ignored and field != OTHER_FIELDS:
                    continue
                if not self._can_be_column(field):
                    others[field] = value
                    continue
                if not self._admits(field):
                    self._ignored.add(field)
                    continue
            if value is not None:
                record[field] = self._meet(field, type_of(value)).convert(value)
            elif self.columns.get(field) is JSON:
                record[field] = canonical_json(None)
        if others and OTHER_FIELDS not in self._ignored:
            self._meet(OTHER_FIELDS, JSON)
            record[OTHER_FIELDS] = canonical_json(others)
        return record

    def _admits(self, field: str) -> bool:
        return field in self._known or self._is_wanted(field)

    def _can_be_column(self, field: str) -> bool:
        return (
            is_column_name(field)
            and len(self.columns) < MOST_COLUMNS
            and self._owners.get(field.lower(), field) == field
        )

    def _meet(self, field: str, incoming: FieldType) -> FieldType:
        before = self.columns.get(field)
        after = incoming if before is None else before.join(incoming)
        if after is not before:
            self.columns[field] = after
            self._owners.setdefault(field.lower(), field)
            self._changes.append(Change(field, before, after))
        return after


def is_column_name(field: str) -> bool:
    """Whether every warehouse takes the name, and none of ours means something else by it."""
    is_short = 0 < len(field.encode()) <= LONGEST_NAME_BYTES
    return is_short and not field.lower().startswith(_RESERVED_PREFIX)


def profile(documents: Iterable[Document]) -> dict[str, FieldType]:
    """Find the type of each field that becomes a column.

    A field whose values do not agree is JSON, and so is one without any. Of fields whose names
    differ in case only, the one in lower case gets the column, or the first in the alphabet.
    """
    found: dict[str, FieldType | None] = {}
    for document in documents:
        for field, value in document.items():
            before = found.setdefault(field, None)
            if value is not None:
                incoming = type_of(value)
                found[field] = incoming if before is None else before.join(incoming)
    owners = _OURS.copy()
    for field in sorted(found, key=lambda name: (name != name.lower(), name)):
        owners.setdefault(field.lower(), field)
    fitting = [field for field in found if owners[field.lower()] == field and is_column_name(field)]
    columns = {field: found[field] or JSON for field in fitting[:MOST_COLUMNS]}
    if len(columns) < len(found.keys() - {ID}):
        columns[OTHER_FIELDS] = JSON
    return columns
