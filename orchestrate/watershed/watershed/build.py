"""Building the models, when there is a reason to."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from watershed.engine import engine_of
from watershed.exceptions import MissingFileError
from watershed.publication_plan import has_ledger, last_build, one_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from watershed.engine import Connection
    from watershed.settings import Settings

LOCK_WAIT_SECONDS = 600.0
MADE_BY_DBT = {"target", "logs", "dbt_packages", ".user.yml"}
"""Entries of the dbt project that are no source of it."""
MOST_FAILURES_SHOWN = 20
MANIFEST = "manifest.json"
PROJECT_FILE = "dbt_project.yml"
"""What is kept of a green build: the project as dbt read it, and its variables."""

ROWS_CHANGED_SQL = """
    select coalesce(sum(rows_inserted + rows_updated + rows_deleted), 0)
    from ops.loads
    where committed_at > (select started_at from ops.builds where build_id = ?)
"""


@dataclass(frozen=True)
class Outcome:
    """What building did.

    Attributes:
        action: `built`, `failed` or `skipped`.
        reason: Why it was built, or skipped.
        build_id: The build that the warehouse now holds; None when dbt did not start.
        docs: The page of documentation, when it was written.
        failures: A line for each node that failed.
        remarks: What else one should know, a line each.
    """

    action: str
    reason: str
    build_id: str | None
    models: int = 0
    tests: int = 0
    seconds: float = 0.0
    docs: str | None = None
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_green(self) -> bool:
        """Whether the warehouse holds a build that passed all its tests."""
        return self.action != "failed"


def build(
    settings: Settings, *, force: bool, docs: bool, announce: Callable[[str], None]
) -> Outcome:
    """Build and test every model, then write the documentation.

    Nothing is done when no row, no file of the dbt project and no engine changed since the last
    green build. If rows are all that changed, incremental models are added to, else made anew:
    what they hold may come from another version of the project. A red build publishes the ledger,
    so that readers of `ops` see it.

    Args:
        settings: Where everything stands.
        force: Build in any case.
        docs: Whether the page of documentation is wanted.
        announce: Told, before dbt starts, why it does.

    Raises:
        MissingFileError: there is no warehouse.
        watershed_duckdb.WarehouseError: the warehouse is locked or broken.
    """
    engine = engine_of(settings)
    if not engine.has_warehouse():
        raise MissingFileError(
            f"warehouse {settings.warehouse} does not exist: load first, with `meltano run el`"
        )
    sources = _fingerprint(settings.transform, engine.distributions)
    with engine.warehouse(read_only=True, wait_seconds=LOCK_WAIT_SECONDS) as connection:
        build_id, reason = _reason_to_build(connection, _memory(settings), sources)
        is_same_project = reason is None
        changed = rows_changed_since(connection, build_id) if build_id and is_same_project else 0
    if changed:
        reason = f"{changed:,} rows changed"
    if reason is None and docs and not _page(settings).exists():
        reason = "the documentation is missing"
    if reason is None and not force:
        return Outcome("skipped", f"nothing changed since build {build_id}", build_id)
    reason = reason or "it was asked for"
    announce(f"building, because {reason}")
    options = () if is_same_project and not force else ("--full-refresh",)
    return _build(settings, sources, reason, options, docs=docs)


def to_json(outcome: Outcome) -> str:
    """Write the outcome as one JSON object."""
    return json.dumps(asdict(outcome), indent=2)


def to_text(outcome: Outcome) -> str:
    """Write the outcome in a few lines."""
    if outcome.action == "skipped":
        return f"skipped models, tests and documentation: {outcome.reason}"
    verdict = "green" if outcome.is_green else "RED"
    lines = [
        f"{verdict}: {outcome.models} models and {outcome.tests} tests in {outcome.seconds:.1f} s"
    ]
    lines += [f"  failed: {failure}" for failure in outcome.failures[:MOST_FAILURES_SHOWN]]
    if len(outcome.failures) > MOST_FAILURES_SHOWN:
        lines.append(f"  and {len(outcome.failures) - MOST_FAILURES_SHOWN} more")
    if outcome.docs:
        lines.append(f"  documentation: {outcome.docs}")
    return "\n".join((*lines, *(f"  {remark}" for remark in outcome.remarks)))


def _build(
    settings: Settings, sources: str, reason: str, options: Sequence[str], *, docs: bool
) -> Outcome:
    # dbt takes seconds to import; a build that is skipped need not.
    from watershed.dbt_project import DbtProject  # noqa: PLC0415

    started = time.monotonic()
    project = DbtProject(settings)
    result = project.build(*options)
    remarks: list[str] = []
    page = None
    if result.failures:
        remarks = [f"dbt's own words: {project.log}", *_publish_ledger(settings)]
    elif docs and (problem := project.write_docs(_page(settings))):
        # The data is right, so readers get it; the next run builds again, and with it the page.
        remarks = [f"documentation NOT written: {problem}"]
    else:
        page = str(_page(settings)) if docs else None
        _keep_state(settings)
        _memory(settings).write_text(json.dumps({"build_id": result.build_id, "sources": sources}))
    return Outcome(
        action="failed" if result.failures else "built",
        reason=reason,
        build_id=result.build_id,
        models=result.models,
        tests=result.tests,
        seconds=round(time.monotonic() - started, 1),
        docs=page,
        failures=result.failures,
        remarks=tuple(remarks),
    )


def _publish_ledger(settings: Settings) -> list[str]:
    """Show readers of `ops` that the build is red; their marts stay."""
    from watershed import publish  # noqa: PLC0415

    return publish.to_text(engine_of(settings).publish()).splitlines()


def _reason_to_build(
    connection: Connection, memory: Path, sources: str
) -> tuple[str | None, str | None]:
    """Return the last build, and what else than rows makes another one necessary, if anything."""
    build_id, problem = last_build(connection)
    if problem:
        return build_id, problem
    remembered = json.loads(memory.read_text()) if memory.exists() else {}
    if remembered.get("build_id") != build_id:
        return build_id, f"build {build_id} was not made by `watershed build`"
    if remembered["sources"] != sources:
        return build_id, "the dbt project or its engine changed"
    return build_id, None


def rows_changed_since(connection: Connection, build_id: str) -> int:
    """Count the rows that loads brought since a build began."""
    if not has_ledger(connection, "loads"):
        return 0
    return int(one_row(connection, ROWS_CHANGED_SQL, (build_id,))[0])


def remembered_build(settings: Settings) -> str | None:
    """Return the last build that was made here and green; its project is in `state_folder`."""
    memory = _memory(settings)
    return json.loads(memory.read_text())["build_id"] if memory.exists() else None


def _fingerprint(transform: Path, engine: Sequence[str]) -> str:
    """Digest what a build is made from, beside the data: files, and versions of distributions."""
    digest = hashlib.sha256("".join(version(name) for name in ("dbt-core", *engine)).encode())
    for path in sorted(transform.rglob("*")):
        parts = path.relative_to(transform).parts
        if path.is_file() and parts[0] not in MADE_BY_DBT:
            digest.update("/".join(parts).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _keep_state(settings: Settings) -> None:
    """Keep what the green build was made from, for `watershed build-changed` to compare with."""
    folder = state_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for made in (settings.transform / "target" / MANIFEST, settings.transform / PROJECT_FILE):
        shutil.copy(made, folder)


def _page(settings: Settings) -> Path:
    return settings.docs / "index.html"


def state_folder(settings: Settings) -> Path:
    """Name the folder that holds the dbt project of the last green build, as dbt read it."""
    return settings.output / "last_build"


def _memory(settings: Settings) -> Path:
    """Name the file that remembers what the last green build was made from."""
    return settings.output / "last_build.json"
