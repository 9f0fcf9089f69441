"""dbt, run inside this process: one parse serves build and documentation."""

from __future__ import annotations

import os
import shutil
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.invocation import get_invocation_id

if TYPE_CHECKING:
    from pathlib import Path

    from dbt.cli.main import dbtRunnerResult

    from watershed.settings import Settings

HEALTHY = {"success", "pass", "warn", "no-op", "skipped"}
"""Results that are no failure by themselves; a skipped node is the failure of one above it."""

LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class DbtResult:
    """What one dbt build did.

    Attributes:
        build_id: dbt's invocation id; the key of `ops.builds`.
        models: Models, seeds and snapshots that were built.
        tests: Tests that were run.
        failures: A line for each node that failed, or for what kept dbt from starting.
    """

    build_id: str
    models: int
    tests: int
    failures: tuple[str, ...]


class DbtProject:
    """The dbt project of these settings, parsed when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._manifest: Manifest | None = None
        self._log_folder = settings.output / "logs"
        # The profile reads the target, and the path, from here.
        if settings.redshift:
            os.environ.setdefault("DBT_TARGET", "prod")
        else:
            os.environ["WATERSHED_WAREHOUSE"] = str(settings.warehouse)

    @property
    def log(self) -> Path:
        """Where dbt writes what it does."""
        return self._log_folder / "dbt.log"

    def build(self) -> DbtResult:
        """Build and test everything; the warehouse file is free again afterwards."""
        parsed = self._invoke("parse")
        if not isinstance(parsed.result, Manifest):
            return DbtResult(get_invocation_id(), 0, 0, (_one_line(parsed.exception),))
        self._manifest = parsed.result
        built = self._invoke("build")
        build_id = get_invocation_id()
        results = built.result.results if isinstance(built.result, RunExecutionResult) else []
        failures = [
            f"{result.node.resource_type} {result.node.name}: {_one_line(result.message)}"
            for result in results
            if result.status not in HEALTHY
        ]
        if not built.success and not failures:
            failures.append(_one_line(built.exception))
        kinds = [result.node.resource_type for result in results if result.status != "skipped"]
        return DbtResult(
            build_id=build_id,
            models=sum(kind in {"model", "seed", "snapshot"} for kind in kinds),
            tests=sum(kind in {"test", "unit_test"} for kind in kinds),
            failures=tuple(failures),
        )

    def write_docs(self, page: Path) -> str | None:
        """Write the documentation of what was built as one page, replaced whole.

        Returns:
            Why it could not be written; None when it was.
        """
        # The build has compiled the models of this manifest.
        made = self._invoke("docs", "generate", "--static", "--no-compile")
        if not made.success:
            return _one_line(made.exception)
        page.parent.mkdir(parents=True, exist_ok=True)
        beside = page.with_suffix(".tmp")
        shutil.copyfile(self._settings.transform / "target" / "static_index.html", beside)
        beside.replace(page)
        return None

    def _invoke(self, *command: str) -> dbtRunnerResult:
        project = self._settings.transform
        try:
            # dbt leaves its log files to the garbage collector, and Meltano shows all warnings.
            warnings.simplefilter("ignore", ResourceWarning)
            return dbtRunner(manifest=self._manifest).invoke(
                [
                    *command,
                    *("--project-dir", str(project)),
                    *("--profiles-dir", str(project / "profiles")),
                    *("--log-path", str(self._log_folder)),
                    *("--log-level", "none"),
                    *("--log-level-file", "info"),
                    "--no-send-anonymous-usage-stats",
                ]
            )
        finally:
            # dbt-duckdb would keep the file, and its lock, until the process ends.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _one_line(message: object) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + " ..."
