"""The same messages in the stand-in of Redshift: what its tables hold, as DuckDB would write it."""

import io
import secrets
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import boto3
import redshift_connector

from redshift_standin.standin import Standin
from watershed_load_plan.duckdb_types import to_duckdb
from watershed_load_plan.redshift_types import from_redshift
from watershed_tap.testing import Output
from watershed_target_redshift.target import TargetRedshift

_TEXTS = {
    "boolean": "case when {0} then 'true' when not {0} then 'false' end",
    "super": "json_serialize({0})",
    "binary varying": "{0}",
}
"""A value as text, where a cast does not write it; the driver gives bytes as hexadecimal digits."""
_NAMES = {
    "character varying": "varchar",
    "binary varying": "varbyte",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
}


class RedshiftTables:
    """Raw tables of a schema of their own.

    Args:
        standin: where they are.
        folder: for rows on their way.
    """

    def __init__(self, standin: Standin, folder: Path) -> None:
        name = secrets.token_hex(4)
        self._schema = f"raw_{name}"
        self._state_id = f"types:{name}"
        self._config = {
            "host": standin.host,
            "port": standin.port,
            "database": standin.database,
            "user": standin.user,
            "password": standin.password,
            "staging_bucket": f"types-{name}",
            "aws_endpoint_url": standin.s3_endpoint,
            "default_target_schema": self._schema,
            "state_id": self._state_id,
            "quarantine_limit": 1_000_000,
            "spool_directory": str(folder),
        }
        client = boto3.client("s3", endpoint_url=standin.s3_endpoint)
        client.create_bucket(Bucket=self._config["staging_bucket"])
        client.close()
        self._connection = redshift_connector.connect(
            **{name: self._config[name] for name in ("host", "port", "database")},
            **{name: self._config[name] for name in ("user", "password")},
            sslmode="verify-full",
            application_name="tests",
        )
        self._connection.autocommit = True

    def close(self) -> None:
        self._ask(f"drop schema if exists {self._schema} cascade")
        self._connection.close()

    def load(self, output: Output) -> None:
        with redirect_stdout(io.StringIO()):
            TargetRedshift(config=self._config).listen(io.StringIO(output.stdout))

    def types(self, table: str) -> dict[str, tuple[str, str]]:
        """Of each column: its type in Redshift's words, and the one of DuckDB that is the same."""
        rows = self._ask(
            "select column_name, data_type, character_maximum_length, numeric_precision, "
            "numeric_scale from svv_columns where table_schema = %s and table_name = %s",
            self._schema,
            table,
        )
        return {name: (_name(*of), to_duckdb(from_redshift(*of))) for name, *of in rows}

    def texts(self, table: str, columns: list[str], key: str) -> list[tuple[str | None, ...]]:
        """All rows by key."""
        declared = dict(
            self._ask(
                "select column_name, data_type from svv_columns "
                "where table_schema = %s and table_name = %s",
                self._schema,
                table,
            )
        )
        listed = ", ".join(
            _TEXTS.get(declared[name], "cast({} as varchar(65535))").format(name)
            for name in columns
        )
        rows = self._ask(
            f'select {listed} from {self._schema}.{table} order by cast("{key}" as int)'
        )
        is_binary = [declared[name] == "binary varying" for name in columns]
        return [
            tuple(
                _digits(value) if is_bytes and value is not None else value
                for value, is_bytes in zip(row, is_binary, strict=True)
            )
            for row in rows
        ]

    def aside(self, table: str) -> list[tuple[Any, ...]]:
        """Record keys, columns and values that were set aside."""
        return self._ask(
            "select record_key, column_name, value from ops.quarantine "
            "where state_id = %s and table_name = %s",
            self._state_id,
            table,
        )

    def _ask(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def _digits(value: str) -> str:
    """The stand-in writes bytes as PostgreSQL does."""
    return value.removeprefix(r"\x")


def _name(name: str, length: int | None, precision: int | None, scale: int | None) -> str:
    if name == "numeric":
        return f"decimal({precision},{scale})"
    is_uuid = from_redshift(name, length, precision, scale).kind == "uuid"
    return f"varchar({length})" if is_uuid else _NAMES.get(name, name)
