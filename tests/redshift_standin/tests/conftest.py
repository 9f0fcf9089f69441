"""The stand-in as its users reach it; S3 with files in it; a PostgreSQL that loads CSV."""

import io
import json
import re
import secrets
import warnings

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector

from redshift_standin.object_store import connect
from redshift_standin.transfer import TargetColumn, parse_copy, read_copy
from watershed_servers.pytest_plugin import temporary_database


@pytest.fixture(scope="session")
def s3(redshift):
    """A client of the stand-in's S3."""
    client = connect(redshift.s3_endpoint)
    yield client
    client.close()


class Bucket:
    """A bucket of a test's own."""

    def __init__(self, client):
        self.s3 = client
        self.name = f"test-{secrets.token_hex(6)}"
        client.create_bucket(Bucket=self.name)

    def url(self, key=""):
        return f"s3://{self.name}/{key}"

    def put(self, key, body):
        data = body.encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.name, Key=key, Body=data)
        return self.url(key)

    def put_parquet(self, key, table, **options):
        file = io.BytesIO()
        pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), file, **options)
        return self.put(key, file.getvalue())

    def put_manifest(self, key, *entries):
        return self.put(key, json.dumps({"entries": entries}))

    def get(self, key):
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def list_keys(self):
        listed = self.s3.list_objects_v2(Bucket=self.name)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def read(self, key, options, columns, report=None):
        """Begin a COPY into a table of ``{"id": "integer", "name": "text not null"}``.

        ``options`` begin with the list of columns, if there is one; a right is added if none is.
        """
        names, bracket, rest = options.rpartition(")")
        right = "" if re.search("iam_role|access_key", rest) else "iam_role default"
        statement = f"copy s.loaded {names}{bracket} from '{self.url(key)}' {right} {rest}"
        targets = [
            TargetColumn(name, type_.removesuffix(" not null"), not type_.endswith(" not null"))
            for name, type_ in columns.items()
        ]
        return read_copy(parse_copy(statement), targets, self.s3, report)

    def copy(self, key, options, columns, report=None):
        """Run such a COPY; give its CSV."""
        return b"".join(self.read(key, options, columns, report))


@pytest.fixture
def bucket(s3):
    """An empty bucket."""
    return Bucket(s3)


@pytest.fixture(scope="session")
def warehouse(redshift):
    """A connection to a plain database, in which tests make temporary tables."""
    with (
        temporary_database(redshift.postgres) as database,
        database.connect(autocommit=True) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        yield connection


@pytest.fixture
def load(warehouse):
    """Load CSV into a table of these columns; give back its rows."""

    def load_rows(lines, columns):
        name = f"loaded_{secrets.token_hex(6)}"
        declared = ", ".join(f'"{column}" {type_}' for column, type_ in columns.items())
        warehouse.execute(f"create temporary table {name} ({declared})")
        with warehouse.cursor() as cursor:
            with cursor.copy(f"copy {name} from stdin (format csv)") as copy:
                copy.write(lines)
            rows = cursor.execute(f"select * from {name}").fetchall()
        warehouse.execute(f"drop table {name}")
        return rows

    return load_rows


@pytest.fixture
def copied(bucket, load):
    """Run a COPY into a real table; give back its rows."""

    def copied_rows(key, options, columns, report=None):
        return load(bucket.copy(key, options, columns, report), columns)

    return copied_rows


def connect_with_psycopg(standin, **changes):
    settings = {
        "host": standin.host,
        "port": standin.port,
        "user": standin.user,
        "password": standin.password,
        "dbname": standin.database,
        "sslmode": "verify-full",
        "sslrootcert": str(standin.ca_file),
    }
    return psycopg.connect(**settings | changes)


def connect_with_amazons_driver(standin, monkeypatch, **changes):
    """It takes no CA file, only those that Python trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(standin.ca_file))
    settings = {
        "host": standin.host,
        "port": standin.port,
        "user": standin.user,
        "password": standin.password,
        "database": standin.database,
        "sslmode": "verify-full",
    }
    with warnings.catch_warnings():
        # It makes its TLS context in a way that Python will give up.
        warnings.simplefilter("ignore", DeprecationWarning)
        return redshift_connector.connect(**settings | changes)


@pytest.fixture
def schema(redshift):
    """A schema of a test's own."""
    name = f"test_{secrets.token_hex(6)}"
    with connect_with_psycopg(redshift, autocommit=True) as connection:
        connection.execute(f"create schema {name}")
        yield name
        connection.execute(f"drop schema {name} cascade")


@pytest.fixture
def cluster(redshift, schema):
    """A connection in which every statement commits and names are of the test's schema."""
    with connect_with_psycopg(redshift, autocommit=True) as connection:
        connection.execute(f"set search_path to {schema}")
        yield connection


@pytest.fixture
def ask(cluster):
    """Run a statement; give its rows."""

    def ask_cluster(statement, *parameters):
        cursor = cluster.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else None

    return ask_cluster


@pytest.fixture
def amazons_driver(redshift, schema, monkeypatch):
    """A connection by redshift_connector, which begins transactions by itself."""
    with connect_with_amazons_driver(redshift, monkeypatch) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"set search_path to {schema}")
        connection.commit()
        yield connection
        connection.rollback()


@pytest.fixture(scope="session")
def connect_by_psycopg():
    return connect_with_psycopg


@pytest.fixture(scope="session")
def connect_by_amazons_driver():
    return connect_with_amazons_driver
