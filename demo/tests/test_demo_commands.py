"""``watershed-demo``, as a person or a Makefile runs it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import dotenv
import psycopg
import pytest

from watershed_demo.env_file import write_settings
from watershed_servers import PostgresServer

pytestmark = pytest.mark.demo

COMMAND = Path(sys.executable).parent / "watershed-demo"


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "--project", project, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def run_json(project: Path, *arguments: str, **environment: str) -> dict:
    done = run(project, *arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def connect_as_reader(project: Path) -> psycopg.Connection:
    settings = dotenv.dotenv_values(project / ".env")
    return psycopg.connect(
        host=settings["SHOP_POSTGRES_HOST"],
        port=settings["SHOP_POSTGRES_PORT"],
        dbname=settings["SHOP_POSTGRES_DATABASE"],
        user=settings["SHOP_POSTGRES_USER"],
        password=settings["SHOP_POSTGRES_PASSWORD"],
        sslrootcert=settings["SHOP_POSTGRES_SSLROOTCERT"],
        sslmode="verify-full",
        autocommit=True,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of its own, whose sources are up; the path has a space."""
    folder = tmp_path_factory.mktemp("a project")
    (folder / ".env").write_text("# mine\nOTHER='kept # as it is'\nLAST=1")
    done = run(folder, "up", SCALE="0.02")
    assert done.returncode == 0, done.stderr
    yield folder
    run(folder, "down")
    assert not PostgresServer(folder / "output" / "demo" / "postgres").is_running()


def test_up_again_keeps_port_password_and_data(project) -> None:
    before = (project / ".env").read_text(), run_json(project, "status")
    again = run_json(project, "up")
    assert again["is_new"] is False
    assert ((project / ".env").read_text(), run_json(project, "status")) == before


def test_up_after_down_finds_the_same_shop(project) -> None:
    before = run_json(project, "status")
    assert run(project, "down").stdout == "PostgreSQL has stopped\n"
    assert run_json(project, "status") == {"is_running": False}
    assert run(project, "up").returncode == 0
    assert run_json(project, "status") == before


def test_the_env_file_is_private_and_keeps_what_is_not_ours(project) -> None:
    file = project / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("# mine\nOTHER='kept # as it is'\nLAST=1\n")


def test_a_value_with_quotes_and_spaces_comes_back_from_the_env_file(tmp_path) -> None:
    settings = {"A": 'it\'s a "path" # with $HOME \\ and all', "B": ""}
    write_settings(tmp_path / ".env", settings)
    assert dotenv.dotenv_values(tmp_path / ".env", interpolate=False) == settings


def test_the_reader_reads_every_table_also_what_a_day_adds(project) -> None:
    number = run_json(project, "status")["day"]
    result = run_json(project, "day")
    assert result["day"] == number + 1
    assert result["changes"]["orders"]["inserted"] > 0
    with connect_as_reader(project) as connection:
        connection.execute("select referral_code from shop.customers limit 1")
        for table, count in run_json(project, "status")["rows"].items():
            row = connection.execute(f'select count(*) from shop."{table}"').fetchone()
            assert row == (count,)
        connection.execute("select * from shop.active_products limit 1")


def test_the_reader_reads_tables_that_come_later(project) -> None:
    server = PostgresServer(project / "output" / "demo" / "postgres")
    with server.database("shop").connect() as connection:
        connection.execute("set role shop_owner")
        connection.execute("create table shop.later as select 1 as one")
    with connect_as_reader(project) as connection:
        assert connection.execute("select one from shop.later").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "update shop.customers set email = null",
        "delete from shop.addresses",
        "insert into shop.categories values (1, null, 'x', 'x', now())",
        "truncate shop.payments",
        "create table shop.mine (one integer)",
        "create table public.mine (one integer)",
        "create temporary table mine (one integer)",
        "create schema mine",
        "select * from demo.company",
        "alter table shop.orders add column mine integer",
        "copy shop.orders to program 'cat'",
    ],
)
def test_the_reader_writes_nothing(project, statement) -> None:
    with (
        connect_as_reader(project) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_no_password_is_in_the_servers_log(project) -> None:
    folder = project / "output" / "demo" / "postgres"
    log = (folder / "postgres.log").read_text()
    settings = dotenv.dotenv_values(project / ".env")
    assert settings["SHOP_POSTGRES_PASSWORD"] not in log
    assert (folder / "superuser.password").read_text() not in log


def test_another_scale_is_refused_with_the_cure(project) -> None:
    done = run(project, "up", SCALE="2")
    assert done.returncode == 1
    assert "SCALE=0.02" in done.stderr.splitlines()[-1]
    assert "remove output/demo" in done.stderr.splitlines()[-1]


def test_a_day_without_a_server_says_what_to_do(tmp_path) -> None:
    done = run(tmp_path, "day")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "watershed-demo: the demo's PostgreSQL is not running: run `watershed-demo up`\n"
    )


def test_down_without_a_server_is_no_error(tmp_path) -> None:
    done = run(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, "PostgreSQL was not running\n")


@pytest.mark.parametrize("scale", ["0", "-1", "many"])
def test_a_scale_that_is_none_is_a_usage_error(tmp_path, scale) -> None:
    done = run(tmp_path, "up", "--scale", scale)
    assert done.returncode == 2
    assert "--scale" in done.stderr


def test_somebody_elses_server_serves_as_well(tmp_path, postgres_server) -> None:
    administrator = postgres_server.database()
    url = (
        f"postgresql://{administrator.user}:{administrator.password}@127.0.0.1"
        f":{administrator.port}/postgres?sslrootcert={administrator.ca_file}"
    )
    result = run_json(tmp_path, "up", SCALE="0.01", DEMO_POSTGRES_URL=url)
    assert (result["is_new"], result["port"]) == (True, administrator.port)
    assert run_json(tmp_path, "day", DEMO_POSTGRES_URL=url)["day"] == 1
    assert not (tmp_path / "output").exists()
    done = run(tmp_path, "down", DEMO_POSTGRES_URL=url)
    assert (done.returncode, postgres_server.is_running()) == (1, True)


def test_a_url_without_an_authority_is_refused(tmp_path) -> None:
    url = "postgresql://postgres:secret@127.0.0.1:1/postgres"
    done = run(tmp_path, "up", DEMO_POSTGRES_URL=url)
    assert done.returncode == 1
    assert "lacks sslrootcert" in done.stderr
    assert "secret" not in done.stderr
