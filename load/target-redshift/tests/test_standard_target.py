"""The Singer SDK's own tests of a target."""

import pytest
from singer_sdk.testing import get_target_test_class

from watershed_target_redshift.target import TargetRedshift

pytestmark = [
    pytest.mark.redshift,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

UNSET = {"database": "unset", "staging_bucket": "unset", "host": "h", "user": "u", "password": "p"}
StandardTests = get_target_test_class(TargetRedshift, config=UNSET)


class TestTargetRedshift(StandardTests):
    """All standard tests, each with a schema of its own."""

    @pytest.fixture(autouse=True)
    def own_schema(self, loader, monkeypatch):
        original = TargetRedshift.__init__

        def with_own_schema(target, *, config=None, **options):
            original(target, config={**config, **loader.config}, **options)

        monkeypatch.setattr(TargetRedshift, "__init__", with_own_schema)
