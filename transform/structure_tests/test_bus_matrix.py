"""The bus matrix, docs/bus-matrix.md, is what the relationship tests of the marts say.

`WATERSHED_WRITE_BUS_MATRIX=1 .venv/bin/pytest transform/structure_tests/test_bus_matrix.py` writes
its tables anew.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode

pytestmark = pytest.mark.model

START, END = "<!-- tests write: matrix -->\n", "<!-- end -->\n"
Keys = Mapping[str, Mapping[str, list[str]]]


def keys_of(manifest: Manifest) -> Keys:
    """The columns by which each mart points at each other, by their tests."""
    keys: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in manifest.nodes.values():
        if isinstance(node, GenericTestNode) and node.test_metadata.name == "relationships":
            model = manifest.nodes[str(node.attached_node)]
            (target,) = re.findall(r"ref\('(\w+)'\)", node.test_metadata.kwargs["to"])
            if model.fqn[1] == "marts" and target != model.name:
                keys[model.name][target].append(str(node.column_name))
    return keys


def table(keys: Keys, rows: Iterable[str], columns: list[str]) -> str:
    """Rows against columns; a cell counts the keys, of which one fact may have several."""
    lines = ["| | " + " | ".join(f"`{name}`" for name in columns) + " |"]
    lines.append("|---|" + ":-:|" * len(columns))
    for row in rows:
        cells = (str(len(keys[row][column])) if column in keys[row] else "" for column in columns)
        lines.append(f"| `{row}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def matrix(keys: Keys) -> str:
    """Facts and bridges against dimensions, then dimensions against those above them."""
    facts = sorted(name for name in keys if name.startswith(("fct_", "bridge_")))
    dimensions = sorted(name for name in keys if name.startswith("dim_"))

    def pointed_at(rows: list[str]) -> list[str]:
        return sorted({t for row in rows for t in keys[row] if t.startswith("dim_")})

    return (
        table(keys, facts, pointed_at(facts))
        + "\nDimensions that lead to others (snowflaked):\n\n"
        + table(keys, dimensions, pointed_at(dimensions))
    )


def test_the_bus_matrix_is_what_the_models_say(manifest: Manifest, project: Path) -> None:
    """R-3.2.1."""
    page = project.parent / "docs" / "bus-matrix.md"
    before, rest = page.read_text().split(START)
    written, after = rest.split(END)
    current = matrix(keys_of(manifest))
    if os.environ.get("WATERSHED_WRITE_BUS_MATRIX"):
        page.write_text(before + START + current + END + after)
    else:
        assert written == current


def test_dimensions_are_shared_by_facts(manifest: Manifest) -> None:
    """Conformed: what facts of several systems point at is one dimension."""
    keys = keys_of(manifest)
    for dimension in ("dim_customers", "dim_dates", "dim_products", "dim_campaigns"):
        assert sum(dimension in keys[name] for name in keys if name.startswith("fct_")) > 1
    assert "dim_departments" in keys["dim_categories"]
    assert "dim_categories" in keys["dim_products"]
