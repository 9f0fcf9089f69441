"""Every column says how near it is to a person, who answers for it, and where it comes from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode, SnapshotNode

pytestmark = pytest.mark.model

CLASSES = ("none", "quasi", "direct", "special")
"""What `pii` may be, the nearest to a person last; docs/decisions/0020 says what each means."""
OF_THE_WAREHOUSE = "warehouse"
TELLS_NO_VALUE = re.compile(r"(is|has)_.*|.*_(count|bytes)")
"""Columns that may be further from a person than where they come from: truths and numbers of."""


@dataclass(frozen=True)
class Column:
    """A column with what governs it, as far as somebody has said it."""

    relation: str
    name: str
    pii: str | None
    owner: str | None
    origins: tuple[str, ...]


def columns(manifest: Manifest) -> Iterator[Column]:
    """Yield the columns of sources, staging, snapshots and marts.

    The owner is the column's own, else the model's or source's, which folders state; a source's
    column comes from nowhere but itself; a snapshot has the columns of what it remembers.
    """
    for source in manifest.sources.values():
        for name, column in source.columns.items():
            itself = f"{source.source_name}.{source.name}.{name}"
            yield of_meta(source.name, name, {"origin": itself} | column.config.meta, source)
    for node in manifest.nodes.values():
        is_model = isinstance(node, ModelNode) and node.fqn[1] != "intermediate"
        remembered = manifest.nodes[node.depends_on.nodes[0]] if is_snapshot(node) else node
        if is_model or is_snapshot(node):
            for name, column in remembered.columns.items():
                yield of_meta(node.name, name, column.config.meta, node)


def is_snapshot(node: Any) -> bool:
    return isinstance(node, SnapshotNode)


def of_meta(relation: str, name: str, meta: dict[str, Any], node: Any) -> Column:
    origins = meta.get("origin", ())
    return Column(
        relation=relation,
        name=name,
        pii=meta.get("pii"),
        owner=meta.get("owner") or node.config.meta.get("owner"),
        origins=(origins,) if isinstance(origins, str) else tuple(origins),
    )


def faults(column: Column, sources: dict[str, str | None]) -> Iterator[str]:
    """Say what is wrong with a column.

    Args:
        column: the one.
        sources: the class of each column of a source, by ``<source>.<table>.<column>``.
    """
    tables = {name.rpartition(".")[0] for name in sources}
    if column.pii not in CLASSES:
        yield f"pii is {column.pii}"
        return
    if not column.owner:
        yield "no owner"
    if not column.origins:
        yield "no origin"
    for origin in column.origins:
        whole = ".".join(origin.split(".")[:3])
        if origin not in {OF_THE_WAREHOUSE, *tables} and whole not in sources:
            yield f"no source has {origin}"
        of_origin = sources.get(origin) or CLASSES[0]
        is_lower = CLASSES.index(column.pii) < CLASSES.index(of_origin)
        if is_lower and not TELLS_NO_VALUE.fullmatch(column.name):
            yield f"pii is {column.pii}, and {of_origin} of {origin}"


@pytest.fixture(scope="module")
def sources(manifest: Manifest) -> dict[str, str | None]:
    return {
        f"{source.source_name}.{source.name}.{name}": column.config.meta.get("pii")
        for source in manifest.sources.values()
        for name, column in source.columns.items()
    }


def test_a_column_has_a_class_an_owner_and_an_origin(
    manifest: Manifest, sources: dict[str, str | None]
) -> None:
    found = list(columns(manifest))
    assert len(found) > 400
    assert not "\n".join(
        f"{column.relation}.{column.name}: {fault}"
        for column in found
        for fault in faults(column, sources)
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"pii": None}, "pii is None"),
        ({"pii": "secret"}, "pii is secret"),
        ({"owner": None}, "no owner"),
        ({"origins": ()}, "no origin"),
        ({"origins": ("shop.customers.mail",)}, "no source has shop.customers.mail"),
        ({"pii": "quasi"}, "pii is quasi, and direct of shop.customers.email"),
    ],
)
def test_a_column_without_is_noticed(
    change: dict[str, Any], fault: str, sources: dict[str, str | None]
) -> None:
    column = Column("dim_customers", "email", "direct", "analytics", ("shop.customers.email",))
    assert not [*faults(column, sources)]
    assert [*faults(replace(column, **change), sources)] == [fault]


def test_every_column_that_is_there_is_governed(built_warehouse: Path, manifest: Manifest) -> None:
    """What the loader and dbt add, `_sdc_…` and `dbt_…`, tells of loads and versions alone."""
    known = {(column.relation, column.name) for column in columns(manifest)}
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        there = connection.sql("""
            select table_name, column_name
            from duckdb_columns()
            where
                regexp_full_match(schema_name, 'staging|marts|snapshots|raw_.*')
                and not starts_with(column_name, '_sdc_')
                and not starts_with(column_name, 'dbt_')
        """).fetchall()
    assert len(there) > 400
    assert not set(there) - known
