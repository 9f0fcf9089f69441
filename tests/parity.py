"""Compares what two warehouses hold: Redshift's stand-in and the DuckDB file, value by value."""

import collections
import datetime as dt
import decimal
import json
import uuid

TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "BOOLEAN": "boolean",
    "DOUBLE": "double precision",
    "VARCHAR": "character varying",
    "UUID": "character varying",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "JSON": "super",
    "BLOB": "binary varying",
}
"""DuckDB's types and Redshift's for the same values; decimals are compared with their digits."""
OF_THE_RUN = {
    "_sdc_extracted_at": "each warehouse was loaded by a run of its own",
    "_sdc_received_at": "the same",
    "_sdc_batched_at": "the same",
    "_sdc_sequence": "the same",
    "_sdc_table_version": "the same",
    "_sdc_deleted_at": "the time when the run noticed; whether it is set is compared",
}
"""Columns whose values may differ, and why."""


def duckdb_columns(connection, schema):
    """Table to column to type."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = ? "
        "order by table_name, column_index",
        [schema],
    ).fetchall()
    return _nested(rows)


def redshift_columns(connection, schema):
    """The same; types as DuckDB's are translated."""
    rows = connection.execute(
        "select table_name, column_name, case when data_type = 'numeric' then "
        "'numeric(' || numeric_precision || ',' || numeric_scale || ')' else data_type end "
        f"from svv_columns where table_schema = '{schema}' order by table_name, ordinal_position"
    )
    return _nested(rows)


def translated(of):
    """Redshift's name of a DuckDB type."""
    if of.startswith("DECIMAL"):
        return of.replace("DECIMAL", "numeric")
    return TYPES[of]


def rows_of(execute, relation, columns):
    """All rows, comparable, with how often each occurs."""
    compared = [name for name in columns if name not in OF_THE_RUN]
    listed = ", ".join(f'"{name}"' for name in compared)
    if "_sdc_deleted_at" in columns:
        listed += ", _sdc_deleted_at is not null"
        compared.append("_sdc_deleted_at")
    kinds = [columns[name] for name in compared]
    return collections.Counter(
        tuple(comparable(value, kind) for value, kind in zip(row, kinds, strict=True))
        for row in execute(f"select {listed} from {relation}")
    )


def comparable(value, kind):
    """One form for a value, whichever driver brought it."""
    if value is None or isinstance(value, bool):
        return value
    if kind in {"JSON", "super"}:
        return json.dumps(_exact(json.loads(value, parse_float=decimal.Decimal)), sort_keys=True)
    if isinstance(value, int | decimal.Decimal):
        return str(decimal.Decimal(value).normalize())
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC)
    return str(value) if isinstance(value, uuid.UUID) else value


def _exact(document):
    if isinstance(document, dict):
        return {name: _exact(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_exact(value) for value in document]
    return str(document.normalize()) if isinstance(document, decimal.Decimal) else document


def _nested(rows):
    found = collections.defaultdict(dict)
    for table, column, of in rows:
        found[table][column] = of
    return dict(found)
