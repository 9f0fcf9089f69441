"""``watershed-demo``, as a person or a Makefile runs it."""

import csv
import json
import os
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import dotenv
import psycopg
import pymysql
import pytest
from pymongo.errors import OperationFailure

from watershed_demo.env_file import write_settings
from watershed_servers import (
    DocumentDatabase,
    DocumentServer,
    MariaDBDatabase,
    MariaDBServer,
    PostgresServer,
)

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


def crm_as_reader(project: Path):
    settings = dotenv.dotenv_values(project / ".env")
    return MariaDBDatabase(
        host=settings["CRM_MYSQL_HOST"],
        port=int(settings["CRM_MYSQL_PORT"]),
        dbname=settings["CRM_MYSQL_DATABASE"],
        user=settings["CRM_MYSQL_USER"],
        password=settings["CRM_MYSQL_PASSWORD"],
        ca_file=Path(settings["CRM_MYSQL_SSL_CA"]),
    ).connect()


def web_as_reader(project: Path):
    settings = dotenv.dotenv_values(project / ".env")
    return DocumentDatabase(
        host=settings["WEB_MONGODB_HOST"],
        port=int(settings["WEB_MONGODB_PORT"]),
        dbname=settings["WEB_MONGODB_DATABASE"],
        user=settings["WEB_MONGODB_USER"],
        password=settings["WEB_MONGODB_PASSWORD"],
        ca_file=Path(settings["WEB_MONGODB_TLS_CA"]),
    ).connect()


def servers(project: Path):
    folder = project / "output" / "demo"
    return (
        PostgresServer(folder / "postgres"),
        MariaDBServer(folder / "mariadb"),
        DocumentServer(folder / "documents"),
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of its own, whose sources are up; the path has a space."""
    folder = tmp_path_factory.mktemp("a project")
    (folder / ".env").write_text("# mine\nOTHER='kept # as it is'\nLAST=1")
    done = run(folder, "up", SCALE="0.01")
    assert done.returncode == 0, done.stderr
    yield folder
    run(folder, "down")
    assert not any(server.is_running() for server in servers(folder))


def test_up_again_keeps_ports_passwords_and_data(project) -> None:
    before = (project / ".env").read_text(), run_json(project, "status")
    again = run_json(project, "up")
    assert again["generated"] == []
    assert ((project / ".env").read_text(), run_json(project, "status")) == before


def test_up_after_down_finds_the_same_company(project) -> None:
    before = run_json(project, "status")
    stopped = "PostgreSQL has stopped\nMariaDB has stopped\nSecantusDB has stopped\n"
    assert run(project, "down").stdout == stopped
    down = {"is_running": {"shop": False, "crm": False, "web": False}}
    assert run_json(project, "status") == down
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


def test_the_reader_reads_everything_also_what_a_day_adds(project) -> None:
    number = run_json(project, "status")["day"]
    result = run_json(project, "day")
    assert result["day"] == number + 1
    assert all(
        sum(change["inserted"] for change in tables.values()) > 0
        for tables in result["changes"].values()
    )
    rows = run_json(project, "status")["rows"]
    with connect_as_reader(project) as connection:
        connection.execute("select referral_code from shop.customers limit 1")
        for table, count in rows["shop"].items():
            row = connection.execute(f'select count(*) from shop."{table}"').fetchone()
            assert row == (count,)
        connection.execute("select * from shop.active_products limit 1")
    with crm_as_reader(project) as connection, connection.cursor() as cursor:
        cursor.execute("select consent_version from contacts limit 1")
        for table, count in rows["crm"].items():
            cursor.execute(f"select count(*) from {table}")
            assert cursor.fetchall() == ((count,),)
    with web_as_reader(project) as client:
        for collection, count in rows["web"].items():
            assert client["web"][collection].count_documents({}) == count


def test_a_database_that_missed_a_day_gets_that_before_the_next(project) -> None:
    with servers(project)[1].database().connect() as connection, connection.cursor() as cursor:
        cursor.execute("rename table crm.contacts to crm.away")
        failed = run(project, "day")
        assert failed.returncode == 1
        assert failed.stderr.count("\n") == 1
        cursor.execute("rename table crm.away to crm.contacts")
    behind = run_json(project, "status")["day"]
    result = run_json(project, "day")
    assert (result["day"], set(result["changes"])) == (behind + 1, {"crm"})
    assert set(run_json(project, "day")["changes"]) == {"shop", "crm", "web"}


def test_a_database_that_is_gone_is_made_anew_and_catches_up(project) -> None:
    before = run_json(project, "status")
    with servers(project)[1].database().connect() as connection, connection.cursor() as cursor:
        cursor.execute("drop database crm")
        cursor.execute("drop database crm_demo")
    assert run_json(project, "up")["generated"] == ["crm"]
    assert run_json(project, "status") == before


def test_the_truth_names_everybody_who_is_in_a_source(project) -> None:
    """But for the testers of shop and CRM, who are nobody."""
    rows = run_json(project, "status")["rows"]
    with (project / "output" / "demo" / "identity_truth.csv").open() as file:
        truth = list(csv.DictReader(file))
    assert truth[0].keys() == {"system", "source_id", "person_id"}
    systems = Counter(line["system"] for line in truth)
    assert systems["shop-customers"] == rows["shop"]["customers"] - 5
    assert systems["crm-contacts"] == rows["crm"]["contacts"] - 3
    assert len({(line["system"], line["source_id"]) for line in truth}) == len(truth)


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


@pytest.mark.parametrize(
    "statement",
    [
        "update contacts set email = null",
        "delete from accounts",
        "insert into campaigns (campaign_id) values (1)",
        "truncate invoices",
        "create table mine (one int)",
        "create temporary table mine (one int)",
        "create database mine",
        "select * from crm_demo.company",
        "select * from mysql.global_priv",
        "alter table accounts add column mine int",
        "select 1 into outfile 'mine'",
    ],
)
def test_the_reader_of_the_crm_writes_nothing(project, statement) -> None:
    with crm_as_reader(project) as connection, connection.cursor() as cursor:
        with pytest.raises((pymysql.err.OperationalError, pymysql.err.ProgrammingError)) as refused:
            cursor.execute(statement)
        assert "denied" in str(refused.value)


def test_the_reader_of_the_website_writes_nothing(project) -> None:
    with web_as_reader(project) as client:
        sessions = client["web"]["sessions"]
        for attempt in (
            lambda: sessions.insert_one({}),
            lambda: sessions.update_many({}, {"$set": {"mine": 1}}),
            lambda: sessions.delete_many({}),
            lambda: client["web"]["mine"].insert_one({}),
            client["web_demo"]["company"].find_one,
            lambda: client.drop_database("web"),
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                attempt()


def test_no_password_is_in_the_servers_log(project) -> None:
    settings = dotenv.dotenv_values(project / ".env")
    secrets = [value for name, value in settings.items() if name.endswith("PASSWORD")]
    for server in servers(project):
        log = server.log_file.read_text()
        for secret in [*secrets, (server.folder / "superuser.password").read_text()]:
            assert secret not in log


def test_another_scale_is_refused_with_the_cure(project) -> None:
    done = run(project, "up", SCALE="2")
    assert done.returncode == 1
    assert "SCALE=0.01" in done.stderr.splitlines()[-1]
    assert "remove output/demo" in done.stderr.splitlines()[-1]


def test_a_day_without_a_server_says_what_to_do(tmp_path) -> None:
    done = run(tmp_path, "day")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "watershed-demo: the demo's PostgreSQL is not running: run `watershed-demo up`\n"
    )


def test_down_without_a_server_is_no_error(tmp_path) -> None:
    done = run(tmp_path, "down")
    said = "PostgreSQL was not running\nMariaDB was not running\nSecantusDB was not running\n"
    assert (done.returncode, done.stdout) == (0, said)


@pytest.mark.parametrize("scale", ["0", "-1", "many"])
def test_a_scale_that_is_none_is_a_usage_error(tmp_path, scale) -> None:
    done = run(tmp_path, "up", "--scale", scale)
    assert done.returncode == 2
    assert "--scale" in done.stderr


@pytest.fixture
def empty_servers(postgres_server, mariadb_server, document_server):
    """Servers without a company; tests of other packages on them may have left theirs."""
    with mariadb_server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute("drop database if exists crm")
        cursor.execute("drop database if exists crm_demo")
    with document_server.database("web").connect() as client:
        client.drop_database("web")
        client.drop_database("web_demo")
    return postgres_server, mariadb_server, document_server


def test_somebody_elses_servers_serve_as_well(tmp_path, empty_servers) -> None:
    postgres_server, mariadb_server, document_server = empty_servers

    def url(start, server, ca_parameter):
        login = server.database()
        there = f"{login.user}:{login.password}@127.0.0.1:{login.port}"
        return f"{start}://{there}/?{ca_parameter}={login.ca_file}"

    urls = {
        "DEMO_POSTGRES_URL": url("postgresql", postgres_server, "sslrootcert"),
        "DEMO_MYSQL_URL": url("mysql", mariadb_server, "ssl_ca"),
        "DEMO_MONGODB_URL": url("mongodb", document_server, "tlsCAFile"),
    }
    result = run_json(tmp_path, "up", SCALE="0.005", **urls)
    assert result["generated"] == ["shop", "crm", "web"]
    assert run_json(tmp_path, "day", **urls)["day"] == 1
    assert not [path for path in (tmp_path / "output" / "demo").iterdir() if path.is_dir()]
    done = run(tmp_path, "down", **urls)
    assert done.stdout.count("was not started here and goes on") == 3
    assert postgres_server.is_running()
    assert mariadb_server.is_running()
    assert document_server.is_running()


def test_a_url_without_an_authority_is_refused(tmp_path) -> None:
    url = "postgresql://postgres:secret@127.0.0.1:1/postgres"
    done = run(tmp_path, "up", DEMO_POSTGRES_URL=url)
    assert done.returncode == 1
    assert "lacks sslrootcert" in done.stderr
    assert "secret" not in done.stderr
    assert not (tmp_path / "output").exists()
