"""Copies a table into a DuckDB file, by DuckDB's own scanner and nothing else: the limit.

Usage: duckdb_limit.py FILE TABLE; how to log in stands in the environment.
"""

import importlib.util
import os
import sys
from pathlib import Path

import duckdb

LOGIN = {
    "postgres": (
        "host={HOST} port={PORT} dbname={DATABASE} user={USER} password={PASSWORD} "
        "sslmode=verify-full sslrootcert={CA}"
    ),
    "mysql": (
        "host={HOST} port={PORT} database={DATABASE} user={USER} password={PASSWORD} "
        "ssl_mode=verify_identity ssl_ca={CA}"
    ),
}


def main() -> None:
    """Attach, and create the table as a query of the source's."""
    file, table = sys.argv[1:]
    kind = os.environ["BENCH_KIND"]
    scanner = f"{kind}_scanner"
    package = importlib.util.find_spec(f"duckdb_extension_{scanner}")
    if package is None or package.origin is None:
        sys.exit(f"{scanner} is not installed")
    folder = Path(package.origin).parent / "extensions" / f"v{duckdb.__version__}"
    variables = {key.removeprefix("BENCH_"): text for key, text in os.environ.items()}
    connection = duckdb.connect(file)
    connection.execute(f"load '{folder / scanner}.duckdb_extension'")
    connection.execute("set preserve_insertion_order = false")
    login = LOGIN[kind].format(**variables)
    connection.execute(f"attach '{login}' as source (type {kind}, read_only)")
    origin = f'source.{variables["SCHEMA"]}."{table}"'
    connection.execute(f'create table "{table}" as from {origin}')
    connection.close()


if __name__ == "__main__":
    main()
