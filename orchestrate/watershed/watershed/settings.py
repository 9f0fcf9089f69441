"""Where everything stands, read once from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE = "meltano.yml"


@dataclass(frozen=True)
class Settings:
    """Absolute paths that every command works on.

    Attributes:
        project_root: The folder that holds `meltano.yml`.
        warehouse: The DuckDB file that is loaded and built; one writer at a time.
        published: The DuckDB file that readers open; replaced whole, never written.
        system_database: Where Meltano remembers its runs.
    """

    project_root: Path
    warehouse: Path
    published: Path
    system_database: Path

    @property
    def output(self) -> Path:
        """The git-ignored folder of everything that a run makes."""
        return self.project_root / "output"

    @property
    def transform(self) -> Path:
        """The dbt project."""
        return self.project_root / "transform"

    @property
    def publications(self) -> Path:
        """The publications that can be returned to, beside the published file."""
        return self.published.parent / "publications"

    @classmethod
    def read(cls, environment: Mapping[str, str], folder: Path) -> Settings:
        """Read the settings.

        Args:
            environment: `WATERSHED_PROJECT_ROOT` (or Meltano's own `MELTANO_PROJECT_ROOT`),
                `WATERSHED_WAREHOUSE`, `WATERSHED_PUBLISHED`, `MELTANO_SYS_DIR_ROOT`, all optional.
            folder: Where the search for the project starts, upwards.

        Raises:
            WatershedError: there is no project here.
        """
        named = environment.get("WATERSHED_PROJECT_ROOT") or environment.get("MELTANO_PROJECT_ROOT")
        root = _checked_root(Path(named)) if named else _root_above(folder)
        output = root / "output"
        return cls(
            project_root=root,
            warehouse=root / environment.get("WATERSHED_WAREHOUSE", output / "warehouse.duckdb"),
            published=root / environment.get("WATERSHED_PUBLISHED", output / "published.duckdb"),
            system_database=root
            / environment.get("MELTANO_SYS_DIR_ROOT", ".meltano")
            / "meltano.db",
        )


def _checked_root(root: Path) -> Path:
    if not (root / PROJECT_FILE).is_file():
        raise WatershedError(
            f"{root} has no {PROJECT_FILE}: set WATERSHED_PROJECT_ROOT to the project's folder"
        )
    return root.resolve()


def _root_above(folder: Path) -> Path:
    for candidate in (folder, *folder.parents):
        if (candidate / PROJECT_FILE).is_file():
            return candidate.resolve()
    raise WatershedError(
        f"no {PROJECT_FILE} in {folder} or above it: "
        "change into the project, or set WATERSHED_PROJECT_ROOT to its folder"
    )
