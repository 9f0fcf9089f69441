"""The top-level fields of a collection's documents, and the columns that they become."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from watershed_tap.tables import text_schema
from watershed_tap_mongodb.extended_json import canonical_json
from watershed_tap_mongodb.field_types import JSON, FieldType, type_of, types_of
from watershed_tap_mongodb.values import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
        key, type_of_key = _key_of(document)
        record: Record = {ID: key, ID_TYPE: type_of_key}
        others: Document = {}
        for field, value in document.items():
            if field not in self.columns or field == OTHER_FIELDS:
                destination = self._destination(field)
                if destination is None:
                    continue
                if destination == OTHER_FIELDS:
                    others[field] = value
                    continue
            if value is not None:
                record[field] = self._meet(field, type_of(value)).convert(value)
            elif self.columns.get(field) is JSON:
                record[field] = canonical_json(None)
        if others and OTHER_FIELDS not in self._ignored:
            self._meet(OTHER_FIELDS, JSON)
            record[OTHER_FIELDS] = canonical_json(others)
        return record

    def values(self, documents: Sequence[Document]) -> dict[str, list[Any]]:
        """Take documents apart: what :meth:`record` does, but by column and before conversion.

        Returns:
            Of each column, those of the key included, a value for each document: text where the
            column is JSON or of the key, elsewhere a BSON value of the column's type; ``None`` for
            NULL. Only columns that some document has are there.
        """
        present = set[str]().union(*documents)
        unplaced = {name for name in present if self._is_unplaced(name)}
        others = self._place(unplaced, documents) if unplaced else {}
        keys = [_key_of(document) for document in documents]
        values: dict[str, list[Any]] = {ID: [key for key, _ in keys], ID_TYPE: [n for _, n in keys]}
        for name in [name for name in self.columns if name in present and name != OTHER_FIELDS]:
            found = [document.get(name) for document in documents]
            if self.columns[name] is not JSON and (types := types_of(found)):
                self._meet(name, reduce(FieldType.join, types))
            if self.columns[name] is JSON:
                found = [
                    canonical_json(document[name]) if name in document else None
                    for document in documents
                ]
            values[name] = found
        if others:
            values[OTHER_FIELDS] = [others.get(position) for position in range(len(documents))]
        return values

    def _is_unplaced(self, field: str) -> bool:
        return field == OTHER_FIELDS or (field not in self.columns and field not in self._ignored)

    def _place(self, unplaced: set[str], documents: Sequence[Document]) -> dict[int, str]:
        """Find a place for fields that have no column yet, in the order in which they come.

        Returns:
            What belongs into the column of the others, by the document's position.
        """
        texts: dict[int, str] = {}
        for position, document in enumerate(documents):
            others: Document = {}
            for field, value in document.items():
                destination = self._destination(field) if field in unplaced else None
                if destination == OTHER_FIELDS:
                    others[field] = value
                elif destination is not None and value is not None:
                    types = types_of([document.get(field) for document in documents])
                    self._meet(field, reduce(FieldType.join, types))
                    unplaced.remove(field)
            if others and OTHER_FIELDS not in self._ignored:
                self._meet(OTHER_FIELDS, JSON)
                texts[position] = canonical_json(others)
        return texts

    def _destination(self, field: str) -> str | None:
        """Where a field goes that has no column yet: its own, that of the others, or nowhere."""
        if field in self._ignored and field != OTHER_FIELDS:
            return None
        if not self._can_be_column(field):
            return OTHER_FIELDS
        if not self._admits(field):
            self._ignored.add(field)
            return None
        return field

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


def _key_of(document: Document) -> tuple[str | None, str | None]:
    """Tell the key of a document; those of a view may have none."""
    return identity(document[ID]) if ID in document else (None, None)


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
