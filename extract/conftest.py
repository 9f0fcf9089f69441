"""What taps' messages become: the warehouse that tests of every tap load into."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from watershed_duckdb import connect
from watershed_tap.testing import Output
from watershed_target_duckdb.target import TargetDuckDB


class Warehouse:
    """Loads what runs of a tap say, and is asked for rows."""

    def __init__(self, folder: Path, schema: str) -> None:
        self.path = folder / "warehouse.duckdb"
        self.batches = folder / "batches"
        self._config = {
            "warehouse": str(self.path),
            "spool_directory": str(self.batches),
            "default_target_schema": schema,
            "quarantine_limit": 1_000_000,
        }

    def load(self, output: Output) -> None:
        with redirect_stdout(io.StringIO()):
            TargetDuckDB(config=self._config).listen(io.StringIO(output.stdout))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.path, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def types(self, table: str) -> dict[str, str]:
        return dict(self.rows(f"select column_name, column_type from (describe {table})"))

    def texts(self, table: str, order: str) -> list[tuple[Any, ...]]:
        """The source's own columns, each value as text, in which NaN equals NaN."""
        names = [name for name in self.types(table) if not name.startswith("_sdc_")]
        listed = ", ".join(
            f'to_base64("{name}")' if of == "BLOB" else f'cast("{name}" as varchar)'
            for name, of in self.types(table).items()
            if name in names
        )
        return self.rows(f"select {listed} from {table} order by {order}")

    def quarantined(self) -> list[tuple[Any, ...]]:
        """Whose values were set aside."""
        return self.rows(
            "select record_key, column_name from ops.quarantine order by record_key, column_name"
        )


@pytest.fixture
def make_warehouse(tmp_path: Path) -> Callable[[str], Warehouse]:
    def make(name: str, schema: str = "raw") -> Warehouse:
        folder = tmp_path / name
        folder.mkdir()
        return Warehouse(folder, schema)

    return make


@pytest.fixture
def in_files(tmp_path: Path) -> dict[str, Any]:
    """Settings with which a tap sends its rows in files."""
    root = (tmp_path / "batches").as_uri()
    return {"batch_config": {"encoding": {"format": "parquet"}, "storage": {"root": root}}}
