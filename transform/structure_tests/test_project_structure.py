"""The project keeps its own rules: layers, names, contracts, tests, documentation, engines."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode, SingularTestNode, SnapshotNode

from watershed.docs_pages import DOMAIN, models_of_domain
from watershed_mutation.survey import read_exceptions

pytestmark = pytest.mark.model

LAYER_NAMES = {
    "staging": r"stg_[a-z]+__[a-z_]+",
    "intermediate": r"int_[a-z]+(_[a-z]+)*_[a-z]+ed",
    "marts": r"(dim|fct|bridge)_[a-z_]+",
    "reports": r"rpt_[a-z_]+",
}
# What a model of a layer may read; reports are a layer of their own above the other marts.
MAY_READ: dict[str, set[str]] = {
    "staging": set(),
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate"},
    "flattened": {"marts"},
    "reports": {"marts", "flattened"},
    "exposures": {"marts", "flattened", "reports"},
}
MOST_YAML_LINES = 200
MOST_SQL_LINES = 150
LONGEST_LINE = 100
# Where Redshift lets no type speak: without a length a varchar holds 256 bytes, a numeric no cents.
SIZED_TYPES = ("varchar", "numeric")
COMMON_TYPES = {
    *("smallint", "integer", "bigint", "double precision", "boolean", "date", "timestamptz"),
}


def models(manifest: Manifest) -> Iterator[tuple[str, ModelNode]]:
    """Yield each model with its layer; of the marts, reports are a layer of their own."""
    for node in manifest.nodes.values():
        if isinstance(node, ModelNode):
            yield "reports" if "reports" in node.fqn else node.fqn[1], node


def readers(manifest: Manifest) -> dict[str, str]:
    """Tell by each model's id as what it reads: a dimension that flattens others reads those."""
    return {
        model.unique_id: "flattened"
        if layer == "marts" and model.name.endswith("_flattened")
        else layer
        for layer, model in models(manifest)
    }


def generic_tests_on(manifest: Manifest, model: ModelNode) -> set[tuple[str, str | None]]:
    """Return the generic tests on a model, each with its column."""
    return {
        (node.test_metadata.name, node.column_name)
        for node in manifest.nodes.values()
        if isinstance(node, GenericTestNode) and node.attached_node == model.unique_id
    }


def sources_of(model: ModelNode) -> list[str]:
    return [name for name in model.depends_on.nodes if name.startswith("source.")]


def without_comments(code: str) -> str:
    return re.sub(r"{#.*?#}|--[^\n]*", "", code, flags=re.DOTALL)


def offenders(found: Iterator[str]) -> str:
    return "\n".join(sorted(found))


def test_a_model_is_named_after_its_layer(manifest: Manifest) -> None:
    assert not offenders(
        model.name
        for layer, model in models(manifest)
        if not re.fullmatch(LAYER_NAMES[layer], model.name)
    )


def test_a_snapshot_is_named_after_the_source_it_remembers(manifest: Manifest) -> None:
    snapshots = [node for node in manifest.nodes.values() if isinstance(node, SnapshotNode)]
    assert snapshots
    assert not offenders(
        node.name
        for node in snapshots
        if node.schema != "snapshots"
        or [name.rpartition(".")[2] for name in node.depends_on.nodes]
        != [node.name.replace("snap_", "stg_", 1)]
    )


def test_only_staging_reads_a_source_and_reads_one(manifest: Manifest) -> None:
    assert not offenders(
        f"{model.name} reads {sources_of(model)}"
        for layer, model in models(manifest)
        if len(sources_of(model)) != (1 if layer == "staging" else 0)
    )


def test_staging_joins_nothing(manifest: Manifest) -> None:
    assert not offenders(
        model.name
        for layer, model in models(manifest)
        if layer == "staging" and re.search(r"\b(join|union)\b", without_comments(model.raw_code))
    )


def test_a_layer_reads_only_the_layers_below(manifest: Manifest) -> None:
    """Marts read no marts but to flatten them, reports and exposures nothing else."""
    layer_of = readers(manifest)
    reading = [
        *((layer_of[model.unique_id], model) for _, model in models(manifest)),
        *(("exposures", exposure) for exposure in manifest.exposures.values()),
    ]
    assert not offenders(
        f"{reader.name} reads {name}"
        for layer, reader in reading
        for name in reader.depends_on.nodes
        if name in layer_of and layer_of[name] not in MAY_READ[layer]
    )


def test_every_column_that_a_model_has_is_described(
    manifest: Manifest, built_warehouse: Path
) -> None:
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        columns: dict[str, set[str]] = {}
        for relation, column in connection.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        ).fetchall():
            columns.setdefault(relation, set()).add(column)
    assert not offenders(
        f"{model.name}: {sorted(columns[f'{model.schema}.{model.alias}'] ^ set(model.columns))}"
        for _, model in models(manifest)
        if columns[f"{model.schema}.{model.alias}"] != set(model.columns)
    )


def test_raw_tables_are_never_named_outside_source(project: Path) -> None:
    assert not offenders(
        str(file)
        for file in (project / "models").rglob("*.sql")
        if re.search(r"\braw_\w+\.", file.read_text())
    )


def test_marts_have_an_enforced_contract_of_types_both_engines_know(manifest: Manifest) -> None:
    def wrong(model: ModelNode) -> Iterator[str]:
        if not model.config.contract.enforced:
            yield f"{model.name} has no enforced contract"
        for column in model.columns.values():
            kind = str(column.data_type)
            is_sized = kind.startswith(tuple(f"{sized}(" for sized in SIZED_TYPES))
            if not is_sized and kind not in COMMON_TYPES:
                yield f"{model.name}.{column.name} is {kind}"

    assert not offenders(
        line
        for layer, model in models(manifest)
        if layer in {"marts", "reports"}
        for line in wrong(model)
    )


def test_a_model_says_what_one_row_is_and_describes_each_column(manifest: Manifest) -> None:
    def wrong(model: ModelNode) -> Iterator[str]:
        if not model.description.startswith("One row per "):
            yield f"{model.name} does not say what one row is"
        for column in model.columns.values():
            if not column.description.strip():
                yield f"{model.name}.{column.name} has no description"

    assert not offenders(line for _, model in models(manifest) for line in wrong(model))


def test_a_model_has_its_own_yaml_beside_it(manifest: Manifest) -> None:
    assert not offenders(
        model.name
        for _, model in models(manifest)
        if str(model.patch_path).partition("://")[2]
        != model.original_file_path.removesuffix(".sql") + ".yml"
    )


def test_a_model_tests_its_key(manifest: Manifest) -> None:
    def has_key(model: ModelNode) -> bool:
        tests = generic_tests_on(manifest, model)
        keys = {column for name, column in tests if name == "unique"}
        filled = {column for name, column in tests if name == "not_null"}
        filled |= {name for name, column in model.columns.items() if column.constraints}
        return ("unique_combination", None) in tests or bool(keys & filled)

    assert not offenders(model.name for _, model in models(manifest) if not has_key(model))


def test_a_foreign_key_of_a_fact_is_tested(manifest: Manifest) -> None:
    keys = re.compile(
        r"(customer|product|category|department|order|campaign|agent)_id|\w+_key"
        r"|country_code|sales_channel|channel"
    )
    assert not offenders(
        f"{model.name}.{column}"
        for _, model in models(manifest)
        if model.name.startswith("fct_")
        for column in model.columns
        if keys.fullmatch(column)
        and ("unique", column) not in generic_tests_on(manifest, model)
        and ("relationships", column) not in generic_tests_on(manifest, model)
    )


def test_a_model_that_decides_has_a_unit_test(manifest: Manifest, project: Path) -> None:
    """Whether it proves each branch is asked by the mutation run."""
    decides = re.compile(
        r"\b(case|over|coalesce|nullif|local_to_utc|join|where|having|union|distinct|filter)\b"
    )
    exceptions = read_exceptions(project / "unproved_branches.yml")
    excepted = {model for model, branch in exceptions if branch == "*"}
    tested = {test.model for test in manifest.unit_tests.values()}
    assert not offenders(
        model.name
        for _, model in models(manifest)
        if decides.search(without_comments(model.raw_code)) and model.name not in tested | excepted
    )


def test_a_model_that_deduplicates_declares_its_key_and_tests_its_survivor(
    manifest: Manifest,
) -> None:
    deduplicating = {
        model.unique_id: model
        for _, model in models(manifest)
        if model.name.endswith("_deduplicated")
    }
    assert deduplicating
    assert all({"business_key", "survivor"} <= m.config.meta.keys() for m in deduplicating.values())
    one_survives = {
        node.attached_node
        for node in manifest.nodes.values()
        if isinstance(node, GenericTestNode)
        and node.test_metadata.name == "unique"
        and node.config.where == "is_survivor"
    }
    assert one_survives == deduplicating.keys()


def test_a_report_has_an_exposure_with_an_owner(manifest: Manifest) -> None:
    reports = {model.unique_id for layer, model in models(manifest) if layer == "reports"}
    exposed = [name for e in manifest.exposures.values() for name in e.depends_on.nodes]
    assert reports
    assert sorted(exposed) == sorted(reports)
    assert all(e.owner.name and e.description.strip() for e in manifest.exposures.values())


def test_a_test_has_a_severity_and_an_owner(manifest: Manifest) -> None:
    """R-8.1."""
    assert not offenders(
        node.name
        for node in manifest.nodes.values()
        if isinstance(node, GenericTestNode | SingularTestNode)
        and (
            str(node.config.severity).lower() != "error"
            or not node.config.enabled
            or not node.config.meta.get("owner")
        )
    )


def test_a_singular_test_says_why_no_generic_test_fits(project: Path) -> None:
    assert not offenders(
        str(file)
        for file in (project / "tests").glob("*.sql")
        if not file.name.startswith("assert_")
        or not file.read_text().startswith("-- No generic test ")
    )


def test_each_source_has_a_loader_and_each_database_freshness(manifest: Manifest) -> None:
    assert not offenders(
        source.unique_id
        for source in manifest.sources.values()
        if not source.loader
        or not source.source_description
        or not source.description
        or (source.source_name != "ops" and not (source.freshness and source.loaded_at_query))
    )


def test_a_macro_of_ours_is_described(manifest: Manifest) -> None:
    assert not offenders(
        macro.name
        for macro in manifest.macros.values()
        if macro.package_name == "watershed"
        and not macro.name.startswith(("duckdb__", "redshift__", "test_"))
        and not macro.description
    )


def test_a_file_holds_one_macro_and_is_named_after_it(project: Path) -> None:
    assert not offenders(
        str(file)
        for file in (project / "macros").rglob("*.sql")
        if {
            name.removeprefix("duckdb__").removeprefix("redshift__")
            for name in re.findall(r"{%-? macro (\w+)", file.read_text())
        }
        != {file.stem}
    )


def test_a_cross_engine_macro_has_a_form_for_each_engine(project: Path) -> None:
    files = list((project / "macros" / "cross_db").glob("*.sql"))
    assert files
    assert not offenders(
        str(file)
        for file in files
        if set(re.findall(r"macro (\w+)", file.read_text()))
        != {file.stem, f"duckdb__{file.stem}", f"redshift__{file.stem}"}
    )


def test_no_engine_is_named_where_models_are_written(project: Path) -> None:
    of_engines = {"cross_db", "unit_tests"}
    files = [
        *(project / "models").rglob("*.sql"),
        *(project / "tests").rglob("*.sql"),
        *(f for f in (project / "macros").rglob("*.sql") if f.parent.name not in of_engines),
    ]
    assert not offenders(
        str(file)
        for file in files
        if re.search(r"duckdb|redshift", without_comments(file.read_text()), re.IGNORECASE)
    )


def test_a_fact_or_report_is_named_on_the_page_of_a_domain(manifest: Manifest) -> None:
    """In transform/models/docs/domains: from there a reader of the documentation finds it."""
    pages = {d.name: d.block_contents for d in manifest.docs.values() if d.name.startswith(DOMAIN)}
    marts = [model for layer, model in models(manifest) if layer in {"marts", "reports"}]
    named = {name for text in pages.values() for name in re.findall(r"`([a-z]+_\w+)", text)}
    assert not offenders(
        model.name
        for model in marts
        if not model.name.startswith("dim_") and model.name not in named
    )
    shown = {model.name for text in pages.values() for model in models_of_domain(manifest, text)}
    assert shown == {model.name for model in marts}
    overview = manifest.docs["doc.watershed.__overview__"].block_contents
    assert not [page for page in pages if f"({page.removeprefix(DOMAIN)}.html)" not in overview]


def test_files_stay_short(project: Path) -> None:
    limits = {".yml": MOST_YAML_LINES, ".sql": MOST_SQL_LINES}
    folders = [project / "models", project / "macros", project / "tests"]
    assert not offenders(
        f"{file}: {len(file.read_text().splitlines())} lines"
        for folder in folders
        for file in folder.rglob("*")
        if file.suffix in limits and len(file.read_text().splitlines()) > limits[file.suffix]
    )
    assert not offenders(
        f"{file}: {line}"
        for folder in folders
        for file in folder.rglob("*.yml")
        for line in file.read_text().splitlines()
        if len(line) > LONGEST_LINE
    )


def test_no_package_is_fetched(project: Path) -> None:
    assert not [*project.glob("packages.*"), *project.glob("dependencies.*")]


def test_the_production_target_parses_without_a_network(
    invoke: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(invoke)

    def refuse(*_: object) -> None:
        raise AssertionError("parsing opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    result = invoke(tmp_path / "warehouse.duckdb", "parse", "--target", "prod")
    assert result.success, result.exception
    dim_customers = result.result.nodes["model.watershed.dim_customers"]
    assert result.result.metadata.adapter_type == "redshift"
    assert dim_customers.config.extra["dist"] == "customer_id"
