"""Singer target for DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from watershed_duckdb import WarehouseError
from watershed_target import SHARED_SETTINGS, LoadPlanTarget, run
from watershed_target_duckdb.warehouse import DuckDBWarehouse

if TYPE_CHECKING:
    from watershed_load_plan import LoadOptions, Warehouse


class TargetDuckDB(LoadPlanTarget):
    """Loads Singer streams into a DuckDB file; each STATE commits rows, ledger and bookmark."""

    name = "watershed-target-duckdb"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "warehouse", th.StringType, required=True, description="Path of the DuckDB file."
        ),
        th.Property(
            "spool_directory",
            th.StringType,
            description="Where rows wait for their commit. Default: 'batches' beside the file.",
        ),
        th.Property(
            "lock_wait_seconds",
            th.NumberType,
            default=600,
            description="How long to wait while another process has the file.",
        ),
        th.Property(
            "threads",
            th.IntegerType(minimum=1),
            default=1,
            description="Of DuckDB. Beside a tap and its source one takes least processor time.",
        ),
        *SHARED_SETTINGS,
    ).to_dict()

    def spool_directory(self) -> Path:
        """By default the folder ``batches`` beside the file."""
        return Path(self.config.get("spool_directory") or self._path.parent / "batches")

    def open_warehouse(self, options: LoadOptions) -> Warehouse:
        """Make the dialect of the file."""
        del options
        return DuckDBWarehouse(
            self._path,
            wait_seconds=float(self.config["lock_wait_seconds"]),
            threads=self.config["threads"],
        )

    @property
    def _path(self) -> Path:
        return Path(self.config["warehouse"]).absolute()


def main() -> None:
    """Run the target; what a person can mend ends in one line and exit code 1."""
    run(TargetDuckDB, WarehouseError)
