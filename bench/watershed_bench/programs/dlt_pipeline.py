"""Loads a table into a DuckDB file by dlt, tuned as its documentation advises.

Usage: dlt_pipeline.py BACKEND FILE TABLE FOLDER; how to log in stands in the environment.
"""

import os
import sys
from typing import Any
from urllib.parse import urlencode

import dlt
from dlt.sources.sql_database import sql_table

CHUNK_ROWS = 100_000
DRIVERS = {"postgres": "postgresql+psycopg2", "mysql": "mysql+pymysql"}
VERIFIED = {
    "postgres": lambda authority: {"sslmode": "verify-full", "sslrootcert": authority},
    "mysql": lambda authority: {"ssl_ca": authority, "ssl_check_hostname": "true"},
}
# The most that connectorx checks: of PostgreSQL's certificate who signed it, not for which host.
CONNECTORX = {
    "postgres": lambda authority: {"sslmode": "require", "sslrootcert": authority},
    "mysql": lambda authority: {"ssl-mode": "VERIFY_IDENTITY", "ssl-ca": authority},
}
SCHEMES = {"postgres": "postgresql", "mysql": "mysql"}


def main() -> None:
    """Replace the table in ``FILE``, by way of Parquet."""
    backend, file, table, folder = sys.argv[1:]
    kind, authority = os.environ["BENCH_KIND"], os.environ["BENCH_CA"]
    address = ("{BENCH_USER}:{BENCH_PASSWORD}@{BENCH_HOST}:{BENCH_PORT}/{BENCH_DATABASE}").format(
        **os.environ
    )
    options: dict[str, Any] = {}
    if backend == "connectorx":
        options["backend_kwargs"] = {
            "conn": f"{SCHEMES[kind]}://{address}?{urlencode(CONNECTORX[kind](authority))}",
            "return_type": "arrow_stream",
            "batch_size": CHUNK_ROWS,
        }
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.duckdb(file),
        dataset_name="raw",
        pipelines_dir=folder,
    )
    resource = sql_table(
        f"{DRIVERS[kind]}://{address}?{urlencode(VERIFIED[kind](authority))}",
        table=table,
        schema=os.environ["BENCH_SCHEMA"],
        backend=backend,
        chunk_size=CHUNK_ROWS,
        reflection_level="full_with_precision",
        **options,
    )
    pipeline.run(resource, write_disposition="replace", loader_file_format="parquet")


if __name__ == "__main__":
    main()
