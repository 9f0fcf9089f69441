"""`watershed drift`: how sources changed since they were loaded, and what that reaches."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watershed.engine import engine_of
from watershed.publication_plan import has_ledger
from watershed.raw_tables import columns_of
from watershed.sources import SEPARATOR, choose_sources, is_pipeline_of
from watershed_load_plan.tables import METADATA_COLUMNS, read_schema
from watershed_load_plan.types import ColumnType, Kind, widen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from watershed.engine import Connection
    from watershed.raw_tables import Columns
    from watershed.settings import Settings
    from watershed.sources import Source

LOCK_WAIT_SECONDS = 600.0
TAPS_WITHOUT_TYPES = {"tap-mongodb"}
"""Whatever a document holds, it may hold otherwise: what came decides, and no catalog."""
LAST_BUILD = Path("last_build", "manifest.json")
STREAMS_SQL = """
    select bookmarks.state_id, bookmarks.stream, max(loads.target_schema), max(loads.table_name)
    from ops.bookmarks as bookmarks
    inner join ops.loads as loads
        on bookmarks.state_id = loads.state_id and bookmarks.stream = loads.stream
    group by bookmarks.state_id, bookmarks.stream
"""


@dataclass(frozen=True)
class Change:
    """What is otherwise at the source than in the warehouse.

    Attributes:
        column: None: the change is of the whole stream.
        what: `new`, `gone`, `wider` or `another type`.
        effect: What the next load does about it.
        reaches: Models and exposures that are made of it.
    """

    source: str
    stream: str
    column: str | None
    what: str
    effect: str
    reaches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drift:
    """What was found.

    Attributes:
        problems: By source, why it could not be asked.
        frozen: Sources that changed although their policy is `freeze`.
    """

    changes: tuple[Change, ...]
    problems: dict[str, str]
    frozen: tuple[str, ...]

    @property
    def is_failed(self) -> bool:
        """Whether somebody must act."""
        return bool(self.problems or self.frozen)


def drift(settings: Settings, names: Sequence[str]) -> Drift:
    """Compare what sources offer, as it is selected, with the tables that were loaded.

    Args:
        settings: Where everything stands.
        names: The sources; none means all.

    Raises:
        WatershedError: a source is not declared.
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
    """
    chosen = choose_sources(settings.project_root, names)
    engine = engine_of(settings)
    if not engine.has_warehouse():
        return Drift((), {}, ())
    with ThreadPoolExecutor(max(len(chosen), 1)) as pool:
        catalogs = list(pool.map(lambda source: _catalog(settings, source), chosen))
    reach = _Reach(settings.output / LAST_BUILD)
    changes: list[Change] = []
    problems: dict[str, str] = {}
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        for source, catalog in zip(chosen, catalogs, strict=True):
            if isinstance(catalog, str):
                problems[source.name] = catalog
                continue
            loaded = _loaded(connection, source, engine.loader, is_redshift=bool(settings.redshift))
            if loaded:  # else everything is new, and nothing has changed
                changes += _compare(source, catalog, loaded, reach)
    changed = {change.source for change in changes}
    frozen = tuple(one.name for one in chosen if one.is_frozen and one.name in changed)
    return Drift(tuple(changes), problems, frozen)


def _catalog(settings: Settings, source: Source) -> dict[str, Columns] | str:
    """Ask Meltano what a source offers and is selected; or say why it cannot be asked."""
    done = subprocess.run(
        [Path(sys.prefix, "bin", "meltano"), "invoke", "--dump=catalog", source.extractor],
        cwd=settings.project_root,
        env={**os.environ, source.variable("use_cached_catalog"): "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        catalog = json.loads(done.stdout)
    except ValueError:
        return _cause(done.stderr)
    return {
        entry["tap_stream_id"]: _columns(entry)
        for entry in catalog["streams"]
        if _metadata(entry, ()).get("selected")
    }


def _cause(said: str) -> str:
    """Find the error in what Meltano and the tap, which logs JSON, wrote."""
    lines = [line for line in said.splitlines() if line.strip()] or ["meltano said nothing"]
    for line in lines:
        try:
            logged = json.loads(line)
        except ValueError:
            continue
        if isinstance(logged, dict) and logged.get("level") == "error":
            return str(logged["message"])
    return " ".join(lines[-1].split())


def _metadata(entry: Mapping[str, Any], breadcrumb: tuple[str, ...]) -> dict[str, Any]:
    found = (one["metadata"] for one in entry["metadata"] if one["breadcrumb"] == [*breadcrumb])
    return dict(next(found, {}))


def _columns(entry: Mapping[str, Any]) -> Columns:
    properties = {}
    for name, definition in entry["schema"]["properties"].items():
        metadata = _metadata(entry, ("properties", name))
        is_selected = metadata.get("selected", metadata.get("selected-by-default", True))
        if is_selected or metadata.get("inclusion") == "automatic":
            properties[name] = definition
    return dict(read_schema(entry["tap_stream_id"], {"properties": properties}, (), None).columns)


def _loaded(
    connection: Connection, source: Source, loader: str, *, is_redshift: bool
) -> dict[str, tuple[str, Columns]]:
    """Read the tables of a source: by stream, the table's name and its columns."""
    if not (has_ledger(connection, "bookmarks") and has_ledger(connection, "loads")):
        return {}
    return {
        stream: (table, columns_of(connection, schema, table, is_redshift=is_redshift))
        for state_id, stream, schema, table in connection.execute(STREAMS_SQL).fetchall()
        if is_pipeline_of(state_id, source.extractor, loader)
    }


def _compare(
    source: Source,
    catalog: Mapping[str, Columns],
    loaded: Mapping[str, tuple[str, Columns]],
    reach: _Reach,
) -> Iterator[Change]:
    has_no_types = source.extractor.partition(SEPARATOR)[0] in TAPS_WITHOUT_TYPES
    for stream in sorted(catalog.keys() | loaded.keys()):
        if stream not in loaded:
            yield Change(source.name, stream, None, "new", "the next load brings it")
            continue
        table, present = loaded[stream]
        if stream not in catalog:
            effect = "its rows stay as they were loaded last"
            reached = reach.of(source.name, table, None)
            yield Change(source.name, stream, None, "gone", effect, reached)
            continue
        offered = catalog[stream]
        for column in [*offered, *(name for name in present if name not in offered)]:
            if column in METADATA_COLUMNS:
                continue
            what = _of_column(offered.get(column), present.get(column))
            if what and not (has_no_types and what[0] in {"wider", "another type"}):
                reached = reach.of(source.name, table, column) if what[0] != "new" else ()
                yield Change(source.name, stream, column, *what, reached)


def _of_column(offered: ColumnType | None, present: ColumnType | None) -> tuple[str, str] | None:
    """Say what changed about a column, and what the next load does."""
    if present is None:
        return "new", "the next load adds it; no model reads it yet"
    if offered is None:
        return "gone", "it stays, and is NULL in rows that come from now on"
    if present.kind is Kind.TEXT:
        return None  # it holds any value
    wider = widen(present, offered)
    if wider is None:
        return "another type", f"{present} stays: a {offered} that does not fit goes to quarantine"
    if wider != present:
        return "wider", f"{present} becomes {wider}"
    return None


class _Reach:
    """Which models and exposures hold a column, by the origins that the last build documented."""

    def __init__(self, manifest: Path) -> None:
        self._holders: dict[str, set[str]] = {}
        self._exposures: list[tuple[str, set[str]]] = []
        if not manifest.exists():
            return
        found = json.loads(manifest.read_text())
        for unique_id, node in found["nodes"].items():
            if node["resource_type"] != "model":
                continue
            for column in node["columns"].values():
                origins = column["meta"].get("origin") or ()
                for origin in [origins] if isinstance(origins, str) else origins:
                    self._holders.setdefault(origin.lower(), set()).add(unique_id)
        for exposure in found["exposures"].values():
            self._exposures.append((exposure["name"], set(exposure["depends_on"]["nodes"])))

    def of(self, source: str, table: str, column: str | None) -> tuple[str, ...]:
        """Name the models with a column of that origin, and the exposures of these models."""
        place = f"{source}.{table}".lower()
        wanted = f"{place}.{column}".lower() if column else None
        models = {
            model
            for origin, holders in self._holders.items()
            if (origin in {wanted, place} if wanted else f"{origin}.".startswith(f"{place}."))
            for model in holders
        }
        exposures = {f"exposure {name}" for name, nodes in self._exposures if nodes & models}
        return (*sorted(model.rpartition(".")[2] for model in models), *sorted(exposures))


def to_json(found: Drift) -> str:
    """Write what was found as one JSON object."""
    return json.dumps(dataclasses.asdict(found), indent=2)


def to_text(found: Drift) -> str:
    """Write a line for each change."""
    lines = []
    for change in found.changes:
        place = f"{change.stream}.{change.column}" if change.column else change.stream
        reaches = f"; reaches {', '.join(change.reaches)}" if change.reaches else ""
        lines.append(f"{place}: {change.what}: {change.effect}{reaches}")
    lines += [f"{source}: cannot be asked: {why}" for source, why in found.problems.items()]
    lines += [f"{source}: its schema is frozen, and changed" for source in found.frozen]
    return "\n".join(lines or ["no source changed its schema"])
