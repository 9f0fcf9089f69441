"""The variables of a production say where Redshift is; what is wrong with them is one line."""

import pytest

from watershed_redshift import RedshiftError, read_environment

pytestmark = pytest.mark.redshift

PASSWORD = {
    "WATERSHED_REDSHIFT_HOST": "warehouse.example",
    "WATERSHED_REDSHIFT_DATABASE": "datawarehouse",
    "WATERSHED_REDSHIFT_USER": "loader",
    "WATERSHED_REDSHIFT_PASSWORD": "hidden-word",
}
IAM = {
    "WATERSHED_REDSHIFT_DATABASE": "datawarehouse",
    "WATERSHED_REDSHIFT_CLUSTER": "warehouse",
    "WATERSHED_REDSHIFT_USER": "loader",
    "AWS_REGION": "eu-central-1",
}


def test_a_password_leads_to_a_host_whose_certificate_is_verified():
    assert read_environment(PASSWORD).arguments() | {"tcp_keepalive": True} == {
        "host": "warehouse.example",
        "port": 5439,
        "database": "datawarehouse",
        "user": "loader",
        "password": "hidden-word",
        "ssl": True,
        "sslmode": "verify-full",
        "tcp_keepalive": True,
        "application_name": "watershed",
    }


def test_without_a_password_iam_is_asked_about_the_cluster():
    arguments = read_environment({**IAM, "WATERSHED_REDSHIFT_PASSWORD": ""}).arguments()
    assert arguments["iam"] is True
    assert arguments["cluster_identifier"] == "warehouse"
    assert arguments["db_user"] == "loader"
    assert arguments["region"] == "eu-central-1"
    assert "password" not in arguments


def test_without_a_user_the_iam_identity_is_the_user():
    arguments = read_environment({**IAM, "WATERSHED_REDSHIFT_USER": ""}).arguments()
    assert arguments["group_federation"] is True
    assert "db_user" not in arguments


def test_the_password_is_not_in_what_is_shown_of_settings():
    assert "hidden-word" not in repr(read_environment(PASSWORD))


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"WATERSHED_REDSHIFT_DATABASE": ""}, "WATERSHED_REDSHIFT_DATABASE is not set"),
        ({"WATERSHED_REDSHIFT_PORT": "http"}, "WATERSHED_REDSHIFT_PORT is no number: 'http'"),
        ({"WATERSHED_REDSHIFT_USER": ""}, "a password for Redshift needs host and user"),
        ({"WATERSHED_REDSHIFT_PASSWORD": ""}, "no way into Redshift is configured"),
    ],
)
def test_a_variable_that_is_missing_or_wrong_is_named(changed, line):
    with pytest.raises(RedshiftError, match=line) as raised:
        read_environment({**PASSWORD, **changed})
    assert "hidden-word" not in str(raised.value)
