"""Singer catalogs: writing what was discovered, checking what was given."""

from __future__ import annotations

from fnmatch import fnmatchcase
from re import split
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from watershed_tap.exceptions import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watershed_tap.tables import Table

_METADATA_SHAPE = {
    "type": "object",
    "required": ["breadcrumb", "metadata"],
    "properties": {
        "breadcrumb": {"type": "array", "items": {"type": "string"}},
        "metadata": {"type": "object"},
    },
}
_CATALOG_SHAPE = {
    "type": "object",
    "required": ["streams"],
    "properties": {
        "streams": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tap_stream_id", "schema"],
                "properties": {
                    "tap_stream_id": {"type": "string", "minLength": 1},
                    "schema": {
                        "type": "object",
                        "required": ["properties"],
                        "properties": {"properties": {"type": "object"}},
                    },
                    "metadata": {"type": "array", "items": _METADATA_SHAPE},
                },
            },
        }
    },
}


def catalog_entry(table: Table) -> dict[str, Any]:
    """Describe a table as a stream that is selected unless somebody says otherwise."""
    growing = [column.name for column in table.columns.values() if column.key_kind]
    stream_metadata = {
        "inclusion": "available",
        "selected-by-default": True,
        "table-key-properties": list(table.key),
        "valid-replication-keys": growing,
        "schema-name": table.schema,
        "is-view": table.is_view,
    }
    metadata: list[dict[str, Any]] = [{"breadcrumb": [], "metadata": stream_metadata}]
    metadata += [
        {
            "breadcrumb": ["properties", name],
            "metadata": {
                "inclusion": "automatic" if name in table.key else "available",
                "sql-datatype": column.declared_type,
            },
        }
        for name, column in table.columns.items()
    ]
    return {
        "tap_stream_id": table.stream_id,
        "stream": table.stream_id,
        "table_name": table.name,
        "is_view": table.is_view,
        "key_properties": list(table.key),
        "schema": {
            "type": "object",
            "properties": {name: column.type.schema for name, column in table.columns.items()},
        },
        "metadata": metadata,
    }


def read_catalog(catalog: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever JSON was given
    """Check that a given catalog has the shape of one, and put into one place what may have two.

    Singer knows ``replication-method`` in a stream's metadata as well as ``replication_method``
    beside them; the SDK reads only the latter.

    Raises:
        SetupError: it has another shape; the text says where.
    """
    error = next(Draft202012Validator(_CATALOG_SHAPE).iter_errors(catalog), None)
    if error is not None:
        raise SetupError(
            f"the catalog is malformed at {error.json_path} (it must agree with {error.validator} "
            f"{error.validator_value}): let --discover write it"
        )
    for stream in catalog["streams"]:
        for entry in stream.get("metadata", []):
            if not entry["breadcrumb"] and "replication-method" in entry["metadata"]:
                stream.setdefault("replication_method", entry["metadata"]["replication-method"])
    return dict(catalog)


def check_patterns(
    patterns: Iterable[str], streams: Mapping[str, Iterable[str]], grants: str
) -> None:
    """Make sure that each pattern of Meltano's ``select`` selects something.

    Args:
        patterns: e.g. ``shop-orders.*``, ``!shop-orders.shipping_note``; those that only exclude
            may match nothing.
        streams: the columns of every stream that there is.
        grants: what a user needs to see a stream, for the error's text.

    Raises:
        SetupError: one matches nothing, most likely since it is misspelt.
    """
    for pattern in patterns:
        if pattern.startswith("!"):
            continue
        stream_pattern, column_pattern = _parts(pattern)
        columns_of_matches = [
            columns for stream, columns in streams.items() if fnmatchcase(stream, stream_pattern)
        ]
        if not columns_of_matches:
            raise SetupError(
                f"select pattern {pattern!r} matches no stream: correct it, or grant {grants}"
            )
        if not any(fnmatchcase(c, column_pattern) for cs in columns_of_matches for c in cs):
            raise SetupError(
                f"select pattern {pattern!r} matches no column of stream {stream_pattern}: "
                "correct it, or grant select on the column"
            )


def is_selected(patterns: Iterable[str], stream_id: str, column: str) -> bool:
    """Whether Meltano's ``select`` selects what no catalog knows yet; what excludes prevails."""
    matching = [
        pattern
        for pattern in patterns
        if all(map(fnmatchcase, (stream_id, column), _parts(pattern.removeprefix("!"))))
    ]
    return bool(matching) and not any(pattern.startswith("!") for pattern in matching)


def _parts(pattern: str) -> tuple[str, str]:
    r"""Split ``shop-orders.*`` into stream and column; a dot within a name is written ``\.``."""
    stream, *rest = split(r"(?<!\\)\.", pattern, maxsplit=1)
    return stream.replace("\\.", "."), rest[0] if rest else "*"
