"""From a Singer stream to the table it lands in: names and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watershed_load_plan.exceptions import SchemaError
from watershed_load_plan.types import ColumnType, Kind, from_json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METADATA_COLUMNS = {
    "_sdc_extracted_at": ColumnType(Kind.TIMESTAMPTZ),
    "_sdc_received_at": ColumnType(Kind.TIMESTAMPTZ),
    "_sdc_batched_at": ColumnType(Kind.TIMESTAMPTZ),
    "_sdc_deleted_at": ColumnType(Kind.TIMESTAMPTZ),
    "_sdc_sequence": ColumnType(Kind.BIGINT),
    "_sdc_table_version": ColumnType(Kind.BIGINT),
}
"""What the Singer SDK calls metadata columns; every raw table has them after its own."""


@dataclass(frozen=True)
class Table:
    """A table of the warehouse, by its two names, as they are (not yet quoted)."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def incoming(self) -> Table:
        """Where the rows of a version wait until ACTIVATE_VERSION makes them the table."""
        return Table(self.schema, f"{self.name}__incoming")


@dataclass(frozen=True)
class StreamSchema:
    """One SCHEMA message, read.

    Attributes:
        stream: Name of the stream, for example ``shop-orders``.
        table: Where it lands.
        properties: Singer property name to the column it becomes, in the message's order.
        columns: Column name (lower case) to its type, in the same order.
        keys: Columns of the key; empty for a keyless stream.
    """

    stream: str
    table: Table
    properties: Mapping[str, str]
    columns: Mapping[str, ColumnType]
    keys: tuple[str, ...]


def table_of(stream: str, target_schema: str | None) -> Table:
    """Name the table that a stream lands in.

    Args:
        stream: Stream name; what stands before its first dash is the source's schema.
        target_schema: Schema of the warehouse; None takes the source's schema, or ``raw``.
    """
    source_schema, dash, rest = stream.partition("-")
    table_name = (rest if dash and rest else stream).lower()
    return Table(target_schema or (source_schema.lower() if dash and rest else "raw"), table_name)


def read_schema(
    stream: str, schema: Mapping[str, Any], keys: Sequence[str] | None, target_schema: str | None
) -> StreamSchema:
    """Read a SCHEMA message.

    Args:
        stream: Stream name.
        schema: The JSON Schema with ``properties``.
        keys: The message's ``key_properties``.
        target_schema: See `table_of`.

    Returns:
        The stream's table, columns and key, names in lower case.

    Raises:
        SchemaError: two properties become one column, or a key is no property.
    """
    properties: dict[str, str] = {}
    columns: dict[str, ColumnType] = {}
    for name, definition in schema["properties"].items():
        column = name.lower()
        if column in METADATA_COLUMNS:
            continue
        if column in columns:
            first = next(other for other, taken in properties.items() if taken == column)
            raise SchemaError(
                f"stream {stream}: properties {first!r} and {name!r} would both become column "
                f"{column!r}: rename one with a stream map or leave it out of the selection"
            )
        properties[name] = column
        columns[column] = from_json_schema(definition)
    missing = [key for key in keys or () if key not in properties]
    if missing:
        raise SchemaError(
            f"stream {stream}: key {missing[0]!r} is not among the stream's properties: "
            "select that column, or correct the catalog's table-key-properties"
        )
    return StreamSchema(
        stream,
        table_of(stream, target_schema),
        properties,
        columns,
        tuple(properties[key] for key in keys or ()),
    )
