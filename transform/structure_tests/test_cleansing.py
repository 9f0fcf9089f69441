"""Cleansing by stated rules: what docs/cleansing.md says is what the project does.

`WATERSHED_WRITE_CLEANSING=1 .venv/bin/pytest transform/structure_tests/test_cleansing.py` writes
the page's list of columns anew.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode

pytestmark = pytest.mark.model

START, END = "<!-- tests write: columns -->\n", "<!-- end -->\n"
LEAST_FLAGS = 9
OUTCOMES = ("corrected", "nulled", "set aside")


@dataclass(frozen=True)
class Rule:
    """A line of the page's first table."""

    name: str
    outcome: str
    flags: list[str]
    macros: list[str]


@pytest.fixture(scope="module")
def page(project: Path) -> Path:
    return project.parent / "docs" / "cleansing.md"


@pytest.fixture(scope="module")
def rules(page: Path) -> dict[str, Rule]:
    """The rules that the page states, in its order."""
    found = {}
    stated, _ = page.read_text().split(START)
    for line in re.findall(r"^\| `([a-z-]+)` \|(.*)\|$", stated, re.MULTILINE):
        name, (_, outcome, shows, macros) = line[0], line[1].split("|")
        found[name] = Rule(
            name=name,
            outcome=next(word for word in OUTCOMES if outcome.strip().startswith(word)),
            flags=re.findall(r"`([^`]+)`", shows),
            macros=re.findall(r"`(\w+)`", macros),
        )
    return found


@pytest.fixture(scope="module")
def staging(manifest: Manifest) -> dict[str, ModelNode]:
    return {
        node.name: node
        for node in manifest.nodes.values()
        if isinstance(node, ModelNode) and node.fqn[1] == "staging"
    }


def rules_of(model: ModelNode) -> dict[str, list[str]]:
    """The rules that a model says to follow, each with its columns."""
    found: dict[str, list[str]] = model.config.meta.get("rules", {})
    return found


def is_of_rejects(name: str) -> bool:
    return "__rejected_" in name


def listing(rules: dict[str, Rule], staging: dict[str, ModelNode]) -> str:
    """The page's second table."""
    lines = ["| Rule | Model | Columns |", "|---|---|---|"]
    for rule in rules:
        for name, model in sorted(staging.items()):
            if rule in rules_of(model):
                columns = ", ".join(f"`{column}`" for column in rules_of(model)[rule])
                lines.append(f"| `{rule}` | `{name}` | {columns} |")
    return "\n".join(lines) + "\n"


def test_the_page_lists_the_columns_of_each_rule(
    page: Path, rules: dict[str, Rule], staging: dict[str, ModelNode]
) -> None:
    before, listed = page.read_text().split(START)
    listed, after = listed.split(END)
    if os.environ.get("WATERSHED_WRITE_CLEANSING"):
        page.write_text(before + START + listing(rules, staging) + END + after)
    else:
        assert listed == listing(rules, staging)


def test_the_page_states_the_rules_that_models_follow_and_no_others(
    rules: dict[str, Rule], staging: dict[str, ModelNode]
) -> None:
    assert set(rules) == {rule for model in staging.values() for rule in rules_of(model)}


def test_a_model_follows_a_rule_where_it_calls_its_macros(
    project: Path, rules: dict[str, Rule], staging: dict[str, ModelNode]
) -> None:
    def wrong() -> Iterator[str]:
        for name, model in staging.items():
            called = set(re.findall(r"(\w+)\(", model.raw_code))
            for rule in rules.values():
                is_followed = rule.name in rules_of(model)
                if rule.macros and is_followed != bool(called & set(rule.macros)):
                    if rule.outcome == "set aside" and not is_of_rejects(name):
                        continue  # what is set aside elsewhere is left out here
                    yield f"{name}: {rule.name}"

    assert not [*wrong()]
    stated = {macro for rule in rules.values() for macro in rule.macros}
    ours = {file.stem for file in (project / "macros" / "cleansing").glob("*.sql")}
    times = {"clock_seconds", "local_to_utc", "utc_to_instant"}
    assert ours - times - {"is_nulled"} <= stated


def test_columns_of_a_rule_are_the_models_or_its_sources(
    manifest: Manifest, staging: dict[str, ModelNode]
) -> None:
    def columns(model: ModelNode) -> set[str]:
        if not is_of_rejects(model.name):
            return set(model.columns)
        return {
            column for name in model.depends_on.nodes for column in manifest.sources[name].columns
        }

    assert not [
        f"{name}: {rule}: {column}"
        for name, model in staging.items()
        for rule, listed in rules_of(model).items()
        for column in listed
        if column not in columns(model)
    ]


def test_what_is_nulled_shows(rules: dict[str, Rule], staging: dict[str, ModelNode]) -> None:
    nulling = [rule for rule in rules.values() if rule.outcome == "nulled"]
    assert nulling
    for rule in nulling:
        for name, model in staging.items():
            if rule.name in rules_of(model):
                assert {*model.columns, "ops.quarantine"} & set(rule.flags), (rule.name, name)


def test_models_of_rejects_name_the_rules_that_set_aside(
    manifest: Manifest, rules: dict[str, Rule], staging: dict[str, ModelNode]
) -> None:
    aside = {rule.name for rule in rules.values() if rule.outcome == "set aside"}
    reasons = {name: set(rules_of(model)) for name, model in staging.items() if is_of_rejects(name)}
    accepted = {
        str(node.attached_node).rpartition(".")[2]: set(node.test_metadata.kwargs["values"])
        for node in manifest.nodes.values()
        if isinstance(node, GenericTestNode) and node.column_name == "rejected_by"
    }
    assert accepted == reasons
    assert set().union(*reasons.values()) == aside


def test_every_staging_model_balances_with_its_raw_table(
    manifest: Manifest, staging: dict[str, ModelNode]
) -> None:
    """Nothing disappears: raw = staged + rejected + deleted."""
    balanced = {
        str(node.attached_node): set(node.depends_on.nodes)
        for node in manifest.nodes.values()
        if isinstance(node, GenericTestNode) and node.test_metadata.name == "balances_with_raw"
    }
    rejects = {
        name.replace("__rejected_", "__"): model.unique_id
        for name, model in staging.items()
        if is_of_rejects(name)
    }
    for name, model in staging.items():
        if is_of_rejects(name):
            assert name.replace("__rejected_", "__") in staging
            continue
        (raw,) = (node for node in model.depends_on.nodes if node.startswith("source."))
        expected = {model.unique_id, raw, *([rejects[name]] if name in rejects else [])}
        assert balanced.get(model.unique_id) == expected, name


def test_the_sample_company_breaks_the_rules(
    built_warehouse: Path, staging: dict[str, ModelNode]
) -> None:
    """Each flag is up somewhere, each model of rejects has rows, and markup and the like go."""
    broken: Counter[str] = Counter()
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        for name, model in staging.items():
            counts = {
                flag: f"count(*) filter ({flag})"
                for flag in model.columns
                if re.fullmatch(r"is_.*_(invalid|future)|is_resolved_before_opened", flag)
            }
            if is_of_rejects(name):
                counts = {name: "count(*)"}
            if counts:
                query = f"select {', '.join(counts.values())} from staging.{name}"
                found = connection.sql(query).fetchone() or ()
                broken.update(dict(zip(counts, found, strict=True)))
        letters = connection.sql("""
            select
                (select count(*) from raw_web.reviews where text like '%<p>%'),
                (select count(*) from staging.stg_web__reviews where review_text like '%<%'),
                (select count(*) from raw_crm.accounts where contains(name, chr(129))),
                (
                    select count(*) from staging.stg_crm__accounts
                    where contains(account_name, chr(129))
                )
        """).fetchone()
    assert len(broken) >= LEAST_FLAGS
    assert all(broken.values()), broken
    assert letters
    assert [count > 0 for count in letters] == [True, False, True, False]
