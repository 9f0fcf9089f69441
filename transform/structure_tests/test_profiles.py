"""The profile of production says how to reach Redshift in each of the ways that its page names."""

import os
from argparse import Namespace
from pathlib import Path

import pytest
from dbt.adapters.redshift.connections import get_connection_method
from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context

pytestmark = pytest.mark.redshift

PREFIX = "WATERSHED_REDSHIFT_"


@pytest.fixture
def connect_as(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what the driver is told where these variables, and no others, are set."""

    def told(**variables: str):
        for name in ("HOST", "PORT", "USER", "PASSWORD", "CLUSTER", "WORKGROUP", "DATABASE"):
            monkeypatch.setenv(f"{PREFIX}{name}", variables.get(name, ""))
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        set_invocation_context(dict(os.environ))
        set_from_args(Namespace(profiles_dir=str(project / "profiles")), None)
        profile = Profile.render(ProfileRenderer({}), "watershed", target_override="prod")
        return _arguments(get_connection_method(profile.credentials))

    return told


def _arguments(connect):
    """Take out of dbt's function what it would give to the driver."""
    seen = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "redshift_connector.connect", lambda **kwargs: seen.update(kwargs) or Cursor()
        )
        connect()
    return seen


class Cursor:
    """What dbt asks of a connection right after it was made."""

    def cursor(self):
        return self

    def execute(self, *_):
        return self

    def __setattr__(self, *_):
        """Take any setting."""


def test_a_workgroup_is_serverless(connect_as):
    told = connect_as(WORKGROUP="analytics", DATABASE="datawarehouse")
    assert told["serverless_work_group"] == "analytics"
    assert told["iam"] is True
    assert told["cluster_identifier"] is None


def test_a_cluster_is_reached_by_iam(connect_as):
    told = connect_as(CLUSTER="company-data-warehouse", DATABASE="datawarehouse")
    assert told["cluster_identifier"] == "company-data-warehouse"
    assert told["iam"] is True
    assert told["serverless_work_group"] is None


def test_a_password_goes_to_a_host(connect_as):
    told = connect_as(HOST="warehouse.test", USER="etl", PASSWORD="x", DATABASE="d", CLUSTER="c")  # noqa: S106
    assert (told["host"], told["user"]) == ("warehouse.test", "etl")
    assert not told.get("iam")
    assert told["sslmode"] == "verify-full"
