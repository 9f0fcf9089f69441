"""Where everything stands, read once from the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from watershed_redshift import ConnectionSettings

PROJECT_FILE = "meltano.yml"
REDSHIFT = "redshift://"
"""What `WATERSHED_WAREHOUSE` is where the warehouse is Redshift and no file."""


@dataclass(frozen=True)
class Settings:
    """Absolute paths that every command works on.

    Attributes:
        project_root: The folder that holds `meltano.yml`.
        warehouse: The DuckDB file that is loaded and built; one writer at a time.
        published: The DuckDB file that readers open; replaced whole, never written.
        system_database: Where Meltano remembers its runs.
        redshift: Where the warehouse is Redshift: how one connects; None: it is the file.
        meltano_environment: The active one, which every `meltano run` of ours is told.
        readers: Whom publishing on Redshift gives reading rights, e.g. ``group analysts``.
    """

    project_root: Path
    warehouse: Path
    published: Path
    system_database: Path
    redshift: ConnectionSettings | None = None
    readers: tuple[str, ...] = ()
    meltano_environment: str | None = None

    @property
    def output(self) -> Path:
        """The git-ignored folder of everything that a run makes."""
        return self.project_root / "output"

    @property
    def transform(self) -> Path:
        """The dbt project."""
        return self.project_root / "transform"

    @property
    def docs(self) -> Path:
        """The folder of the documentation's pages."""
        return self.output / "docs"

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
                Where the warehouse is ``redshift://``, also the `WATERSHED_REDSHIFT_*`.
            folder: Where the search for the project starts, upwards.

        Raises:
            WatershedError: there is no project here, or a reader is no name.
            watershed_redshift.RedshiftError: a variable for Redshift is missing.
        """
        root = _root(environment, folder)
        output = root / "output"
        warehouse = environment.get("WATERSHED_WAREHOUSE", output / "warehouse.duckdb")
        redshift = None
        if warehouse == REDSHIFT:
            from watershed_redshift import read_environment  # noqa: PLC0415  # its driver is slow

            redshift = read_environment(environment)
        return cls(
            project_root=root,
            warehouse=root / warehouse,
            published=root / environment.get("WATERSHED_PUBLISHED", output / "published.duckdb"),
            system_database=root
            / environment.get("MELTANO_SYS_DIR_ROOT", ".meltano")
            / "meltano.db",
            redshift=redshift,
            meltano_environment=environment.get("MELTANO_ENVIRONMENT") or None,
            readers=_readers(environment.get("WATERSHED_REDSHIFT_READERS", "")),
        )


def read_dotenv(environment: MutableMapping[str, str], folder: Path) -> None:
    """Add what the project's ``.env`` says, as Meltano does; what is set already goes before.

    Args:
        environment: Is changed.
        folder: As above; without a project nothing is added.
    """
    try:
        file = _root(environment, folder) / ".env"
    except WatershedError:
        return
    if file.is_file():
        from dotenv import dotenv_values  # noqa: PLC0415  # most have none

        for name, value in dotenv_values(file).items():
            environment.setdefault(name, value or "")


def _root(environment: Mapping[str, str], folder: Path) -> Path:
    named = environment.get("WATERSHED_PROJECT_ROOT") or environment.get("MELTANO_PROJECT_ROOT")
    return _checked_root(Path(named)) if named else _root_above(folder)


def _readers(listed: str) -> tuple[str, ...]:
    """Read ``group analysts, role bi, somebody``; a name that would need quotes is refused."""
    readers = tuple(" ".join(part.split()) for part in listed.split(",") if part.strip())
    for reader in readers:
        if not re.fullmatch(r"((group|role) )?[a-z_][a-z0-9_]*", reader):
            raise WatershedError(
                f"WATERSHED_REDSHIFT_READERS: {reader!r} is none of `user`, `group name`, "
                "`role name`: separate them by commas"
            )
    return readers


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
