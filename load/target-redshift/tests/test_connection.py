"""How we come into Redshift: TLS that is verified, a password or credentials of IAM."""

import gc

import boto3
import pytest
import redshift_connector

from watershed_load_plan import LoadError
from watershed_redshift import (
    ConflictError,
    ConnectionLostError,
    RedshiftError,
)
from watershed_redshift.connection import _judged

pytestmark = [
    pytest.mark.redshift,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROWS = {"id": {"type": "integer"}}


@pytest.fixture(autouse=True)
def _socket_of_the_driver():
    """Collect it here: the driver leaves it open when it is not let in."""
    yield
    gc.collect()


@pytest.mark.standin_only("a cluster's authority is known")
def test_a_certificate_of_an_unknown_authority_is_refused(loader, singer, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(RedshiftError, match=r"cannot be reached: .*(?i:certificate)") as raised:
        loader.load(singer.schema("shop-orders", **ROWS))
    assert "\n" not in str(raised.value)


def test_a_wrong_password_is_one_line_that_does_not_show_it(loader, singer):
    with pytest.raises(RedshiftError, match="cannot be reached") as raised:
        loader.load(singer.schema("shop-orders", **ROWS), password="wrong-secret")  # noqa: S106
    assert "wrong-secret" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.standin_only("makes a cluster in emulated AWS")
def test_a_cluster_lets_us_in_by_temporary_credentials(loader, singer):
    client = boto3.client("redshift", endpoint_url=loader.standin.s3_endpoint)
    client.create_cluster(
        ClusterIdentifier=loader.schema.replace("_", "-"),
        NodeType="ra3.large",
        MasterUsername="admin",
        MasterUserPassword="Unused-password-1",
        DBName=loader.standin.database,
    )
    loader.load(
        singer.schema("shop-orders", **ROWS),
        singer.record("shop-orders", id=1),
        password=None,
        cluster_identifier=loader.schema.replace("_", "-"),
        region="us-east-1",
    )
    client.close()
    assert loader.rows("select id from {raw}.orders") == [(1,)]


@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        ({"password": None}, "set cluster or workgroup"),
        ({"host": None}, "a password for Redshift needs host and user"),
    ],
)
def test_settings_that_do_not_suffice_are_one_line(loader, settings, cure):
    with pytest.raises(LoadError, match=cure):
        loader.load(**settings)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            {"C": "XX000", "M": "1023", "D": "Serializable isolation violation on table"},
            ConflictError,
        ),
        ({"C": "40001", "M": "could not serialize access"}, ConflictError),
        ({"C": "57P01", "M": "terminating connection"}, ConnectionLostError),
        ("connection reset", ConnectionLostError),
        ({"C": "42P01", "M": "relation 1023 does not exist"}, RedshiftError),
    ],
)
def test_an_error_says_how_one_recovers_from_it(said, kind):
    assert type(_judged(redshift_connector.error.ProgrammingError(said))) is kind
