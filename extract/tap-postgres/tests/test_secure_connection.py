"""Who answers is proved before anything is said: TLS, an SSH bastion, IAM tokens."""

import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import botocore.auth
import paramiko
import pytest

from watershed_servers.certificates import write_certificates
from watershed_tap.settings import check_config
from watershed_tap.testing import Runner

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]

KEY_LOCK = "passphrase of the key"
WRONG_LOCK = "passphrase of another key"


class TestTls:
    def test_the_connection_is_encrypted(self, tap: Runner, execute: Execute) -> None:
        execute("create view me as select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        assert tap.sync().records("public-me") == [{"ssl": True}]

    def test_a_certificate_of_another_authority_is_refused(
        self, idle_tap: Runner, tmp_path: Path
    ) -> None:
        write_certificates(tmp_path / "other")
        other = tmp_path / "other" / "ca.crt"
        error = idle_tap(settings={"sslrootcert": str(other)}).error
        assert f"not signed by a CA in sslrootcert ({other})" in error

    def test_the_authorities_of_the_system_do_not_vouch_for_ours(self, idle_tap: Runner) -> None:
        del idle_tap.config["sslrootcert"]
        assert "not signed by a CA in sslrootcert (system)" in idle_tap().error

    def test_a_certificate_of_another_host_is_refused(self, idle_tap: Runner) -> None:
        error = idle_tap(settings={"host": "0.0.0.0"}).error  # noqa: S104  # reaches this machine too
        assert "its certificate was issued for another host than '0.0.0.0'" in error

    def test_only_verify_full_looks_at_the_host(self, tap: Runner, execute: Execute) -> None:
        execute("create table t (i int)")
        host = "0.0.0.0"  # noqa: S104  # as above
        tap.sync(settings={"host": host, "sslmode": "verify-ca"})

    def test_a_missing_authority_is_named(self, idle_tap: Runner) -> None:
        error = idle_tap(settings={"sslrootcert": "/nowhere/ca.crt"}).error
        assert "the CA file /nowhere/ca.crt cannot be read" in error

    def test_the_server_may_insist_on_tls(self, idle_tap: Runner) -> None:
        error = idle_tap(settings={"sslmode": "disable"}).error
        assert "not in from here with sslmode disable" in error


class Bastion(paramiko.ServerInterface):
    """An SSH server that lets one key in, and forwards to where the client wants."""

    def __init__(self, client_key: paramiko.PKey, *, does_forward: bool) -> None:
        self.host_key = paramiko.RSAKey.generate(2048)
        self._client_key = client_key
        self._does_forward = does_forward
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._transports: list[paramiko.Transport] = []
        self.targets: dict[int, tuple[str, int]] = {}
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def known_hosts(self) -> str:
        name, key = self.host_key.get_name(), self.host_key.get_base64()
        return f"[127.0.0.1]:{self.port} {name} {key}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # else a blocked accept keeps it open
        self._listener.close()
        for transport in self._transports:
            transport.close()

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_known = username == "jump" and key == self._client_key
        return paramiko.AUTH_SUCCESSFUL if is_known else paramiko.AUTH_FAILED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        del origin
        if not self._does_forward:
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        self.targets[chanid] = destination
        return paramiko.OPEN_SUCCEEDED

    def _serve(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve_client, args=(connection,), daemon=True).start()

    def _serve_client(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(self.host_key)
        self._transports.append(transport)
        # A client that does not like our key, or is refused, just leaves.
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=self)
            channel = transport.accept(10)
            if channel is not None:
                database = socket.create_connection(self.targets[channel.get_id()])
                threading.Thread(target=copy, args=(channel, database), daemon=True).start()
                copy(database, channel)


def copy(origin: Any, to: Any) -> None:
    with suppress(OSError, EOFError):
        while data := origin.recv(10_000):
            to.sendall(data)
    for end in (origin, to):
        with suppress(OSError, EOFError):
            end.close()


@pytest.fixture(scope="module")
def client_key() -> paramiko.PKey:
    return paramiko.RSAKey.generate(2048)


class TestSshTunnel:
    @pytest.fixture
    def bastion(self, client_key: paramiko.PKey) -> Iterator[Bastion]:
        bastion = Bastion(client_key, does_forward=True)
        yield bastion
        bastion.close()

    def settings(
        self, bastion: Bastion, key: paramiko.PKey, folder: Path, **changes: Any
    ) -> dict[str, Any]:
        file = folder / "id_of_client"
        key.write_private_key_file(str(file), password=KEY_LOCK)
        tunnel = {
            "enable": True,
            "host": "127.0.0.1",
            "port": bastion.port,
            "username": "jump",
            "private_key": str(file),
            "private_key_password": KEY_LOCK,
            "known_hosts": bastion.known_hosts,
        }
        return {"ssh_tunnel": tunnel | changes}

    def test_rows_come_through_the_tunnel(
        self, tap: Runner, execute: Execute, bastion: Bastion, client_key: Any, tmp_path: Path
    ) -> None:
        execute("create table t as select i, repeat('x', 1000) t from generate_series(1, 3000) i")
        output = tap.sync(settings=self.settings(bastion, client_key, tmp_path))
        assert len(output.records("public-t")) == 3000
        assert list(bastion.targets.values()) == [(tap.database.host, tap.database.port)]

    def test_an_unknown_host_key_is_refused(
        self, idle_tap: Runner, bastion: Bastion, client_key: Any, tmp_path: Path
    ) -> None:
        other = Bastion(client_key, does_forward=True)
        other.close()
        lines = other.known_hosts.replace(f":{other.port}", f":{bastion.port}")
        for known_hosts in (lines, f"elsewhere {lines.split(' ', 1)[1]}"):
            settings = self.settings(bastion, client_key, tmp_path, known_hosts=known_hosts)
            error = idle_tap(settings=settings).error
            assert f"SSH bastion 127.0.0.1:{bastion.port} is not proved to be itself" in error
            assert error.endswith("checked by another way, into ssh_tunnel.known_hosts")
        assert not bastion.targets

    def test_a_key_that_the_bastion_does_not_know_is_refused(
        self, idle_tap: Runner, bastion: Bastion, tmp_path: Path
    ) -> None:
        stranger = paramiko.ECDSAKey.generate()
        error = idle_tap(settings=self.settings(bastion, stranger, tmp_path)).error
        assert "refuses user 'jump' with this key" in error

    def test_a_passphrase_is_asked_for_and_not_told(
        self, idle_tap: Runner, bastion: Bastion, client_key: Any, tmp_path: Path
    ) -> None:
        settings = self.settings(bastion, client_key, tmp_path, private_key_password=None)
        assert "the private key has a passphrase: give it" in idle_tap(settings=settings).error
        settings = self.settings(bastion, client_key, tmp_path, private_key_password=WRONG_LOCK)
        output = idle_tap(settings=settings)
        assert "or the passphrase is wrong" in output.error
        assert WRONG_LOCK not in output.stderr

    def test_a_bastion_that_does_not_forward_is_named(
        self, idle_tap: Runner, client_key: Any, tmp_path: Path
    ) -> None:
        bastion = Bastion(client_key, does_forward=False)
        error = idle_tap(settings=self.settings(bastion, client_key, tmp_path)).error
        bastion.close()
        assert "the SSH bastion 127.0.0.1 cannot reach it" in error

    def test_a_bastion_that_is_down_is_named(
        self, idle_tap: Runner, client_key: Any, tmp_path: Path
    ) -> None:
        bastion = Bastion(client_key, does_forward=True)
        bastion.close()
        error = idle_tap(settings=self.settings(bastion, client_key, tmp_path)).error
        assert f"SSH bastion 127.0.0.1:{bastion.port} does not answer" in error


class TestIamToken:
    @pytest.fixture(autouse=True)
    def aws_identity(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-identity")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")

    def test_the_signed_token_is_the_password(
        self, tap: Runner, execute: Execute, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moment = botocore.auth.get_current_datetime()
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
        from watershed_tap_postgres.iam import auth_token  # noqa: PLC0415
        from watershed_tap_postgres.settings import CONFIG_JSONSCHEMA, Settings, contradictions  # noqa: PLC0415

        config = tap.config | {"iam_auth": True, "iam_region": "eu-central-1"}
        del config["password"]
        config["user"] = user = f"iam_of_{tap.database.dbname}"
        assert check_config(config, CONFIG_JSONSCHEMA, contradictions) == []
        token = auth_token(Settings.from_config(config))
        address, _, query = token.partition("/?")
        assert address == f"{tap.database.host}:{tap.database.port}"
        parts = urllib.parse.parse_qs(query)
        assert parts["DBUser"] == [user]
        assert parts["Action"] == ["connect"]
        assert parts["X-Amz-Expires"] == ["900"]
        assert "/eu-central-1/rds-db/aws4_request" in parts["X-Amz-Credential"][0]

        execute("create table t (i int)")
        execute(f"create role {user} login password '{token}'; grant select on t to {user}")
        tap.config = config
        output = tap.sync()
        assert [m["stream"] for m in output.of("SCHEMA")] == ["public-t"]
        signature = parts["X-Amz-Signature"][0]
        for secret in (token, signature, "of-the-identity"):
            assert secret not in output.stdout + output.stderr

    @pytest.mark.parametrize(
        ("variable", "settings", "problem"),
        [
            ("AWS_ACCESS_KEY_ID", {"iam_region": "eu-central-1"}, "Unable to locate credentials"),
            ("AWS_DEFAULT_REGION", {}, "You must specify a region"),
        ],
    )
    def test_a_machine_without_identity_or_region_is_told(
        self,
        idle_tap: Runner,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
        settings: dict[str, Any],
        problem: str,
    ) -> None:
        monkeypatch.delenv(variable, raising=False)
        del idle_tap.config["password"]
        error = idle_tap(settings={"iam_auth": True} | settings).error
        assert f"no IAM token could be signed ({problem}" in error
        assert "give this process an AWS role or profile, and set iam_region" in error
