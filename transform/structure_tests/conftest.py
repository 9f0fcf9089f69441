"""Fixtures: the parsed project, and a small real company in a warehouse of its own."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import duckdb_extension_postgres_scanner  # type: ignore[import-untyped]  # an extension in a wheel
import psycopg
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from watershed_demo import generate_shop
from watershed_servers.postgres import PostgresDatabase, PostgresServer

PROJECT = Path(__file__).parents[1]
Dbt = Callable[..., dbtRunnerResult]
Make = Callable[[Path], None]

LEDGER = """
create schema ops;
create table ops.loads (
    load_id varchar, run_id varchar, state_id varchar, target_schema varchar, stream varchar,
    table_name varchar, bookmark_before varchar, bookmark_after varchar, ordinal bigint,
    table_version bigint, rows_inserted bigint, rows_updated bigint, rows_unchanged bigint,
    rows_deleted bigint, rows_quarantined bigint, bytes bigint, seconds double,
    committed_at timestamptz
);
create table ops.bookmarks (
    state_id varchar, stream varchar, bookmark varchar, run_id varchar, committed_at timestamptz
);
"""


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def invoke(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """Run a dbt command on a warehouse; a manifest given saves dbt from reading the project."""

    def run(
        warehouse: Path,
        *arguments: str,
        manifest: Manifest | None = None,
        target: Path | None = None,
    ) -> dbtRunnerResult:
        target = target or tmp_path_factory.mktemp("target")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WATERSHED_WAREHOUSE", str(warehouse))
            try:
                return dbtRunner(manifest=manifest).invoke(
                    [
                        *("--quiet", "--log-level-file", "none"),
                        *arguments,
                        *("--project-dir", str(PROJECT)),
                        *("--profiles-dir", str(PROJECT / "profiles")),
                        *("--target-path", str(target)),
                    ]
                )
            finally:
                # dbt-duckdb would keep the file, and what it wrote beside it, until the end.
                DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]

    return run


@pytest.fixture(scope="session")
def manifest(invoke: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    result = invoke(tmp_path_factory.mktemp("parse") / "warehouse.duckdb", "parse")
    assert result.success, result.exception
    assert isinstance(result.result, Manifest)
    return result.result


@pytest.fixture(scope="session")
def shop(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    """A hundredth of the sample company, in PostgreSQL."""
    with postgres_server.database().connect(autocommit=True) as connection:
        connection.execute("create database small_shop")
    database = postgres_server.database("small_shop")
    with database.connect() as connection:
        generate_shop(connection, scale=0.01)
    yield database
    with postgres_server.database().connect(autocommit=True) as connection:
        connection.execute("drop database small_shop with (force)")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str, Make], Path]:
    """Make a warehouse once, also when several test processes need it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def make_once(name: str, make: Make) -> Path:
        folder = shared / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                partial = tmp_path_factory.mktemp(name)
                make(partial / "warehouse.duckdb")
                partial.rename(folder)
        return folder / "warehouse.duckdb"

    return make_once


@pytest.fixture(scope="session")
def loaded_warehouse(once: Callable[[str, Make], Path], request: pytest.FixtureRequest) -> Path:
    """The raw tables and the ledger, as a first load leaves them."""

    def load(warehouse: Path) -> None:
        shop = request.getfixturevalue("shop")
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            _attach(connection, shop)
            connection.execute(LEDGER)
            connection.execute("create schema raw_shop")
            for table in _tables(shop):
                _copy(connection, table)
            connection.execute("detach source")

    return once("loaded", load)


@pytest.fixture(scope="session")
def built_warehouse(
    once: Callable[[str, Make], Path],
    loaded_warehouse: Path,
    invoke: Dbt,
    manifest: Manifest,
) -> Path:
    """The same after a green build of everything."""

    def build(warehouse: Path) -> None:
        shutil.copy(loaded_warehouse, warehouse)
        result = invoke(warehouse, "build", manifest=manifest)
        assert result.success, result.exception

    return once("built", build)


@pytest.fixture
def warehouse(built_warehouse: Path, tmp_path: Path) -> Path:
    """A copy of the built warehouse that a test may change."""
    return Path(shutil.copy(built_warehouse, tmp_path / "warehouse.duckdb"))


def _attach(connection: duckdb.DuckDBPyConnection, database: PostgresDatabase) -> None:
    package = Path(duckdb_extension_postgres_scanner.__file__).parent
    connection.load_extension(str(next(package.rglob("*.duckdb_extension"))))
    options = psycopg.conninfo.make_conninfo(
        host=database.host,
        port=database.port,
        dbname=database.dbname,
        user=database.user,
        password=database.password,
        sslmode="verify-full",
        sslrootcert=str(database.ca_file),
    )
    connection.execute(f"attach '{options}' as source (type postgres, read_only)")


def _tables(database: PostgresDatabase) -> list[str]:
    with database.connect() as connection:
        rows = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'shop'"
        )
        return [name for (name,) in rows]


def _copy(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Copy a table in the types of the raw contract: arrays as JSON, enums as text."""
    columns = []
    for name, type_name, *_ in connection.sql(f'describe source.shop."{table}"').fetchall():
        value = f'"{name}"'
        if type_name.endswith("[]"):
            value = f"to_json({value})"
        elif type_name.startswith("ENUM"):
            value = f"cast({value} as varchar)"
        columns.append(f'{value} as "{name.lower()}"')
    connection.execute(f"""
        create table raw_shop."{table.lower()}" as
        select
            {", ".join(columns)},
            now() as _sdc_extracted_at,
            now() as _sdc_received_at,
            now() as _sdc_batched_at,
            cast(null as timestamptz) as _sdc_deleted_at,
            cast(1 as bigint) as _sdc_sequence,
            cast(1 as bigint) as _sdc_table_version
        from source.shop."{table}"
    """)
    connection.execute(f"""
        insert into ops.loads
        select
            uuid(), 'run', 'test:shop', 'raw_shop', 'shop-{table}', '{table.lower()}', null, '{{}}',
            1, 1, count(*), 0, 0, 0, 0, 1000, 0.1, now()
        from raw_shop."{table.lower()}"
    """)
    connection.execute(
        f"insert into ops.bookmarks values ('test:shop', 'shop-{table}', '{{}}', 'run', now())"
    )
