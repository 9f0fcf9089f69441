"""The PostgreSQL server that the demo and the tests run on."""

import os
import pwd
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from watershed_servers import (
    PostgresDatabase,
    PostgresServer,
    ServerError,
    ServerStartError,
    accounts,
)
from watershed_servers.certificates import write_certificates

pytestmark = pytest.mark.extract
only_for_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user is one already")


@pytest.fixture
def own_server(tmp_path):
    """A server that a test may stop, kill and break."""
    server = PostgresServer(tmp_path / "server", is_throwaway=True)
    yield server
    server.stop()


def connection_settings(database: PostgresDatabase) -> dict[str, str]:
    """What psycopg needs to connect, for tests that change one part of it."""
    return {
        "host": database.host,
        "port": str(database.port),
        "user": database.user,
        "password": database.password,
        "dbname": database.dbname,
        "sslmode": "verify-full",
        "sslrootcert": str(database.ca_file),
    }


def test_a_database_is_reached_over_verified_tls(postgres_database: PostgresDatabase) -> None:
    with postgres_database.connect() as connection:
        query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
        row = connection.execute(query).fetchone()
        assert row == (True,)
        assert connection.execute("select current_user").fetchone() == (postgres_database.user,)


def test_localhost_is_a_name_of_the_server(postgres_database: PostgresDatabase) -> None:
    with psycopg.connect(
        **connection_settings(postgres_database) | {"host": "localhost"}
    ) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_foreign_authority_is_not_believed(postgres_database, tmp_path) -> None:
    write_certificates(tmp_path / "foreign")
    settings = connection_settings(postgres_database)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(**settings | {"sslrootcert": str(tmp_path / "foreign" / "ca.crt")})


def test_a_connection_without_tls_is_refused(postgres_database) -> None:
    settings = connection_settings(postgres_database)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(**settings | {"sslmode": "disable"})


def test_a_wrong_password_is_refused(postgres_database) -> None:
    settings = connection_settings(postgres_database)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**settings | {"password": "wrong"})


def test_the_owner_of_a_database_is_no_superuser(postgres_database) -> None:
    with postgres_database.connect() as connection:
        row = connection.execute(
            "select rolsuper from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (False,)


def test_only_loopback_is_listened_on(postgres_server: PostgresServer) -> None:
    with postgres_server.database().connect() as connection:
        addresses = connection.execute("show listen_addresses").fetchone()
        sockets = connection.execute("show unix_socket_directories").fetchone()
    assert (addresses, sockets) == (("127.0.0.1",), ("",))


def test_secrets_are_readable_by_their_owner_only(postgres_server: PostgresServer) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(postgres_server.folder) == 0o700
    assert mode(postgres_server.data_folder) == 0o700
    assert mode(postgres_server.folder / "tls" / "server.key") == 0o600
    assert mode(postgres_server.folder / "superuser.password") == 0o600


def test_the_server_is_no_root(postgres_server: PostgresServer) -> None:
    # Root sees the user of a process in a namespace of its own only through the map of that.
    inside, outside, _ = Path(f"/proc/{postgres_server.pid()}/uid_map").read_text().split()
    status = Path(f"/proc/{postgres_server.pid()}/status").read_text()
    (uid,) = (line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    is_in_a_namespace = (inside, outside) != ("0", "0")
    assert int(inside if is_in_a_namespace else uid) != 0


def test_the_server_holds_no_capability(postgres_server: PostgresServer) -> None:
    status = Path(f"/proc/{postgres_server.pid()}/status").read_text()
    (effective,) = (line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    assert int(effective, 16) == 0


@pytest.fixture
def no_namespaces(monkeypatch):
    """A machine, or a container, that forbids user namespaces."""
    can_run = accounts._can_run
    monkeypatch.setattr(
        accounts, "_can_run", lambda command: command[0] != "unshare" and can_run(command)
    )


@only_for_root
@pytest.mark.usefixtures("no_namespaces")
def test_without_namespaces_the_account_postgres_serves() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        server = PostgresServer(Path(name) / "server", is_throwaway=True)
        server.start()
        try:
            owner = Path(f"/proc/{server.pid()}").stat().st_uid
            assert owner == pwd.getpwnam("postgres").pw_uid
            with server.database().connect() as connection:
                assert connection.execute("select 1").fetchone() == (1,)
        finally:
            server.stop()


@only_for_root
@pytest.mark.usefixtures("no_namespaces")
def test_a_folder_the_account_postgres_cannot_enter_is_named(own_server) -> None:
    own_server.folder.parent.chmod(0o700)
    with pytest.raises(ServerError, match=f"cannot enter {own_server.folder}: move the project"):
        own_server.start()


@only_for_root
def test_a_folder_that_only_root_may_enter_is_no_obstacle(own_server) -> None:
    own_server.folder.parent.chmod(0o700)
    own_server.start()
    assert own_server.is_running()


def test_a_path_longer_than_a_sockets_is_no_obstacle(tmp_path) -> None:
    server = PostgresServer(tmp_path / ("long" * 40), is_throwaway=True)
    server.start()
    with server.database().connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    server.stop()


def test_starting_and_stopping_twice_is_the_same_as_once(own_server: PostgresServer) -> None:
    own_server.stop()
    own_server.start()
    pid, port = own_server.pid(), own_server.port
    own_server.start()
    PostgresServer(own_server.folder).start()
    assert (own_server.pid(), own_server.port) == (pid, port)
    PostgresServer(own_server.folder).stop()
    own_server.stop()
    assert not own_server.is_running()
    own_server.start()
    assert own_server.port == port


def test_a_killed_server_starts_again_with_its_data(own_server: PostgresServer) -> None:
    own_server.start()
    with own_server.database().connect() as connection:
        connection.execute("create table kept as select 42 as answer")
    pid = own_server.pid()
    os.kill(pid, signal.SIGKILL)
    assert has_ended_within(10.0, pid)
    own_server.start()
    with own_server.database().connect() as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_a_pid_that_another_program_got_after_a_reboot_is_no_obstacle(own_server) -> None:
    own_server.start()
    pid_file = own_server.data_folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    own_server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not own_server.is_running()
    own_server.start()
    assert own_server.is_running()
    assert own_server.pid() != os.getpid()


def test_a_server_that_a_failed_first_start_left_half_made_is_made_anew(own_server) -> None:
    partial = own_server.folder / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("15")
    own_server.start()
    assert own_server.is_running()


def test_a_taken_port_is_named_with_its_cure(own_server) -> None:
    own_server.start()
    own_server.stop()
    cure = rf"port {own_server.port} .* write another"
    with (
        socket.create_server(("127.0.0.1", own_server.port)),
        pytest.raises(ServerStartError, match=cure),
    ):
        own_server.start()


def test_missing_programs_are_named_with_their_cure(own_server, monkeypatch) -> None:
    monkeypatch.setattr("watershed_servers.programs.FOLDERS_OUT_OF_PATH", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServerError, match="apt-get install postgresql"):
        own_server.start()


def test_damaged_settings_end_in_the_servers_own_words(own_server) -> None:
    own_server.start()
    own_server.stop()
    (own_server.data_folder / "PG_VERSION").write_text("9.0\n")
    with pytest.raises(ServerStartError, match=r"initialized by PostgreSQL version 9\.0"):
        own_server.start()


def test_a_throwaway_server_ends_with_its_parent_even_when_that_is_killed(tmp_path) -> None:
    program = (
        "import os, pathlib, signal\n"
        "from watershed_servers import PostgresServer\n"
        f"server = PostgresServer(pathlib.Path({str(tmp_path / 'server')!r}), is_throwaway=True)\n"
        "server.start()\n"
        "print(server.pid(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert has_ended_within(10.0, int(ended.stdout))
    assert not PostgresServer(tmp_path / "server").is_running()


def has_ended_within(seconds: float, pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process):
        readable, _, _ = select.select([process], [], [], seconds)
    return bool(readable)
