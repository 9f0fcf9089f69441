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
    "loaded_at": "the same",
    "assigned_at": "the same, and built by one",
    "_sdc_sequence": "the same",
    "_sdc_table_version": "the same",
    "_sdc_deleted_at": "the time when the run noticed; whether it is set is compared",
}
"""Columns whose values may differ, and why."""


LEFT_OUT = {"staging.stg_ops__loads": "each warehouse has a ledger of its own runs"}
"""Relations that are not compared, and why."""
SCHEMAS = ("raw_shop", "raw_crm", "raw_web", "staging", "intermediate", "marts")
"""What is compared."""
COMPUTED = ("staging", "intermediate")
"""Where engines give what is computed types of their own: there only values are compared."""


def differences(duckdb, redshift):
    """Compare two warehouses.

    Args:
        duckdb: runs a query and returns its rows.
        redshift: the same.

    Returns:
        A line for each difference, an empty relation among them; and how many relations there were.
    """
    found, compared = [], 0
    for schema in SCHEMAS:
        ours = _columns(duckdb(_DUCKDB_COLUMNS.format(schema)))
        theirs = _columns(redshift(_REDSHIFT_COLUMNS.format(schema)))
        if schema != "staging":  # late-binding views are in no catalog of columns
            found += [f"{schema}.{name}: missing" for name in ours.keys() ^ theirs.keys()]
        for table, columns in ours.items():
            relation = f"{schema}.{table}"
            if relation in LEFT_OUT:
                continue
            compared += 1
            expected = {name: translated(of) for name, of in columns.items()}
            if schema not in COMPUTED and expected != theirs.get(table):
                found.append(f"{relation}: {expected} and {theirs.get(table)}")
            found += _differing_rows(relation, columns, duckdb, redshift)
    return found, compared


def _differing_rows(relation, columns, duckdb, redshift):
    left, right = (_rows(execute, relation, columns) for execute in (duckdb, redshift))
    if not left:
        return [f"{relation}: empty"]
    return [
        f"{relation}: only {engine} has {row}"
        for engine, rows in (("DuckDB", left - right), ("Redshift", right - left))
        for row in list(rows)[:1]
    ]


_DUCKDB_COLUMNS = (
    "select table_name, column_name, data_type from duckdb_columns() where schema_name = '{}' "
    "order by table_name, column_index"
)
_REDSHIFT_COLUMNS = (
    "select table_name, column_name, case when data_type = 'numeric' then "
    "'numeric(' || numeric_precision || ',' || numeric_scale || ')' else data_type end "
    "from svv_columns where table_schema = '{}' order by table_name, ordinal_position"
)


def _columns(rows):
    found = collections.defaultdict(dict)
    for table, column, of in rows:
        found[table][column] = of
    return dict(found)


def translated(of):
    """Name Redshift's type for a type of DuckDB."""
    return of.replace("DECIMAL", "numeric") if of.startswith("DECIMAL") else TYPES.get(of, of)


def _rows(execute, relation, columns):
    """All rows, comparable, with how often each occurs."""
    compared = [name for name in columns if name not in OF_THE_RUN]
    listed = [f'"{name}"' for name in compared]
    kinds = [columns[name] for name in compared]
    if "_sdc_deleted_at" in columns:
        listed.append("_sdc_deleted_at is not null")
        kinds.append("BOOLEAN")
    return collections.Counter(
        tuple(comparable(value, kind) for value, kind in zip(row, kinds, strict=True))
        for row in execute(f"select {', '.join(listed)} from {relation}")
    )


def comparable(value, kind):
    """One form for a value, whichever driver brought it."""
    if value is None or isinstance(value, bool):
        return value
    if kind in {"JSON", "super"}:
        return json.dumps(_exact(json.loads(value, parse_float=decimal.Decimal)), sort_keys=True)
    if isinstance(value, int | decimal.Decimal):
        return str(decimal.Decimal(value).normalize())
    if isinstance(value, bytes):
        return "\\x" + value.hex()  # as Redshift's driver brings it
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
