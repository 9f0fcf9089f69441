"""The state store of the warehouse that the active Meltano environment names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from meltano.core.environment import Environment
from meltano.core.project import Project
from meltano.core.utils import expand_env_vars

from watershed_state_backend.duckdb_store import DuckDBStateStoreManager
from watershed_state_backend.exceptions import StateStoreError

if TYPE_CHECKING:
    from watershed_state_backend.store import BookmarkStateStoreManager

VARIABLE = "WATERSHED_WAREHOUSE"


def store_of_environment(uri: str, **kwargs: Any) -> BookmarkStateStoreManager:  # noqa: ANN401  # Meltano's
    """Make the store of `WATERSHED_WAREHOUSE` as the active environment sets it.

    Meltano's own settings, such as the address of its state, do not see an environment's variables.

    Args:
        uri: ``warehouse:``.
        kwargs: Meltano's other settings for state backends.

    Raises:
        StateStoreError: no environment is active, or it names no warehouse.
    """
    del uri
    project = Project.find()
    # `meltano state` activates none by itself, and lists what all of a warehouse have.
    name = project.environment.name if project.environment else _default_environment(project)
    environment = Environment.find(project.meltano.environments, name) if name else None
    named = environment.env.get(VARIABLE) if environment else None
    warehouse = expand_env_vars(named, {**os.environ, **project.env}) if named else None
    if not warehouse:
        raise StateStoreError(
            f"{f'environment {name!r}' if name else 'no environment'} names the warehouse that "
            f"holds Meltano's state: set {VARIABLE} in environments/, or choose by --environment"
        )
    if "://" in warehouse:  # an address, no file
        # A fifth of a second of imports, which a warehouse in a file does not need.
        from watershed_state_backend.redshift_store import (  # noqa: PLC0415
            RedshiftStateStoreManager,
        )

        return RedshiftStateStoreManager(warehouse, **kwargs)
    return DuckDBStateStoreManager(f"duckdb://{project.root / warehouse}", **kwargs)


def _default_environment(project: Project) -> str | None:
    name: str | None = project.settings.get("default_environment")
    return name
