"""The servers of MariaDB and of MongoDB's protocol, in what they share with PostgreSQL's."""

import os
import pwd
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pymongo
import pymysql
import pytest
from pymongo.errors import OperationFailure, PyMongoError

from watershed_servers import (
    DocumentServer,
    LoopbackServer,
    MariaDBServer,
    ProgramsMissingError,
    ServerStartError,
    accounts,
)
from watershed_servers.certificates import write_certificates

pytestmark = pytest.mark.extract
only_for_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user is one already")
KINDS = (MariaDBServer, DocumentServer)


@pytest.fixture(params=KINDS)
def own_server(request, tmp_path):
    """A server that a test may stop, kill and break."""
    server = request.param(tmp_path / "server", is_throwaway=True)
    yield server
    server.stop()


@pytest.fixture(params=("mariadb_server", "document_server"))
def server(request) -> LoopbackServer:
    """A server that a test leaves as it is."""
    return request.getfixturevalue(request.param)


def keep(server: LoopbackServer, answer: int) -> None:
    """Write something down, in a way of each server."""
    with server.database().connect() as connection:
        if isinstance(server, MariaDBServer):
            with connection.cursor() as cursor:
                cursor.execute("create database kept")
                cursor.execute(f"create table kept.kept as select {answer} as answer")
        else:
            connection["kept"]["kept"].insert_one({"answer": answer})


def kept(server: LoopbackServer) -> int:
    """Read what `keep` wrote down."""
    with server.database().connect() as connection:
        if isinstance(server, MariaDBServer):
            with connection.cursor() as cursor:
                cursor.execute("select answer from kept.kept")
                return cursor.fetchall()[0][0]
        return connection["kept"]["kept"].find_one()["answer"]


def mysql_settings(database) -> dict:
    """What PyMySQL needs to connect, for tests that change one part of it."""
    return {
        "host": database.host,
        "port": database.port,
        "user": database.user,
        "password": database.password,
        "ssl_ca": str(database.ca_file),
        "ssl_verify_cert": True,
        "ssl_verify_identity": True,
    }


def mongo_client(database, **changes):
    """A client that says at once whether it reached the server; a test changes one part of it."""
    settings = {
        "username": database.user,
        "password": database.password,
        "tls": True,
        "tlsCAFile": str(database.ca_file),
        "serverSelectionTimeoutMS": 500,
    }
    settings = {name: value for name, value in (settings | changes).items() if value is not None}
    return pymongo.MongoClient(settings.pop("host", database.host), database.port, **settings)


def test_a_mariadb_database_is_reached_over_tls_by_an_owner_who_owns_nothing_else(
    mariadb_database,
) -> None:
    with mariadb_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("show status like 'Ssl_version'")
        ((_, version),) = cursor.fetchall()
        assert version.startswith("TLSv1.")
        cursor.execute("create table mine (one int)")
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("select * from mysql.global_priv")


def test_a_document_database_is_reached_over_tls_by_an_owner_who_owns_nothing_else(
    document_database,
) -> None:
    with document_database.connect() as client:
        client[document_database.dbname]["mine"].insert_one({})
        with pytest.raises(OperationFailure, match="not authorized"):
            client["somebody"]["elses"].find_one()


def test_localhost_is_a_name_of_the_servers(mariadb_database, document_database) -> None:
    settings = mysql_settings(mariadb_database) | {"host": "localhost"}
    with pymysql.connect(**settings) as connection:
        assert connection.open
    with mongo_client(document_database, host="localhost") as client:
        assert client.admin.command("ping")["ok"] == 1


def test_a_foreign_authority_is_not_believed(mariadb_database, document_database, tmp_path) -> None:
    write_certificates(tmp_path / "foreign")
    foreign = str(tmp_path / "foreign" / "ca.crt")
    with pytest.raises(pymysql.err.OperationalError, match="certificate verify failed"):
        pymysql.connect(**mysql_settings(mariadb_database) | {"ssl_ca": foreign})
    with (
        mongo_client(document_database, tlsCAFile=foreign) as client,
        pytest.raises(PyMongoError, match="certificate verify failed"),
    ):
        client.admin.command("ping")


def test_a_connection_without_tls_is_refused(mariadb_database, document_database) -> None:
    plain = {"ssl_ca": None, "ssl_verify_cert": None, "ssl_verify_identity": None}
    settings = mysql_settings(mariadb_database) | plain | {"ssl_disabled": True}
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        pymysql.connect(**settings)
    with (
        mongo_client(document_database, tls=None, tlsCAFile=None) as client,
        pytest.raises(PyMongoError),
    ):
        client.admin.command("ping")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_refused(mariadb_database, password) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(**mysql_settings(mariadb_database) | {"password": password})


def test_a_document_server_admits_nobody_without_the_password(document_database) -> None:
    with (
        mongo_client(document_database, password="wrong") as client,  # noqa: S106  # it is none
        pytest.raises(OperationFailure, match="uthentication failed"),
    ):
        client.admin.command("ping")
    with (
        mongo_client(document_database, username=None, password=None) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client[document_database.dbname]["mine"].find_one()


def test_a_new_mariadb_has_one_superuser_and_no_other_account(mariadb_server) -> None:
    with mariadb_server.database().connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select user, host from mysql.global_priv where user not like 'test%'"
            " and not coalesce(json_value(priv, '$.account_locked'), 0)"
        )
        assert cursor.fetchall() == (("root", "127.0.0.1"),)


def test_only_loopback_is_listened_on(server) -> None:
    sockets = subprocess.run(
        ["ss", "--listening", "--tcp", "--numeric", "--no-header"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listening = [line.split()[3] for line in sockets.splitlines()]
    mine = [address for address in listening if address.endswith(f":{server.port}")]
    assert mine == [f"127.0.0.1:{server.port}"]


def test_secrets_are_readable_by_their_owner_only(server) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(server.folder) == 0o700
    assert mode(server.folder / "tls" / "server.key") == 0o600
    assert mode(server.folder / "superuser.password") == 0o600


def test_the_server_is_no_root_and_holds_no_capability(server) -> None:
    # Root sees the user of a process in a namespace of its own only through the map of that.
    inside, outside, _ = Path(f"/proc/{server.pid()}/uid_map").read_text().split()
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{server.pid()}/status").read_text().splitlines()
        if ":\t" in line
    )
    is_in_a_namespace = (inside, outside) != ("0", "0")
    assert int(inside if is_in_a_namespace else status["Uid"].split()[0]) != 0
    assert int(status["CapEff"], 16) == 0


@only_for_root
@pytest.mark.parametrize(("kind", "owner"), [(MariaDBServer, "postgres"), (DocumentServer, "root")])
def test_without_namespaces_another_account_serves_where_it_can(kind, owner, monkeypatch) -> None:
    can_run = accounts._can_run
    monkeypatch.setattr(
        accounts, "_can_run", lambda command: command[0] != "unshare" and can_run(command)
    )
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        server = kind(Path(name) / "server", is_throwaway=True)
        server.start()
        try:
            assert Path(f"/proc/{server.pid()}").stat().st_uid == pwd.getpwnam(owner).pw_uid
            keep(server, 42)
            assert kept(server) == 42
        finally:
            server.stop()


def test_starting_and_stopping_twice_is_the_same_as_once(own_server) -> None:
    own_server.stop()
    own_server.start()
    pid, port = own_server.pid(), own_server.port
    own_server.start()
    type(own_server)(own_server.folder).start()
    assert (own_server.pid(), own_server.port) == (pid, port)
    keep(own_server, 42)
    type(own_server)(own_server.folder).stop()
    own_server.stop()
    assert not own_server.is_running()
    own_server.start()
    assert (own_server.port, kept(own_server)) == (port, 42)


def test_a_killed_server_starts_again(own_server) -> None:
    own_server.start()
    keep(own_server, 42)
    if isinstance(own_server, DocumentServer):  # which keeps what it saved only
        with own_server.database().connect() as client:
            client.admin.command("fsync")
    pid = own_server.pid()
    os.kill(pid, signal.SIGKILL)
    assert has_ended_within(10.0, pid)
    own_server.start()
    assert kept(own_server) == 42


def test_a_pid_that_another_program_got_after_a_reboot_is_no_obstacle(own_server) -> None:
    own_server.start()
    own_server.stop()
    own_server._pid_file.write_text(f"{os.getpid()}\n")
    assert not own_server.is_running()
    own_server.start()
    assert own_server.is_running()
    assert own_server.pid() != os.getpid()


def test_a_first_start_that_was_broken_off_is_made_anew(own_server) -> None:
    own_server.start()
    own_server.stop()
    if isinstance(own_server, MariaDBServer):
        own_server.data_folder.rename(own_server.folder / "data.partial")
    else:
        (own_server.folder / "has-superuser").unlink()
    own_server.start()
    keep(own_server, 42)
    assert kept(own_server) == 42


def test_a_taken_port_is_named_with_its_cure(own_server) -> None:
    own_server.start()
    own_server.stop()
    cure = rf"port {own_server.port} .* write another"
    with (
        socket.create_server(("127.0.0.1", own_server.port)),
        pytest.raises(ServerStartError, match=cure),
    ):
        own_server.start()


def test_missing_programs_are_named_with_their_cure(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("watershed_servers.programs.SYSTEM_FOLDERS", "/nowhere")
    monkeypatch.setattr("watershed_servers.documents.PROGRAM", Path("/nowhere/bin/secantusd"))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ProgramsMissingError, match="apt-get install mariadb-server-core"):
        MariaDBServer(tmp_path / "mariadb").start()
    with pytest.raises(ProgramsMissingError, match=r"run requirements/document-server\.sh"):
        DocumentServer(tmp_path / "documents").start()


def test_damaged_data_end_in_the_servers_own_words(tmp_path) -> None:
    server = MariaDBServer(tmp_path / "server", is_throwaway=True)
    server.start()
    server.stop()
    shutil.rmtree(server.data_folder / "mysql")
    with pytest.raises(ServerStartError, match=r"MariaDB did not start in .*ERROR"):
        server.start()


@pytest.mark.parametrize("kind", KINDS)
def test_a_throwaway_server_ends_with_its_parent_even_when_that_is_killed(kind, tmp_path) -> None:
    program = (
        "import os, pathlib, signal\n"
        f"from watershed_servers import {kind.__name__}\n"
        f"server = {kind.__name__}(pathlib.Path({str(tmp_path / 'server')!r}), is_throwaway=True)\n"
        "server.start()\n"
        "print(server.pid(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert has_ended_within(10.0, int(ended.stdout))
    assert not kind(tmp_path / "server").is_running()


def has_ended_within(seconds: float, pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process):
        readable, _, _ = select.select([process], [], [], seconds)
    return bool(readable)
