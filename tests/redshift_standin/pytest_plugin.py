"""Fixtures: a Redshift that tests of every package share; a stand-in, or a real cluster."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from redshift_standin.cluster import URL_VARIABLE, Cluster, connect
from redshift_standin.standin import Standin

Query = Callable[..., list[tuple[Any, ...]]]


OWN_TESTS = Path(__file__).parent / "tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a cluster, skip what only the stand-in can do."""
    if not os.environ.get(URL_VARIABLE):
        return
    for item in items:
        if item.path.is_relative_to(OWN_TESTS):
            item.add_marker(pytest.mark.skip(reason="tests the stand-in itself"))
        elif mark := item.get_closest_marker("standin_only"):
            item.add_marker(pytest.mark.skip(reason=f"only on the stand-in: {mark.args[0]}"))


@contextmanager
def new_redshift(folder: Path) -> Iterator[Standin | Cluster]:
    """Start a stand-in in a folder; it ends with this process, however that ends.

    Where `WATERSHED_REDSHIFT_URL` is set, make a database on that cluster instead.
    """
    if url := os.environ.get(URL_VARIABLE):
        with Cluster(url, os.environ) as cluster:
            yield cluster
        return
    with Standin(folder, is_throwaway=True) as standin:
        yield standin
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def redshift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin | Cluster]:
    """A Redshift that the tests of this process share."""
    with new_redshift(tmp_path_factory.mktemp("redshift")) as made:
        yield made


@pytest.fixture(scope="session")
def redshift_environment(redshift: Standin | Cluster) -> dict[str, str]:
    """The variables by which a production finds this Redshift."""
    return redshift.environment


@pytest.fixture
def redshift_query(redshift: Standin | Cluster, monkeypatch: pytest.MonkeyPatch) -> Query:
    """Run a statement as the loader, in a session of its own; return its rows."""
    if redshift.ca_file:
        monkeypatch.setenv("SSL_CERT_FILE", str(redshift.ca_file))

    def query(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with connect(redshift) as connection, connection.cursor() as cursor:
            cursor.paramstyle = "qmark"
            cursor.execute(sql, list(parameters) or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return query
