"""A real cluster in the place of the stand-in: what must be said about it."""

import pytest

from redshift_standin.cluster import Cluster

pytestmark = pytest.mark.redshift

URL = "redshift://tester:p%40ss@cluster.example:5440/dev"
BESIDE = {
    "WATERSHED_REDSHIFT_BUCKET": "bucket",
    "WATERSHED_REDSHIFT_ROLE": "arn:aws:iam::123456789012:role/copy",
    "AWS_REGION": "eu-central-1",
}


def test_its_address_says_all_that_a_production_needs():
    cluster = Cluster(URL, BESIDE)
    assert cluster.environment == {
        **BESIDE,
        "WATERSHED_REDSHIFT_HOST": "cluster.example",
        "WATERSHED_REDSHIFT_PORT": "5440",
        "WATERSHED_REDSHIFT_DATABASE": "dev",
        "WATERSHED_REDSHIFT_USER": "tester",
        "WATERSHED_REDSHIFT_PASSWORD": "p@ss",
        "WATERSHED_REDSHIFT_PREFIX": cluster.name,
    }


def test_each_run_has_a_database_and_a_folder_of_its_own():
    assert Cluster(URL, BESIDE).name != Cluster(URL, BESIDE).name


@pytest.mark.parametrize("missing", BESIDE)
def test_what_is_missing_beside_it_is_named(missing):
    with pytest.raises(ValueError, match=f"missing: {missing}"):
        Cluster(URL, {**BESIDE, missing: ""})


@pytest.mark.parametrize("url", ["redshift://host:5439/dev", "cluster.example"])
def test_an_address_without_user_and_password_is_refused(url):
    with pytest.raises(ValueError, match=r"redshift://user:password@host:5439/database"):
        Cluster(url, BESIDE)
