"""A fixture: a stand-in that tests of every package share."""

import shutil
from collections.abc import Iterator

import pytest

from redshift_standin.standin import Standin


@pytest.fixture(scope="session")
def redshift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A running stand-in of this test process; it ends with the process, however that ends."""
    with Standin(tmp_path_factory.mktemp("redshift"), is_throwaway=True) as standin:
        yield standin
    shutil.rmtree(standin.folder)
