"""Sources that our taps load, and the project that compares them."""

import io
from contextlib import redirect_stdout

import duckdb
import pytest

from watershed.proof.reconcile import Wish, reconcile
from watershed.settings import Settings
from watershed_tap.testing import Runner
from watershed_tap_mysql.tap import TapMySQL
from watershed_tap_postgres.tap import TapPostgres
from watershed_target_duckdb.target import TargetDuckDB

EXTRACTORS = """
plugins:
  extractors:
  - {name: tap-postgres--shop, inherit_from: tap-postgres}
  - {name: tap-mysql--crm, inherit_from: tap-mysql}
"""
STATE_ID = "test:{}-to-target-duckdb"


class Company:
    """One source, loaded by its tap, and compared."""

    def __init__(self, folder, tap, extractor):
        self.tap = tap
        self.extractor = extractor
        self.catalog = None
        self._state = None
        (folder / "extract").mkdir()
        (folder / "output").mkdir()
        (folder / "meltano.yml").write_text("project_id: test\n")
        (folder / "extract" / "extractors.meltano.yml").write_text(EXTRACTORS)
        self.settings = Settings.read({}, folder)

    def load(self):
        """Load as Meltano does: from the last bookmark on."""
        files = {"catalog": self.catalog} if self.catalog else {}
        if self._state:
            files["state"] = self._state
        output = self.tap.sync(**files)
        self._state = output.state
        config = {
            "warehouse": str(self.settings.warehouse),
            "state_id": STATE_ID.format(self.extractor),
            "default_target_schema": "raw",
            "quarantine_limit": 1_000_000,
        }
        with redirect_stdout(io.StringIO()):
            TargetDuckDB(config=config).listen(io.StringIO(output.stdout))

    def forget(self):
        """Have no warehouse, and no bookmark."""
        self.settings.warehouse.unlink(missing_ok=True)
        self._state = None

    def reconcile(self, **wish):
        """Compare; by stream what was found."""
        found = reconcile(self.settings, Wish(**wish), {self.extractor: dict(self.tap.config)})
        return {each.stream.partition("-")[2]: each for each in found}

    def run_sql(self, sql):
        """Change the warehouse behind the ledger's back."""
        with duckdb.connect(self.settings.warehouse) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(sql).fetchall()


def login(database):
    names = ("host", "port", "user", "password")
    return {name: getattr(database, name) for name in names} | {"database": database.dbname}


@pytest.fixture
def shop(postgres_database, tmp_path):
    """A PostgreSQL source."""
    config = login(postgres_database) | {"sslrootcert": str(postgres_database.ca_file)}
    tap = Runner(TapPostgres, postgres_database, config, tmp_path)
    return Company(tmp_path, tap, "tap-postgres--shop")


@pytest.fixture
def crm(mariadb_database, tmp_path):
    """A MariaDB source."""
    config = login(mariadb_database) | {"ssl_ca": str(mariadb_database.ca_file)}
    tap = Runner(TapMySQL, mariadb_database, config, tmp_path)
    return Company(tmp_path, tap, "tap-mysql--crm")
