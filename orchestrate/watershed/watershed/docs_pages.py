"""The pages beside dbt's documentation: one per domain with its diagram, and the lineage."""

from __future__ import annotations

import logging
import re
import tempfile
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from dbt.contracts.graph.nodes import GenericTestNode, ModelNode
from markdown_it import MarkdownIt

from watershed.docs_diagram import Relation, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt.contracts.graph.manifest import Manifest

DOMAIN = "domain_"
"""How the doc block of a domain's page begins its name."""
LINEAGE_PAGE = "lineage.html"
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title · Watershed</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222; }
nav a { margin-right: 1rem; }
a { color: #0b5394; }
table { border-collapse: collapse; }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .8rem .3rem 0; text-align: left; }
td, th { vertical-align: top; }
figure { overflow-x: auto; margin: 1.5rem 0; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; }
</style>
</head>
<body>
<nav><a href="index.html">All models</a>$links</nav>
$text
<figure>
$diagram
</figure>
<h2>Models</h2>
<table>
<tr><th>Model</th><th>One row is</th></tr>
$models
</table>
</body>
</html>
""")


def write_pages(manifest: Manifest, folder: Path) -> None:
    """Write a page for each doc block ``domain_<name>``, as ``<name>.html``.

    The diagram shows the models that its text names, and what they refer to.
    """
    domains = dict(_domains(manifest))
    links = "".join(
        f'<a href="{name}.html">{escape(_title(text))}</a>' for name, text in domains.items()
    )
    links += f'<a href="{LINEAGE_PAGE}">Lineage</a>'
    for name, text in domains.items():
        shown = models_of_domain(manifest, text)
        page = PAGE.substitute(
            title=escape(_title(text)),
            links=links,
            text=MarkdownIt("commonmark").enable("table").render(text),
            diagram=draw([_relation(manifest, model, shown) for model in shown]),
            models="\n".join(_row(model) for model in shown),
        )
        _replace(folder / f"{name}.html", page)


def write_lineage(target: Path, folder: Path) -> None:
    """Write the columns' lineage, from what `dbt docs generate` left in its target folder."""
    # It brings a parser of SQL, which is slow to import.
    from dbt_colibri.lineage_extractor.extractor import (  # type: ignore[import-untyped]  # it ships no types  # noqa: PLC0415
        DbtColumnLineageExtractor,
    )
    from dbt_colibri.report.generator import (  # type: ignore[import-untyped]  # as above  # noqa: PLC0415
        DbtColibriReportGenerator,
    )

    logging.getLogger("colibri").setLevel(logging.ERROR)
    extractor = DbtColumnLineageExtractor(
        str(target / "manifest.json"), str(target / "catalog.json")
    )
    with tempfile.TemporaryDirectory() as made:
        # Telemetry would call home from the reader's browser.
        DbtColibriReportGenerator(extractor, disable_telemetry=True).generate_report(made)
        _replace(folder / LINEAGE_PAGE, (Path(made) / "index.html").read_text())


def models_of_domain(manifest: Manifest, text: str) -> list[ModelNode]:
    """Return the models that a domain's text names, and the dimensions they lead to."""
    named = set(re.findall(r"`((?:dim|fct|bridge|rpt)_\w+)", text))
    models = {
        node.name: node
        for node in manifest.nodes.values()
        if isinstance(node, ModelNode) and node.fqn[1] == "marts"
    }
    shown = {name for name in models if name in named}
    while further := {
        target
        for name in shown
        for _, target, _ in _references(manifest, models[name])
        if target not in shown and target in models
    }:
        shown |= further
    return [model for name, model in sorted(models.items()) if name in shown]


def _domains(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for doc in sorted(manifest.docs.values(), key=lambda doc: doc.name):
        if doc.name.startswith(DOMAIN):
            yield doc.name.removeprefix(DOMAIN), doc.block_contents


def _title(text: str) -> str:
    return text.strip().splitlines()[0].lstrip("# ")


def _references(manifest: Manifest, model: ModelNode) -> Iterator[tuple[str, str, str]]:
    """Yield column, model and column for each tested foreign key."""
    for test in _tests(manifest, model, "relationships"):
        arguments = test.test_metadata.kwargs
        if found := re.search(r"ref\(['\"](\w+)['\"]\)", arguments["to"]):
            yield str(test.column_name), found[1], arguments["field"]


def _tests(manifest: Manifest, model: ModelNode, name: str) -> Iterator[GenericTestNode]:
    """Yield the tests of that name that a model has."""
    for node in manifest.nodes.values():
        if (
            isinstance(node, GenericTestNode)
            and node.attached_node == model.unique_id
            and node.test_metadata.name == name
        ):
            yield node


def _relation(manifest: Manifest, model: ModelNode, shown: list[ModelNode]) -> Relation:
    names = {other.name for other in shown}
    keys = {test.column_name for test in _tests(manifest, model, "unique")}
    foreign = {
        column: target
        for column, target, _ in _references(manifest, model)
        if target in names and target != model.name
    }
    return Relation(
        name=model.name,
        link=_link(model),
        keys=tuple(name for name in model.columns if name in keys),
        references={name: foreign[name] for name in model.columns if name in foreign},
    )


def _link(model: ModelNode) -> str:
    return f"index.html#!/model/{model.unique_id}"


def _row(model: ModelNode) -> str:
    description = model.description.removeprefix("One row per ").strip()
    return (
        f'<tr><td><a href="{_link(model)}">{escape(model.name)}</a></td>'
        f"<td>{MarkdownIt('commonmark').renderInline(description)}</td></tr>"
    )


def _replace(page: Path, text: str) -> None:
    """Write a page whole: a reader sees the old one or the new one."""
    page.parent.mkdir(parents=True, exist_ok=True)
    beside = page.with_suffix(".tmp")
    beside.write_text(text)
    beside.replace(page)
