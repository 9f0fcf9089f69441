"""dbt, run inside this process: one parse serves build and documentation."""

from __future__ import annotations

import json
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

from watershed import docs_pages
from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dbt.cli.main import dbtRunnerResult

    from watershed.settings import Settings

HEALTHY = {"success", "pass", "warn", "no-op", "skipped"}
"""Results that are no failure by themselves; a skipped node is the failure of one above it."""

RELATIONS = {"model", "seed", "snapshot"}
TESTS = {"test", "unit_test"}

LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class DbtResult:
    """What one dbt build did.

    Attributes:
        build_id: dbt's invocation id; the key of `ops.builds`.
        models: Models, seeds and snapshots that were built.
        tests: Tests that were run.
        failures: A line for each node that failed, or for what kept dbt from starting.
        built: Unique ids of the models, seeds and snapshots that were built.
    """

    build_id: str
    models: int
    tests: int
    failures: tuple[str, ...]
    built: tuple[str, ...] = ()


class DbtProject:
    """The dbt project of these settings, parsed when it is first needed.

    Args:
        settings: Where everything stands.
        environment: Variables that the profile and the macros read, beside the settings' own.
        target_folder: Where dbt writes what it makes; None: where it does by itself.
    """

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str] | None = None,
        target_folder: Path | None = None,
    ) -> None:
        self._settings = settings
        self._manifest: Manifest | None = None
        self._log_folder = settings.output / "logs"
        self.target_folder = target_folder or settings.transform / "target"
        # The profile reads the target, and the path, from here.
        if settings.redshift:
            os.environ.setdefault("DBT_TARGET", "prod")
        else:
            os.environ["WATERSHED_WAREHOUSE"] = str(settings.warehouse)
        os.environ.update(environment or {})

    @property
    def log(self) -> Path:
        """Where dbt writes what it does."""
        return self._log_folder / "dbt.log"

    def parse(self) -> Manifest:
        """Read the project once.

        Raises:
            WatershedError: dbt cannot; the text is dbt's.
        """
        if self._manifest is None:
            parsed = self._invoke("parse")
            if not isinstance(parsed.result, Manifest):
                raise WatershedError(_one_line(parsed.exception))
            self._manifest = parsed.result
        return self._manifest

    def selected(self, *selection: str) -> tuple[str, ...]:
        """Return the unique ids of what `--select` and its kin choose; none is no error.

        Raises:
            WatershedError: dbt cannot say; the text is dbt's.
        """
        self.parse()
        # That nothing is selected is a warning, and the project takes warnings for errors.
        quietly = ("--quiet", "--warn-error-options", '{"error": []}')
        listed = self._invoke("list", *quietly, "--output", "json", *selection)
        if not listed.success or not isinstance(listed.result, list):
            raise WatershedError(_one_line(listed.exception))
        return tuple(json.loads(line)["unique_id"] for line in listed.result)

    def build(self, *selection: str) -> DbtResult:
        """Build and test, by default everything; the warehouse file is free again afterwards."""
        try:
            self.parse()
        except WatershedError as error:
            return DbtResult(get_invocation_id(), 0, 0, (str(error),))
        done = self._invoke("build", *selection)
        build_id = get_invocation_id()
        results = done.result.results if isinstance(done.result, RunExecutionResult) else []
        failures = [
            f"{result.node.resource_type} {result.node.name}: {_one_line(result.message)}"
            for result in results
            if result.status not in HEALTHY
        ]
        if not done.success and not failures:
            failures.append(_one_line(done.exception))
        ran = [result for result in results if result.status != "skipped"]
        relations = [result for result in ran if result.node.resource_type in RELATIONS]
        return DbtResult(
            build_id=build_id,
            models=len(relations),
            tests=sum(result.node.resource_type in TESTS for result in ran),
            failures=tuple(failures),
            built=tuple(r.node.unique_id for r in relations if r.status == "success"),
        )

    def write_docs(self, page: Path) -> str | None:
        """Write the documentation of what was built as one page, and the pages beside it.

        Returns:
            Why it could not be written; None when it was.
        """
        # The build has compiled the models of this manifest.
        made = self._invoke("docs", "generate", "--static", "--no-compile")
        if not made.success:
            return _one_line(made.exception)
        page.parent.mkdir(parents=True, exist_ok=True)
        beside = page.with_suffix(".tmp")
        shutil.copyfile(self.target_folder / "static_index.html", beside)
        try:
            docs_pages.write_pages(self.parse(), page.parent)
            docs_pages.write_lineage(self.target_folder, page.parent)
        except Exception as error:  # noqa: BLE001  # whatever another's parser meets, the data is right
            return f"{type(error).__name__}: {_one_line(error)}"
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
                    *("--target-path", str(self.target_folder)),
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
