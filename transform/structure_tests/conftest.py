"""Fixtures: the parsed project, and a small real company in a warehouse of its own."""

import fcntl
import json
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from watershed_demo import generate_crm, generate_shop, generate_web
from watershed_servers import (
    DocumentDatabase,
    DocumentServer,
    MariaDBDatabase,
    MariaDBServer,
    PostgresDatabase,
    PostgresServer,
)

PROJECT = Path(__file__).parents[1]
Dbt = Callable[..., dbtRunnerResult]
Make = Callable[[Path], None]
AnyDatabase = PostgresDatabase | MariaDBDatabase | DocumentDatabase

PROGRAMS = Path(sysconfig.get_path("scripts"))
SCALE = 0.1
SEED = 4711  # not the demo's, with which the rules were made by which people are matched


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
def company() -> tuple[float, int]:
    """Scale and seed of the company below."""
    return SCALE, SEED


@pytest.fixture(scope="session")
def shop(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    """A tenth of the sample company's shop, in PostgreSQL."""
    with postgres_server.database().connect(autocommit=True) as connection:
        connection.execute("create database small_shop")
    database = postgres_server.database("small_shop")
    with database.connect() as connection:
        generate_shop(connection, scale=SCALE, seed=SEED)
    yield database
    with postgres_server.database().connect(autocommit=True) as connection:
        connection.execute("drop database small_shop with (force)")


@pytest.fixture(scope="session")
def crm(mariadb_server: MariaDBServer) -> Iterator[MariaDBDatabase]:
    """A tenth of the sample company's CRM, in MariaDB."""
    with mariadb_server.database().connect() as connection, connection.cursor() as cursor:
        # A test of the demo's own may have left one, with its diary beside it.
        cursor.execute("create or replace database crm")
        cursor.execute("drop database if exists crm_demo")
    database = mariadb_server.database("crm")
    with database.connect() as connection:
        generate_crm(connection, scale=SCALE, seed=SEED)
    yield database
    with mariadb_server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute("drop database if exists crm")


@pytest.fixture(scope="session")
def web(document_server: DocumentServer) -> Iterator[DocumentDatabase]:
    """A tenth of the sample company's website, in a server that speaks MongoDB's protocol."""
    database = document_server.database("web")
    with database.connect() as client:
        for left in ("web", "web_demo"):
            client.drop_database(left)
        generate_web(client["web"], scale=SCALE, seed=SEED)
    yield database
    with database.connect() as client:
        client.drop_database("web")


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
    """The raw tables and the ledger, as a first load by the real taps leaves them."""

    def load(warehouse: Path) -> None:
        shop = request.getfixturevalue("shop")
        names = {"filter_schemas": ["shop"], "sslrootcert": str(shop.ca_file)}
        _load(warehouse, "postgres", shop, "shop", names)
        crm = request.getfixturevalue("crm")
        _load(warehouse, "mysql", crm, "crm", {"ssl_ca": str(crm.ca_file)})
        web = request.getfixturevalue("web")
        _load(warehouse, "mongodb", web, "web", {"tls_ca_file": str(web.ca_file)})

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


def _load(
    warehouse: Path, tap: str, database: AnyDatabase, name: str, settings: dict[str, Any]
) -> None:
    """Load every table of a database into ``raw_<name>``."""
    folder = warehouse.parent / name
    folder.mkdir()
    connection = {
        "host": database.host,
        "port": database.port,
        "database": database.dbname,
        "user": database.user,
        "password": database.password,
    }
    target = {
        "warehouse": str(warehouse),
        "default_target_schema": f"raw_{name}",
        "quarantine_limit": 10_000,
    }
    (folder / "tap.json").write_text(json.dumps(connection | settings))
    (folder / "target.json").write_text(json.dumps(target))
    extract: list[str | Path] = [PROGRAMS / f"watershed-tap-{tap}", "--config", folder / "tap.json"]
    discovered = subprocess.run([*extract, "--discover"], check=True, stdout=subprocess.PIPE)
    catalog = json.loads(discovered.stdout)
    for stream in catalog["streams"]:
        whole = {"selected": True, "replication-method": "FULL_TABLE"}
        stream["metadata"] = [{"breadcrumb": [], "metadata": whole}]
    (folder / "catalog.json").write_text(json.dumps(catalog))
    with (folder / "messages").open("w") as messages:
        subprocess.run(
            [*extract, "--catalog", folder / "catalog.json"], check=True, stdout=messages
        )
    with (folder / "messages").open() as messages:
        subprocess.run(
            [PROGRAMS / "watershed-target-duckdb", "--config", folder / "target.json"],
            check=True,
            stdin=messages,
            stdout=subprocess.DEVNULL,
        )
    shutil.rmtree(folder)
