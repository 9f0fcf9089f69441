"""Our files are Singer's: a target from PyPI, which knows nothing of us, loads them as they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watershed_servers import PostgresServer
from watershed_servers.pytest_plugin import temporary_database
from watershed_tap.testing import Runner
from watershed_tap_mysql.tap import TapMySQL
from watershed_tap_postgres.tap import TapPostgres

pytestmark = pytest.mark.extract


def login(database):
    names = ("host", "port", "user", "password")
    return {name: getattr(database, name) for name in names} | {"database": database.dbname}


@pytest.fixture(scope="session")
def target_postgres(tmp_path_factory, repository):
    """The foreign target, in an environment of its own, as its lock says."""
    folder = tmp_path_factory.mktemp("target-postgres")
    uv, lock = Path(sys.prefix, "bin", "uv"), repository / "requirements" / "target-postgres.lock"
    for arguments in (
        ["venv", "--python", sys.executable, folder],
        ["pip", "install", "--python", folder, "--no-deps", "--require-hashes", "-r", lock],
    ):
        # How this machine reaches the package index stands somewhere in our environment.
        subprocess.run([uv, "--quiet", *arguments], check=True, env=os.environ)
    return folder / "bin" / "target-postgres"


@pytest.fixture
def elsewhere(postgres_server: PostgresServer):
    """Another database of the server, to load into."""
    with temporary_database(postgres_server) as database:
        yield database


@pytest.fixture
def load(target_postgres, elsewhere, tmp_path):
    """Hand what a tap said to the foreign target, as a pipe would."""
    file = tmp_path / "target.json"
    config = login(elsewhere) | {
        "ssl_enable": True,
        "ssl_certificate_authority": str(elsewhere.ca_file),
        "default_target_schema": "loaded",
        # It gives the rows of files no version, and would then delete them all as outdated.
        "add_record_metadata": False,
        "activate_version": False,
    }
    file.write_text(json.dumps(config))

    def run(output):
        assert output.of("BATCH")
        assert output.of("RECORD") == []
        done = subprocess.run(
            [target_postgres, "--config", file],
            input=output.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture
def in_files(tmp_path):
    """Small files, which nobody deletes."""
    storage = {"root": (tmp_path / "batches").as_uri()}
    return {
        "batch_config": {"encoding": {"format": "parquet"}, "storage": storage},
        "batch_file_megabytes": 1,
        "batch_waiting_megabytes": 0,
    }


def rows(database, statement):
    with database.connect() as connection:
        # As texts, in which years that Python does not know and NaN are compared too.
        return connection.execute(f"select r::text from ({statement}) r order by id").fetchall()


ROWS = 2_500
# Column of PostgreSQL: its type, its values, and the source's own word for what must arrive.
COLUMNS = {
    "id": ("bigint", "9223372036854775807 - i", "{}"),
    "small": ("smallint", "nullif(i % 7, 0)", "{}"),
    "n": ("int", "-i", "{}"),
    "price": ("numeric(12,2)", "i * 1.01", "{}::text"),
    "amount": ("numeric", "i / 7.0", "{}::text"),
    "rate": ("double precision", "i / 7.0", "{}::numeric"),  # the target's own choice: 15 digits
    "r": ("real", "i / 8.0", "{}::numeric"),
    "is_even": ("boolean", "i % 2 = 0", "{}"),
    "t": ("text", "(array[null, '', 'é 😀 \" \\ '||i])[i % 3 + 1]", "{}"),
    "d": ("date", "date '2000-01-01' + i", "{}"),
    "tm": ("time", "time '00:00' + i * interval '1.000001 s'", "{}"),
    "seen": ("timestamp", "timestamp '2000-01-01' + i * interval '1.000001 s'", "{}"),
    "at": ("timestamptz", "now() + i * interval '1.000001 s'", "{} at time zone 'UTC'"),
    "u": ("uuid", "md5(i::text)::uuid", "{}"),
    "doc": ("jsonb", "jsonb_build_object('i', i)", "{}::text"),
    "raw": ("bytea", "decode(md5(i::text), 'hex')", "{}::text"),
    "tags": ("text[]", "array['a', i::text]", "to_json({})::text"),
    "span": ("interval", "i * interval '1 day'", "{}::text"),
}
EXPECTED = "select {} from public.{{}}".format(
    ", ".join(expected.format(name) + f" as {name}" for name, (_, _, expected) in COLUMNS.items())
)
LOADED = f"select {', '.join(COLUMNS)} from loaded.{{}}"


def fill(database):
    definitions = ", ".join(f"{name} {of}" for name, (of, _, _) in COLUMNS.items())
    values = ", ".join(value for _, value, _ in COLUMNS.values())
    with database.connect() as connection:
        connection.execute(f"""
            create table thing ({definitions}, primary key (id));
            insert into thing select {values} from generate_series(1, {ROWS}) i;
            create table odd as table thing limit 1;
            alter table odd add primary key (id);
            insert into odd (id, price, d, seen) values
                (1, 'NaN', 'infinity', '294276-12-31'), (2, 0, '4713-01-01 BC', '-infinity');
        """)


def test_every_row_of_postgres_arrives(postgres_database, elsewhere, load, in_files, tmp_path):
    fill(postgres_database)
    config = login(postgres_database) | {"sslrootcert": str(postgres_database.ca_file)}
    tap = Runner(TapPostgres, postgres_database, config, tmp_path)
    load(tap.sync(settings=in_files))
    for table in ("thing", "odd"):
        assert rows(elsewhere, LOADED.format(table)) == rows(
            postgres_database, EXPECTED.format(table)
        )


def test_every_row_of_mysql_arrives(mariadb_database, elsewhere, load, in_files, tmp_path):
    with mariadb_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("""
            create table thing (id bigint unsigned primary key, price decimal(30,10), t text,
                d date, seen datetime(6), r double, raw varbinary(9), y year, flag tinyint(1))
        """)
        cursor.execute("""
            insert into thing select 9223372036854775807 - seq, seq * 1.0000000001,
                concat('é 😀 \\ ', seq), '2000-01-01' + interval seq day,
                '2000-01-01' + interval seq * 1.000001 second, seq / 8e0, unhex(left(md5(seq), 18)),
                2000, seq % 3 from seq_1_to_1000
        """)
        cursor.execute("insert into thing (id) values (1)")
        cursor.execute("select * from thing order by id")
        expected = cursor.fetchall()
    config = login(mariadb_database) | {"ssl_ca": str(mariadb_database.ca_file)}
    load(Runner(TapMySQL, mariadb_database, config, tmp_path).sync(settings=in_files))
    with elsewhere.connect() as connection:
        arrived = connection.execute(
            "select id, price::numeric, t, d, seen, r, raw::bytea, y, flag "
            "from loaded.thing order by id"
        ).fetchall()
    assert arrived == list(expected)
