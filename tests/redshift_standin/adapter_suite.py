"""dbt's own tests of an adapter, with dbt-redshift on the stand-in: evidence, minutes long.

It is not collected with the other tests, and dbt's code warns of much that ours must not:
``.venv/bin/pytest -W ignore -p dbt.tests.fixtures.project tests/redshift_standin/adapter_suite.py``
"""

import importlib
import inspect
import os
import pkgutil

import pytest

GROUPS = ("basic", "utils", "empty", "grants", "incremental", "persist_docs", "simple_snapshot")
EXCLUDED = {
    "BaseBasicSeedTests": "sends several statements as one prepared statement",
    "BaseGetCatalogForSingleRelation": "dbt-redshift has no get_catalog_for_single_relation",
    "BaseSnapshotCheckCols": "writes longer texts than the varchar(9) that its seed makes",
    "BaseSnapshotTimestamp": "writes longer texts than the varchar(9) that its seed makes",
    "BaseCurrentTimestamp": "is the parent of the two that tell whether there is a zone",
    "BaseCurrentTimestampAware": "Redshift's getdate() has no zone",
    "BaseDocsGenerate": "expects PostgreSQL's text, and no statistics, in the catalog",
    "BaseDocsGenReferences": "expects PostgreSQL's text, and no statistics, in the catalog",
    "BaseSnapshotColumnNames": "sends several statements as one prepared statement",
    "BaseSnapshotColumnNamesFromDbtProject": "sends several statements as one prepared statement",
    "BaseSnapshotMultiUniqueKey": "sends several statements as one prepared statement",
    "BaseSnapshotDbtValidToCurrent": "calls date(), which Redshift's documents do not have",
    "BasePersistDocsQuotedDescriptionNotAppliedOnMismatch": "wants names whose case is kept",
    "BaseTestEmptySeedFlag": "runs `dbt seed --empty`, which dbt-core 1.11 has not",
    "BaseArrayUtils": "is the parent of the tests of arrays and has no models",
    "BaseCurrentTimestamps": "each adapter states its own types",
    "BaseCalculateFreshnessMethod": "asks now(), which only Redshift's leader node has",
}
"""Classes that are not run, and why."""


@pytest.fixture(scope="class")
def dbt_profile_target(redshift):
    """How dbt reaches the stand-in; Amazon's driver takes a CA file from the environment only."""
    os.environ["SSL_CERT_FILE"] = str(redshift.ca_file)
    with redshift.postgres.database(redshift.database).connect() as connection:
        for number in (1, 2, 3):  # those to whom the tests of grants give rights
            name = f"dbt_test_user_{number}"
            os.environ[name.upper()] = name
            if not connection.execute(
                "select 1 from pg_roles where rolname = %s", [name]
            ).fetchone():
                connection.execute(f"create role {name} login")
    return {
        "type": "redshift",
        "host": redshift.host,
        "port": redshift.port,
        "user": redshift.user,
        "pass": redshift.password,
        "dbname": redshift.database,
        "sslmode": "verify-full",
        "threads": 2,
    }


def _classes():
    for group in GROUPS:
        package = importlib.import_module(f"dbt.tests.adapter.{group}")
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for name, member in vars(module).items():
                is_own = inspect.isclass(member) and member.__module__ == module.__name__
                if is_own and name.startswith("Base") and _has_tests(member):
                    yield name, member


def _has_tests(member):
    return any(name.startswith("test") for name in dir(member))


for class_name, base in _classes():
    if class_name not in EXCLUDED:
        globals()[f"Test{class_name}"] = type(f"Test{class_name}", (base,), {})
