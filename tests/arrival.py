"""Compares the CRM and the website with the warehouse, value by value, by code of its own.

Each function returns differences as texts. A value that is NULL in the warehouse and something at
the source is no difference where its original stands in ``ops.quarantine``.
"""

import datetime as dt
import json
import ssl
from decimal import Decimal

import bson
import pymongo
import pymysql
from bson import json_util

CRM_READ = {
    "bit": "cast(`{}` + 0 as char)",
    "float": "cast(cast(`{}` as double) as char)",
    **dict.fromkeys(("binary", "varbinary", "blob", "longblob"), "hex(`{}`)"),
}


def connect_crm(env):
    return pymysql.connect(
        host=env["CRM_MYSQL_HOST"],
        port=int(env["CRM_MYSQL_PORT"]),
        user=env["CRM_MYSQL_USER"],
        password=env["CRM_MYSQL_PASSWORD"],
        database=env["CRM_MYSQL_DATABASE"],
        ssl=ssl.create_default_context(cafile=env["CRM_MYSQL_SSL_CA"]),
        init_command="set time_zone = '+00:00'",
    )


def connect_web(env):
    return pymongo.MongoClient(
        env["WEB_MONGODB_HOST"],
        int(env["WEB_MONGODB_PORT"]),
        username=env["WEB_MONGODB_USER"],
        password=env["WEB_MONGODB_PASSWORD"],
        authSource="admin",
        tls=True,
        tlsCAFile=env["WEB_MONGODB_TLS_CA"],
        tz_aware=True,
        directConnection=True,
    )


def crm_differences(env, warehouse):
    """Compare every table of the CRM; also return the number of rows compared."""
    differences, count = [], 0
    with connect_crm(env) as connection:
        cursor = connection.cursor()
        cursor.execute("show tables")
        for (table,) in cursor.fetchall():
            cursor.execute(
                "select column_name, data_type, column_key = 'PRI' from information_schema.columns "
                "where table_schema = database() and table_name = %s",
                [table],
            )
            columns = cursor.fetchall()
            listed = ", ".join(
                CRM_READ.get(kind, "cast(`{}` as char)").format(name) for name, kind, _ in columns
            )
            cursor.execute(f"select {listed} from `{table}`")
            names = [name.lower() for name, _, _ in columns]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            keys = [name.lower() for name, _, is_key in columns if is_key]
            differences += compare(warehouse, "raw_crm", table, keys, rows, crm_value)
            count += len(rows)
    return differences, count


def web_differences(env, warehouse):
    """Compare every collection of the website; also return the number of documents compared."""
    differences, count = [], 0
    with connect_web(env) as client:
        database = client[env["WEB_MONGODB_DATABASE"]]
        for name in database.list_collection_names():
            rows = []
            for document in database[name].find():
                row = {field.lower(): value for field, value in document.items()}
                row["_id"], row["_id_type"] = web_id(document["_id"])
                rows.append(row)
            keys = ["_id", "_id_type"]
            differences += compare(warehouse, "raw_web", name, keys, rows, web_value)
            count += len(rows)
    return differences, count


def compare(warehouse, schema, table, keys, rows, value_of):  # noqa: PLR0913, PLR0917
    """Compare the rows of a source with a raw table, by key."""
    types = dict(
        warehouse.execute(
            "select column_name, data_type from duckdb_columns() where schema_name = ? "
            "and table_name = ? and not starts_with(column_name, '_sdc_')",
            [schema, table.lower()],
        ).fetchall()
    )
    listed = ", ".join(
        f'"{name}"::varchar' if of == "JSON" else f'"{name}"' for name, of in types.items()
    )
    found = warehouse.execute(
        f'select {listed} from {schema}."{table.lower()}" where _sdc_deleted_at is null'
    ).fetchall()
    arrived = {}
    for row in found:
        named = {
            name: comparable(value, of)
            for (name, of), value in zip(types.items(), row, strict=True)
        }
        arrived[tuple(named[key] for key in keys)] = named
    aside = set(
        warehouse.execute(
            "select record_key, column_name from ops.quarantine where target_schema = ? "
            "and table_name = ?",
            [schema, table.lower()],
        ).fetchall()
    )
    aside = {(tuple(map(str, json.loads(key).values())), column) for key, column in aside}
    differences = []
    if len(arrived) != len(rows):
        differences.append(f"{schema}.{table}: {len(rows)} rows at the source, {len(arrived)} here")
    for row in rows:
        key = tuple(comparable(value_of(row[name], types[name]), types[name]) for name in keys)
        here = arrived.get(key)
        if here is None:
            differences.append(f"{schema}.{table} {key}: missing")
            continue
        for name, value in row.items():
            if name not in types:
                differences.append(f"{schema}.{table}: no column {name}")
                continue
            expected = comparable(value_of(value, types[name]), types[name])
            is_aside = (tuple(map(str, key)), name) in aside and here[name] is None
            if expected != here[name] and not is_aside:
                differences.append(
                    f"{schema}.{table} {key} {name}: {expected!r} there, {here[name]!r} here"
                )
            elif expected is None and value is not None and types[name] != "JSON" and not is_aside:
                differences.append(f"{schema}.{table} {key} {name}: {value!r} was lost")
    return differences


def comparable(value, of):
    """Give a value one form: JSON by its content, whole numbers and decimals by their digits."""
    if value is None:
        return None
    if of == "JSON":
        return json.dumps(json.loads(value, parse_float=str, parse_int=str), sort_keys=True)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return "NaN" if value != value else value  # noqa: PLR0124  # a NaN differs from itself


def crm_value(text, of):
    """Read MariaDB's own text of a value as a column of a type holds it; None where it cannot."""
    if text is None or of in {"JSON", "VARCHAR"}:
        return text
    if of == "BLOB":
        return bytes.fromhex(text)
    if of == "DOUBLE":
        return float(text)
    if of.startswith(("DECIMAL", "DATE", "TIMESTAMP")):
        try:
            return read_number_or_time(text, of)
        except ValueError:
            return None
    return Decimal(text)


def read_number_or_time(text, of):
    if of.startswith("DECIMAL"):
        return Decimal(text)
    if of == "DATE":
        return dt.date.fromisoformat(text)
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=dt.UTC) if of.endswith("ZONE") else moment


def web_id(value):
    """Write an ``_id`` as text, with MongoDB's name of its type."""
    if isinstance(value, bson.ObjectId):
        return str(value), "objectId"
    if isinstance(value, str):
        return value, "string"
    if isinstance(value, int):
        return str(int(value)), "long" if isinstance(value, bson.Int64) else "int"
    return json.dumps(json.loads(canonical(value)), separators=(",", ":")), {
        dict: "object",
        float: "double",
        dt.datetime: "date",
    }[type(value)]


def web_value(value, of):
    """Read a BSON value as a column of a type holds it."""
    if of == "JSON":
        return canonical(value)
    if isinstance(value, bson.Decimal128):
        return value.to_decimal()
    if isinstance(value, bson.ObjectId):
        return str(value)
    return value


def canonical(value):
    return json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
