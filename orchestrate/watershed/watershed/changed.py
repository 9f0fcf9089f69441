"""Building what an analyst changed, and what reads it, beside the last good build."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import yaml

from watershed.build import (
    LOCK_WAIT_SECONDS,
    MANIFEST,
    MOST_FAILURES_SHOWN,
    PROJECT_FILE,
    remembered_build,
    rows_changed_since,
    state_folder,
)
from watershed.difference import Difference, Pair, compare, row_count
from watershed.engine import engine_of
from watershed.exceptions import MissingFileError
from watershed.publication_plan import last_build, quoted
from watershed.workbench import schema_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dbt.contracts.graph.manifest import Manifest

    from watershed.dbt_project import DbtProject
    from watershed.engine import Connection, Engine
    from watershed.settings import Settings
    from watershed.workbench import Workbench

CHANGED = ("--select", "state:modified+")
EVERYTHING = ("--select", "*")
BUT_NO_HISTORY = ("--exclude", "resource_type:snapshot")
"""A snapshot remembers what the source no longer has: it is read as it is, never built anew."""


@dataclass(frozen=True)
class ChangedBuild:
    """What building a change did.

    Attributes:
        compared_with: The last good build's id.
        place: Where the changed models are; None when nothing changed.
        differences: One for each model that was built.
        removed: Models of the last good build that the project no longer has.
        failures: A line for each node that failed.
        remarks: What else one should know, a line each.
    """

    compared_with: str
    place: str | None
    differences: tuple[Difference, ...] = ()
    removed: tuple[str, ...] = ()
    tests: int = 0
    seconds: float = 0.0
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_green(self) -> bool:
        """Whether all that was built passed its tests."""
        return not self.failures


def build_changed(
    settings: Settings,
    *,
    name: str,
    state: Path | None,
    sample: int,
    announce: Callable[[str], None],
) -> ChangedBuild:
    """Build the models that changed since the last good build, and all that read them.

    Args:
        settings: Where everything stands.
        name: Whose change it is; part of the schemas' names.
        state: The folder with the manifest of the last good build; None: where `watershed build`
            keeps it.
        sample: How many keys to show for rows that differ.
        announce: Told, before dbt builds, what it will build.

    Raises:
        MissingFileError: there is no warehouse, or no last good build.
        WatershedError: the project cannot be read, or the name cannot be a schema's.
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
    """
    from watershed.dbt_project import DbtProject  # noqa: PLC0415  # start-up

    started = time.monotonic()
    engine = engine_of(settings)
    workbench = engine.workbench(schema_prefix(name))
    build_id, remarks = _last_good_build(settings, engine, state)
    state = (state or state_folder(settings)).resolve()
    before = json.loads((state / MANIFEST).read_text())
    project = DbtProject(settings, workbench.environment, settings.output / "changed" / "target")
    removed = _removed(before, project.parse())
    variables = _changed_variables(settings, state)
    if variables:
        remarks.append(f"everything is built, because variables changed: {', '.join(variables)}")
    selection = (*(EVERYTHING if variables else CHANGED), *BUT_NO_HISTORY, "--state", str(state))
    wanted = project.selected(*selection)
    if not wanted:
        return ChangedBuild(build_id, None, removed=removed, remarks=tuple(remarks))
    kinds = [unique_id.partition(".")[0] for unique_id in wanted]
    announce(
        f"building {sum(k in {'model', 'seed'} for k in kinds)} models and running "
        f"{sum(k in {'test', 'unit_test'} for k in kinds)} tests"
    )
    workbench.clear()
    result = project.build(*selection, "--defer", "--favor-state")
    with workbench.opened() as connection:
        comparison = _Comparison(connection, workbench, before, project, sample)
        differences = tuple(comparison.differences(result.built))
    return ChangedBuild(
        compared_with=build_id,
        place=workbench.place,
        differences=differences,
        removed=removed,
        tests=result.tests,
        seconds=round(time.monotonic() - started, 1),
        failures=result.failures,
        remarks=tuple(remarks),
    )


def to_json(outcome: ChangedBuild) -> str:
    """Write the outcome as one JSON object."""
    return json.dumps(asdict(outcome), indent=2)


def to_text(outcome: ChangedBuild) -> str:
    """Write the outcome in a few lines for each model that differs."""
    lines = [f"  {remark}" for remark in outcome.remarks]
    lines += [f"  gone from the project: {name}" for name in outcome.removed]
    if outcome.place is None:
        return "\n".join((f"nothing changed since build {outcome.compared_with}", *lines))
    verdict = "green" if outcome.is_green else "RED"
    lines.insert(
        0,
        f"{verdict}: {len(outcome.differences)} models and {outcome.tests} tests in "
        f"{outcome.seconds:.1f} s, compared with build {outcome.compared_with}",
    )
    lines += [f"  failed: {failure}" for failure in outcome.failures[:MOST_FAILURES_SHOWN]]
    same = [difference for difference in outcome.differences if difference.is_none]
    for difference in outcome.differences:
        if difference not in same:
            lines += _lines_of(difference)
    if same:
        lines.append(f"  as before: {', '.join(d.model for d in same)}")
    lines.append(f"  look at them in {outcome.place}")
    return "\n".join(lines)


def _lines_of(difference: Difference) -> Iterator[str]:
    if difference.rows_before is None:
        yield f"  {difference.model}: new, {difference.rows:,} rows"
        return
    line = f"  {difference.model}: {difference.rows_before:,} -> {difference.rows:,} rows"
    if not difference.key:
        yield f"{line}; values are not compared, as no test says which columns are its key"
        return
    kinds = ("added", "removed", "changed")
    counts = [f"{getattr(difference, kind):,} {kind}" for kind in kinds]
    yield f"{line}; {', '.join(counts)}"
    for name, count in difference.columns.items():
        yield f"    {name}: {count:,} values changed"
    for word, names in (("new", difference.new_columns), ("gone", difference.gone_columns)):
        if names:
            yield f"    {word} columns: {', '.join(names)}"
    for kind, keys in difference.samples.items():
        shown = ", ".join("/".join(key) for key in keys)
        yield f"    {kind}, by {'/'.join(difference.key)}: {shown}"


class _Comparison:
    """Compares what was built with what it was."""

    def __init__(
        self,
        connection: Connection,
        workbench: Workbench,
        before: dict[str, Any],
        project: DbtProject,
        sample: int,
    ) -> None:
        self._connection = connection
        self._workbench = workbench
        self._before = before["nodes"]
        self._manifest = project.parse()
        self._sample = sample

    def differences(self, built: tuple[str, ...]) -> Iterator[Difference]:
        for unique_id in built:
            node = self._manifest.nodes[unique_id]
            now = (node.schema, node.alias)
            was = self._before.get(unique_id)
            before = (was["schema"], was["alias"]) if was else None
            if not before or not (columns := self._columns(before)):
                yield Difference(node.name, row_count(self._connection, _name(now)), None)
                continue
            pair = Pair(
                model=node.name,
                was=_name(before),
                now=_name(now),
                columns_before=columns,
                columns=self._columns(now),
                key=_key(self._manifest, unique_id),
            )
            yield compare(self._connection, pair, sample=self._sample)

    def _columns(self, relation: tuple[str, str]) -> dict[str, str]:
        return self._workbench.columns(self._connection, *relation)


def _name(relation: tuple[str, str]) -> str:
    return ".".join(quoted(part) for part in relation)


def _key(manifest: Manifest, unique_id: str) -> tuple[str, ...]:
    """Return the columns that a test says are unique: one, or a combination."""
    from dbt.contracts.graph.nodes import GenericTestNode  # noqa: PLC0415  # start-up

    combination: tuple[str, ...] = ()
    for node in manifest.nodes.values():
        if not isinstance(node, GenericTestNode) or node.attached_node != unique_id:
            continue
        test = node.test_metadata
        # A test that looks at some rows only says nothing about the others.
        if test.name == "unique" and not node.config.where:
            return (test.kwargs["column_name"],)
        if test.name == "unique_combination":
            combination = tuple(test.kwargs["columns"])
    return combination


def _last_good_build(
    settings: Settings, engine: Engine, state: Path | None
) -> tuple[str, list[str]]:
    """Return the build to compare with, and what one should know about it."""
    advice = "`watershed build` makes one"
    if not engine.has_warehouse():
        raise MissingFileError(
            f"warehouse {settings.warehouse} does not exist, hence no last good build: "
            "load with `meltano run el`, then `watershed build`"
        )
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        build_id, problem = last_build(connection)
        if build_id is None or problem:
            raise MissingFileError(f"there is no last good build: {problem}; {advice}")
        rows = rows_changed_since(connection, build_id)
    if state is None and remembered_build(settings) != build_id:
        raise MissingFileError(
            f"build {build_id} was not made by `watershed build` in this project, so nobody knows "
            f"what it was made from: {advice}, or give --state a folder with its {MANIFEST}"
        )
    folder = state or state_folder(settings)
    if not (folder / MANIFEST).is_file():
        raise MissingFileError(f"{folder} has no {MANIFEST} of the last good build: {advice}")
    remarks = []
    if rows:
        remarks.append(
            f"{rows:,} rows were loaded since that build: what they change is shown as well"
        )
    return build_id, remarks


def _removed(before: dict[str, Any], manifest: Manifest) -> tuple[str, ...]:
    return tuple(
        sorted(
            node["name"]
            for unique_id, node in before["nodes"].items()
            if node["resource_type"] == "model" and unique_id not in manifest.nodes
        )
    )


def _changed_variables(settings: Settings, state: Path) -> list[str]:
    """Name the project's variables that differ: dbt does not say which models read them."""
    kept = state / PROJECT_FILE
    if not kept.exists():
        return []
    was, now = (
        yaml.safe_load(file.read_text()).get("vars") or {}
        for file in (kept, settings.transform / PROJECT_FILE)
    )
    return sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
