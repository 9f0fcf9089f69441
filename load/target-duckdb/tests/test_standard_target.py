"""The Singer SDK's own tests of a target."""

import pytest
from singer_sdk.testing import get_target_test_class

from watershed_target_duckdb.target import TargetDuckDB

pytestmark = [
    pytest.mark.load,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

StandardTests = get_target_test_class(TargetDuckDB, config={"warehouse": "unset"})


class TestTargetDuckDB(StandardTests):
    """All standard tests, each on a warehouse of its own."""

    @pytest.fixture(autouse=True)
    def own_warehouse(self, tmp_path, monkeypatch):
        original = TargetDuckDB.__init__

        def with_own_path(target, *, config=None, **options):
            original(target, config={**config, "warehouse": str(tmp_path / "w.duckdb")}, **options)

        monkeypatch.setattr(TargetDuckDB, "__init__", with_own_path)
