"""S3 with files in it, and a PostgreSQL that loads what a COPY yields."""

import io
import json
import re
import secrets

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redshift_standin.object_store import connect, running_object_store
from redshift_standin.transfer import TargetColumn, parse_copy, read_copy
from watershed_servers.pytest_plugin import temporary_database


@pytest.fixture(scope="session")
def object_store(tmp_path_factory):
    """The address of an S3 of this test process."""
    with running_object_store(tmp_path_factory.mktemp("object_store")) as address:
        yield address


@pytest.fixture(scope="session")
def s3(object_store):
    """A client of it."""
    client = connect(object_store)
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
def warehouse(postgres_server):
    """A connection to a database in which tests make temporary tables."""
    with (
        temporary_database(postgres_server) as database,
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
