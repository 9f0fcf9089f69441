"""How rows are loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watershed_load_plan.tables import Table
    from watershed_target_redshift.layouts import Layout


@dataclass(frozen=True)
class LoadSettings:
    """How rows are loaded.

    Attributes:
        slices: Into how many files a large batch is written.
        layouts: How the rows of new tables lie.
        statement_timeout_seconds: How long DDL, and a load for its tables, wait for others.
        is_vacuumed: Whether changed tables are vacuumed after the run.
    """

    slices: int
    layouts: Mapping[Table, Layout]
    statement_timeout_seconds: float
    is_vacuumed: bool
