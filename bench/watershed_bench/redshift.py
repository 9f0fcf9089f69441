"""Into Redshift: the same rows as Singer messages, through our target and a published one."""

import json
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

import boto3  # type: ignore[import-untyped]  # it ships no types
import duckdb

from redshift_standin.standin import Standin
from watershed_bench.measure import Command
from watershed_bench.routes import PROGRAMS, Route, environment, locked_version, login
from watershed_bench.sources import Source
from watershed_servers import LoopbackServer, PostgresDatabase

BUCKET = "bench"
SCHEMA = "raw_bench"
STREAM_SCHEMA = "bench"
ROLE = "arn:aws:iam::123456789012:role/loader"
KEYS = {
    "AWS_ACCESS_KEY_ID": "emulated",
    "AWS_SECRET_ACCESS_KEY": "emulated",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""The emulated S3 asks for some and checks none."""
PROPERTIES = {
    "id": {"type": ["integer", "null"]},
    "amount": {
        "type": ["string", "null"],
        "format": "singer.decimal",
        "precision": 12,
        "scale": 2,
    },
    "updated_at": {"type": ["string", "null"], "format": "date-time"},
    "created_at": {
        "type": ["string", "null"],
        "format": "date-time",
        "x-sql-datatype": "timestamp",
    },
    "order_date": {"type": ["string", "null"], "format": "date"},
    "is_paid": {"type": ["boolean", "null"]},
    "score": {"type": ["number", "null"]},
    "note": {"type": ["string", "null"]},
    "qty": {"type": ["integer", "null"], "minimum": -(2**31), "maximum": 2**31 - 1},
    "coupon": {"type": ["string", "null"]},
}
NUMBERS = {"amount": {"type": ["number", "null"]}}
"""What other people's taps say in a record's place: to their targets the above would be a text."""
DOCUMENT = {"uid": {"type": ["string", "null"], "format": "uuid"}, "meta": {"type": "object"}}
"""What a table of ``documents`` has beside; it cannot travel as Parquet."""
ROWS = """
select
    9007199254740992 + n as id,
    cast((n * 7919) % 9999999 / 100 as decimal(12, 2)) as amount,
    timestamptz '2024-01-01 00:00:00+00' + to_microseconds(n * 1000000 + n * 7919 % 1000000)
        as updated_at,
    timestamp '2024-01-01 00:00:00' + to_seconds(n) as created_at,
    date '2024-01-01' + cast(n // 86400 as integer) as order_date,
    n % 10 < 7 as is_paid,
    sin(n) * 1000000 as score,
    md5(n::varchar) || ' naïve ☃ ' || md5((n * 7)::varchar) || substr(md5((n * 3)::varchar), 1, 8)
        as note,
    cast(n % 100 as integer) as qty,
    case when n % 5 < 3 then 'C' || n % 5000 end as coupon{more}
from range(1, {rows} + 1) as numbers(n)
"""
MORE = """,
    cast(md5(n::varchar) as uuid) as uid,
    json_object('k', n % 1000, 'src', 'web', 'v', n % 997 / 8) as meta"""
RECORDS_AT_ONCE = 10_000


class Redshift(Source):
    """The stand-in, and what is loaded: per table, files of messages as a tap would send them."""

    name = "redshift"
    counts_server = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.standin = Standin(folder / "redshift", is_throwaway=True)

    def __enter__(self) -> Self:
        """Start the stand-in; its S3 is empty."""
        self.standin.start()
        self.s3.create_bucket(Bucket=BUCKET)
        return self

    def __exit__(self, *_: object) -> None:
        self.standin.stop()

    @property
    def server(self) -> LoopbackServer:  # type: ignore[override]  # it is one of three
        """What is connected to."""
        return self.standin.proxy

    @property
    def database(self) -> PostgresDatabase:
        """How the routes log in."""
        standin = self.standin
        return PostgresDatabase(
            port=standin.port,
            user=standin.user,
            password=standin.password,
            dbname=standin.database,
            ca_file=standin.ca_file,
        )

    @property
    def s3(self) -> Any:  # noqa: ANN401  # boto3's client has no type
        """A client of its S3."""
        return boto3.client(
            "s3",
            endpoint_url=self.standin.s3_endpoint,
            aws_access_key_id="emulated",
            aws_secret_access_key="emulated",  # noqa: S106  # nobody checks it
            region_name="us-east-1",
        )

    def messages(self, table: str, kind: str) -> Path:
        """Where the messages of a table are: ``batch``, ``records``, or ``unchanged``."""
        file = self.folder / "messages" / table / f"{kind}.singer"
        if kind == "records" and not file.exists():
            self._write_records(file)
        return file

    def documents(self, rows: int) -> str:
        """Return a table that has a UUID and a document beside."""
        return self._ensure(f"documents_{rows}", rows)

    def _has(self, table: str) -> bool:
        return self.messages(table, "unchanged").exists()  # it is written last

    def _make(self, table: str, rows: int) -> None:
        folder = self.messages(table, "batch").parent
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        is_plain = table.startswith("orders")
        query = ROWS.format(rows=rows, more="" if is_plain else MORE)
        properties = PROPERTIES if is_plain else {**PROPERTIES, **DOCUMENT}
        file = folder / "rows.parquet"
        stream = f"{STREAM_SCHEMA}-{table}"
        schema = _schema(stream, properties)
        batch = _line(
            type="BATCH", stream=stream, encoding={"format": "parquet"}, manifest=[f"file://{file}"]
        )
        state = _line(type="STATE", value={"bookmarks": {stream: {"rows": rows}}})
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(
                f"copy ({query}) to '{file}' (format parquet, compression uncompressed)"
            )
        self.messages(table, "batch").write_text(schema + batch + state)
        self.messages(table, "unchanged").write_text(schema + state)

    def _write_records(self, file: Path) -> None:
        """Write the rows of the table's Parquet as records."""
        schema, _, state = map(json.loads, file.with_name("batch.singer").read_text().splitlines())
        schema["schema"]["properties"] |= NUMBERS
        stream = schema["stream"]
        partial = file.with_suffix(".partial")
        with duckdb.connect() as connection, partial.open("w") as records:
            connection.execute("set TimeZone = 'UTC'")
            records.write(_line(**schema))
            found = connection.execute(
                f"select to_json(r) from (from '{file.with_name('rows.parquet')}' "
                "select * replace (strftime(updated_at, '%Y-%m-%dT%H:%M:%S.%f') as updated_at, "
                "strftime(created_at, '%Y-%m-%dT%H:%M:%S') as created_at)) as r"
            )
            while chunk := found.fetchmany(RECORDS_AT_ONCE):
                records.writelines(
                    f'{{"type": "RECORD", "stream": "{stream}", "record": {record}}}\n'
                    for (record,) in chunk
                )
            records.write(_line(**state))
        partial.rename(file)

    def forget(self) -> None:
        """Drop what was loaded, and the ledger of it."""
        with self.database.connect(autocommit=True) as connection:
            for schema in (SCHEMA, "ops"):
                connection.execute(f"drop schema if exists {schema} cascade")

    def count(self, table: str) -> int:
        """Count what arrived."""
        with self.database.connect(autocommit=True) as connection:
            row = connection.execute(f"select count(*) from {SCHEMA}.{table}").fetchone()
        return int(row[0]) if row else 0


def _schema(stream: str, properties: dict[str, Any]) -> str:
    return _line(
        type="SCHEMA", stream=stream, schema={"properties": properties}, key_properties=["id"]
    )


def _line(**message: object) -> str:
    return json.dumps(message) + "\n"


class IntoRedshift(Route):
    """A target that reads a file of messages."""

    source_names = ("redshift",)
    source: Redshift
    kind: ClassVar[str]

    def clear(self) -> None:
        """Begin with no table."""
        super().clear()
        self.source.forget()

    def arrived(self, table: str) -> int:
        """Count them."""
        return self.source.count(table)

    def piped(self, table: str, program: Sequence[str | Path], config: dict[str, Any]) -> Command:
        """Tell how to send the table's messages to a program."""
        file = self.folder / "config.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config))
        arguments = [*program, "--config", file]
        messages = self.source.messages(table, self.kind)
        variables = {
            **login(self.source),
            **KEYS,
            "HOME": str(self.folder),
            "SSL_CERT_FILE": str(self.source.ca_file),
        }
        shell = ["/bin/sh", "-c", 'messages=$1; shift; exec "$@" < "$messages"', "sh"]
        return Command([*shell, messages, *arguments], variables, self.folder)


class WatershedIntoRedshift(IntoRedshift):
    """Ours, of the files that our taps write."""

    name = "watershed"
    kind = "batch"
    tls = "verified: authority and host name"
    note = "the target alone, of BATCH messages"

    @property
    def version(self) -> str:
        """Ours."""
        return f"{version('watershed-target-redshift')} (DuckDB {version('duckdb')})"

    @property
    def shown(self) -> str:
        """The command."""
        return "`watershed-target-redshift < MESSAGES`, without Meltano"

    def install(self) -> None:
        """Nothing: it is in the project's environment."""

    def config(self) -> dict[str, Any]:
        """As `environments/prod.meltano.yml` has it, but for IAM."""
        database = self.source.database
        return {
            "host": database.host,
            "port": database.port,
            "database": database.dbname,
            "user": database.user,
            "password": database.password,
            "staging_bucket": BUCKET,
            "aws_endpoint_url": self.source.standin.s3_endpoint,
            "copy_role": ROLE,
            "default_target_schema": SCHEMA,
            "state_id": "bench",
            "spool_directory": str(self.folder / "batches"),
        }

    def command(self, table: str) -> Command:
        """Tell how to load ``table``."""
        program = self.places.repository / ".venv" / "bin" / "watershed-target-redshift"
        return self.piped(table, [program], self.config())

    def timed(self, table: str, kind: str, seconds: Path) -> Command:
        """Tell how to load messages of ``table``, and to note where the time goes."""
        python = self.places.repository / ".venv" / "bin" / "python"
        self.kind = kind  # type: ignore[misc]  # of this object alone
        return self.piped(table, [python, PROGRAMS / "timed_redshift.py", seconds], self.config())


class WatershedRecordsIntoRedshift(WatershedIntoRedshift):
    """Ours, of the records that other people's taps send."""

    name = "watershed-records"
    kind = "records"
    share = 0.0125
    note = "the target alone, of RECORD messages"


class PipelineWiseIntoRedshift(IntoRedshift):
    """PipelineWise's, of the same records."""

    name = "singer"
    kind = "records"
    share = 0.0125
    quick_rounds = 1
    tls = "none verified: it has no setting for it"
    note = (
        "the target alone, of RECORD messages; it reads no BATCH. Of its pins of 2020 psycopg2 and "
        "boto3 are newer here, and `collections.MutableMapping` is back: Python 3.11 wants that. "
        "The stand-in takes no zone in a timestamp without one: the records have none"
    )

    @property
    def version(self) -> str:
        """Of the target."""
        package = "pipelinewise-target-redshift"
        return f"{package} {locked_version('singer-target-redshift', package)}"

    @property
    def shown(self) -> str:
        """The command."""
        return "`target-redshift < MESSAGES`, its defaults, `compression: gzip`, `slices: 4`"

    def install(self) -> None:
        """Make its environment."""
        self._bin = environment(self.places, "singer-target-redshift")

    def command(self, table: str) -> Command:
        """Tell how to load ``table``."""
        database = self.source.database
        config = {
            "host": database.host,
            "port": database.port,
            "dbname": database.dbname,
            "user": database.user,
            "password": database.password,
            "s3_bucket": BUCKET,
            "s3_key_prefix": "pipelinewise/",
            "aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"],
            "aws_redshift_copy_role_arn": ROLE,
            "default_target_schema": SCHEMA,
            "compression": "gzip",
            "slices": 4,
            "disable_table_cache": True,
        }
        program = [self._bin / "python", PROGRAMS / "pipelinewise_redshift.py"]
        command = self.piped(table, program, config)
        endpoint = {"AWS_ENDPOINT_URL": self.source.standin.s3_endpoint}
        return Command(command.arguments, {**command.environment, **endpoint}, command.folder)
