"""A stand-in of Redshift for all tests, a schema and a bucket for each, and messages."""

import io
import json
import secrets

import boto3
import botocore.loaders
import pytest
import redshift_connector

from redshift_standin.pytest_plugin import redshift  # noqa: F401  # a fixture
from watershed_redshift import RedshiftConnection
from watershed_target_redshift.target import TargetRedshift

SECRET_KEY = "emulated-secret-key"  # noqa: S105  # nobody checks it


def connect(standin):
    connection = redshift_connector.connect(
        host=standin.host,
        port=standin.port,
        database=standin.database,
        user=standin.user,
        password=standin.password,
        sslmode="verify-full",
        application_name="tests",  # else the driver looks through the whole stack for one
    )
    connection.autocommit = True
    return connection


class Loader:
    """Feeds messages to a target and reads what it made of them.

    Raw tables of a test lie in a schema of its own. The ledger is shared; each test has its state.
    """

    secret_key = SECRET_KEY

    def __init__(self, standin, session, folder, capsys):
        self.standin = standin
        self._session = session
        name = secrets.token_hex(4)
        self.schema = f"raw_{name}"
        self.state_id = f"test:{name}"
        self.bucket = getattr(standin, "bucket", f"test-{name}")
        self.prefix = f"{getattr(standin, 'name', 'watershed')}/{name}"
        self.spools = folder / "batches"
        self._capsys = capsys
        self.s3 = boto3.client("s3", endpoint_url=standin.s3_endpoint)
        if standin.s3_endpoint:
            self.s3.create_bucket(Bucket=self.bucket)

    @property
    def config(self):
        return {
            "host": self.standin.host,
            "port": self.standin.port,
            "database": self.standin.database,
            "user": self.standin.user,
            "password": self.standin.password,
            "staging_bucket": self.bucket,
            "staging_prefix": self.prefix,
            "aws_endpoint_url": self.standin.s3_endpoint,
            "copy_role": self.standin.environment["WATERSHED_REDSHIFT_ROLE"],
            "default_target_schema": self.schema,
            "state_id": self.state_id,
            "spool_directory": str(self.spools),
        }

    def load(self, *messages, **config):
        """Run a target over messages; return the STATEs it prints."""
        target = TargetRedshift(config={**self.config, **config})
        self._capsys.readouterr()
        target.listen(io.StringIO("".join(json.dumps(message) + "\n" for message in messages)))
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def connect(self):
        return connect(self.standin)

    def rows(self, sql):
        """Query; `{raw}` is the test's schema, `{mine}` what is true of its rows in the ledger."""
        mine = f"state_id = '{self.state_id}'"
        with self._session.cursor() as cursor:
            cursor.execute(sql.format(raw=self.schema, mine=mine))
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def one(self, sql):
        (row,) = self.rows(sql)
        return row[0] if len(row) == 1 else row

    def types(self, table):
        return dict(
            self.rows(
                "select column_name, case when character_maximum_length is null then data_type "
                "else 'varchar ' || character_maximum_length end from svv_columns "
                f"where table_schema = '{{raw}}' and table_name = '{table}'"
            )
        )

    def staged(self):
        """What lies in the bucket."""
        prefix = "" if self.standin.s3_endpoint else self.prefix
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in listed]


class Singer:
    """Writes Singer messages."""

    @staticmethod
    def schema(stream, keys=("id",), **properties):
        return {
            "type": "SCHEMA",
            "stream": stream,
            "schema": {"properties": properties},
            "key_properties": list(keys),
        }

    @staticmethod
    def record(stream, version=None, **values):
        message = {"type": "RECORD", "stream": stream, "record": values}
        return message if version is None else {**message, "version": version}

    @staticmethod
    def state(**bookmarks):
        return {"type": "STATE", "value": {"bookmarks": bookmarks}}

    @staticmethod
    def activate(stream, version):
        return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}

    @staticmethod
    def batch(stream, *files):
        manifest = [str(file) if "://" in str(file) else f"file://{file}" for file in files]
        encoding = {"format": "parquet"}
        return {"type": "BATCH", "stream": stream, "encoding": encoding, "manifest": manifest}


@pytest.fixture(scope="session")
def standin(redshift):  # noqa: F811  # the fixture
    """The stand-in, its certificate's authority known to the driver, and some AWS credentials."""
    shared = botocore.loaders.Loader()  # else each client reads AWS's description of S3 anew
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda _: shared)
        patch.setattr("watershed_target_redshift.warehouse.FIRST_PAUSE_SECONDS", 0.01)
        if redshift.ca_file:
            patch.setenv("SSL_CERT_FILE", str(redshift.ca_file))
            patch.setenv("AWS_ACCESS_KEY_ID", "AKIAEMULATED00000000")
            patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        patch.setenv("AWS_DEFAULT_REGION", redshift.environment["AWS_REGION"])
        yield redshift


@pytest.fixture(scope="session")
def session(standin):
    """A connection in which every statement commits."""
    with connect(standin) as connection:
        yield connection


@pytest.fixture
def loader(standin, session, tmp_path, capsys):
    made = Loader(standin, session, tmp_path, capsys)
    yield made
    made.rows('drop schema if exists "{raw}" cascade')
    made.s3.close()


@pytest.fixture
def asked(monkeypatch):
    """The statements that targets send from now on."""
    statements = []
    original = RedshiftConnection._run

    def noting(connection, sql, parameters):
        statements.append(sql)
        return original(connection, sql, parameters)

    monkeypatch.setattr(RedshiftConnection, "_run", noting)
    return statements


@pytest.fixture
def interfere(monkeypatch):
    """Do something before or after the first statement that begins so."""

    def interfere_with(beginning, action, *, after=False, times=1):
        original, left = RedshiftConnection._run, [times]

        def run(connection, sql, parameters):
            is_chosen = sql.startswith(beginning) and left[0] > 0
            left[0] -= is_chosen
            if is_chosen and not after:
                action(connection)
            result = original(connection, sql, parameters)
            if is_chosen and after:
                action(connection)
            return result

        monkeypatch.setattr(RedshiftConnection, "_run", run)

    return interfere_with


@pytest.fixture
def singer():
    return Singer()
