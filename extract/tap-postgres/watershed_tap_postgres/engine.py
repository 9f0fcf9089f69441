"""DuckDB's reader of PostgreSQL: rows come in the binary protocol and never are Python objects.

It reads in the snapshot of the tap's own connection. What its binary forms do not hold (NaN of a
numeric, moments beyond ISO's years, numbers of more than 38 digits) is asked for as text: see
``column_types.py``.
"""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from watershed_tap.exceptions import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

_MEMORY = "512MB"
_EXTENSION = "postgres_scanner"
_BATCH_BYTES = 8 * 2**20
_ROWS_LEAST, _ROWS_MOST = 2_048, 20_480
"""DuckDB works on 2,048 rows at a time."""


class SnapshotEngine:
    """One more connection to the source, in the snapshot of another.

    Args:
        parameters: of libpq.
        session: settings of the session, which hold for each of its transactions.
        snapshot: as ``pg_export_snapshot()`` named it; its transaction must still be open.

    Raises:
        duckdb.Error: the source refuses; the text may hold the password.
    """

    def __init__(
        self, parameters: Mapping[str, Any], session: Mapping[str, str], snapshot: str
    ) -> None:
        # A second thread would wait for the source by turning in circles; and where the source
        # fails, the first sometimes hears only that it was interrupted, and not why.
        self._engine = duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1})
        # Nothing that comes from the source is spilled to a disk.
        self._engine.execute("set temp_directory = ''")
        self._engine.execute("set TimeZone = 'UTC'")
        self._engine.execute("set preserve_insertion_order = true")
        self._engine.execute("set arrow_lossless_conversion = true")  # a uuid is 16 bytes, no text
        self._engine.execute(f"load '{_extension_file()}'")
        self._engine.execute("set pg_connection_limit = 1")
        options = " ".join(f"-c {name}={_option(value)}" for name, value in session.items())
        pairs = {name: value for name, value in parameters.items() if value is not None}
        address = " ".join(
            f"{name}={_quoted(str(v))}" for name, v in {**pairs, "options": options}.items()
        )
        self._engine.execute(f"attach {_literal(address)} as source (type postgres, read_only)")
        self._engine.begin()
        join = _literal(f"set transaction snapshot {_literal(snapshot)}")
        self._engine.execute(f"call postgres_execute('source', {join})")

    def batches(self, statement: str, row_bytes: int) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a statement.

        Args:
            statement: SQL of PostgreSQL.
            row_bytes: of an average row, by which the size of batches is chosen.

        Raises:
            duckdb.Error: the source stopped.
        """
        rows = min(max(_BATCH_BYTES // max(row_bytes, 1), _ROWS_LEAST), _ROWS_MOST)
        found = self._engine.execute("from postgres_query('source', ?)", [statement])
        yield from found.to_arrow_reader(rows)

    def close(self) -> None:
        """Hang up, in this order: closed within its transaction, DuckDB would abort the process.

        It does so when the source is gone, for then it cannot roll back.
        """
        with contextlib.suppress(duckdb.Error):
            self._engine.rollback()
        self._engine.close()


def _extension_file() -> Path:
    """The extension that PyPI brings, so that nothing is downloaded; its version is DuckDB's."""
    package = importlib.util.find_spec(f"duckdb_extension_{_EXTENSION}")
    folder = Path(package.origin).parent if package and package.origin else Path()
    file = folder / "extensions" / f"v{duckdb.__version__}" / f"{_EXTENSION}.duckdb_extension"
    if not file.is_file():
        raise SetupError(
            f"DuckDB {duckdb.__version__} has no {_EXTENSION} of its own version here: install "
            f"duckdb-extension-postgres-scanner=={duckdb.__version__}"
        )
    return file


def _option(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _quoted(value: str) -> str:
    """Quote a value of libpq's connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
