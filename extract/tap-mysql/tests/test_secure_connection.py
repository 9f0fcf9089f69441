"""Who answers is proved before anything is said."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watershed_servers.certificates import write_certificates

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]
Runner = Any  # of conftest.py

ANY_HOST = "0.0.0.0"  # noqa: S104  # reaches this machine, but no certificate bears it


def test_the_connection_is_encrypted(tap: Runner, execute: Execute) -> None:
    execute(
        "create view me as select variable_value as cipher"
        " from information_schema.session_status where variable_name = 'SSL_CIPHER'"
    )
    [record] = tap.sync().records(tap.stream("me"))
    assert record["cipher"].startswith("TLS_")


def test_a_certificate_of_another_authority_is_refused(tap: Runner, tmp_path: Path) -> None:
    write_certificates(tmp_path / "other")
    other = tmp_path / "other" / "ca.crt"
    error = tap(settings={"ssl_ca": str(other)}).error
    assert f"not signed by a CA in ssl_ca ({other})" in error
    assert error.endswith("do not connect before that")


def test_the_authorities_of_the_system_do_not_vouch_for_ours(tap: Runner) -> None:
    del tap.config["ssl_ca"]
    assert "not signed by a CA in ssl_ca (system)" in tap().error


def test_a_certificate_of_another_host_is_refused(tap: Runner) -> None:
    error = tap(settings={"host": ANY_HOST}).error
    assert f"its certificate was issued for another host than '{ANY_HOST}'" in error


@pytest.mark.parametrize("ssl_mode", ["VERIFY_CA", "REQUIRED"])
def test_only_verify_identity_looks_at_the_host(
    tap: Runner, execute: Execute, ssl_mode: str
) -> None:
    execute("create table t (i int)", "insert into t values (7)")
    output = tap.sync(settings={"host": ANY_HOST, "ssl_mode": ssl_mode})
    assert output.records(tap.stream("t")) == [{"i": 7}]


def test_only_required_takes_any_authority(tap: Runner, execute: Execute, tmp_path: Path) -> None:
    execute("create table t (i int)")
    write_certificates(tmp_path / "other")
    other = {"ssl_ca": str(tmp_path / "other" / "ca.crt")}
    tap.sync(settings=other | {"ssl_mode": "REQUIRED"})
    assert "not signed by a CA" in tap(settings=other | {"ssl_mode": "VERIFY_CA"}).error


def test_a_missing_authority_is_named(tap: Runner) -> None:
    error = tap(settings={"ssl_ca": "/nowhere/ca.crt"}).error
    assert "the CA file /nowhere/ca.crt cannot be read" in error


def test_a_client_certificate_that_cannot_be_read_is_named(tap: Runner) -> None:
    settings = {"ssl_cert": "/nowhere/c.crt", "ssl_key": "/nowhere/c.key"}
    assert "the client certificate cannot be read" in tap(settings=settings).error


def test_the_server_may_insist_on_tls(tap: Runner) -> None:
    error = tap(settings={"ssl_mode": "DISABLED"}).error
    assert error.endswith("correct user and password, or ssl_mode")


class TlsStripper:
    """A man in the middle who tells the client that the real server knows no TLS."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self._server = socket.create_connection(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._listener.close()
        self._server.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        greeting = bytearray(self._server.recv(4096))
        capabilities = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1
        assert greeting[capabilities + 1] & 0x08, "the real server has TLS"
        greeting[capabilities + 1] &= ~0x08
        client.sendall(greeting)
        with client:
            while data := client.recv(4096):
                self.heard += data


@pytest.fixture
def stripper(tap: Runner) -> Iterator[TlsStripper]:
    stripper = TlsStripper(tap.database.port)
    yield stripper
    stripper.close()


def test_who_takes_tls_away_hears_nothing(tap: Runner, stripper: TlsStripper) -> None:
    error = tap(settings={"port": stripper.port}).error
    assert "it does not offer TLS" in error
    assert stripper.heard == b""
