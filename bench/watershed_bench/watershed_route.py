"""Ours: the project's own plugin files and programs, in a project of the comparison's own."""

import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from watershed_bench.arrivals import Destination
from watershed_bench.measure import Command
from watershed_bench.routes import SEARCHED, Route
from watershed_bench.sources import Source

# ---------------------------------------------------------------------------------------------
# What every extractor of the comparison is told beside how to log in; nothing: our taps' own
# defaults are compared. {"batch_config": None} would send RECORDs.
EXTRACTOR_CONFIG: dict[str, Any] = {}
# ---------------------------------------------------------------------------------------------

TAPS = {"postgres": "tap-postgres", "mysql": "tap-mysql", "mongodb": "tap-mongodb"}
CA_SETTINGS = {"postgres": "sslrootcert", "mysql": "ssl_ca", "mongodb": "tls_ca_file"}
LOGIN = ("host", "port", "database", "user", "password")
LOADER = "target-duckdb"
QUARANTINED = "select distinct column_name from ops.quarantine where table_name = ?"


def _schema(source: Source) -> str:
    """Where its tables are loaded; one of its own, for those of all sources have the same names."""
    return f"raw_{source.name}"


class Project:
    """A Meltano project with the repository's plugins and extractors of the comparison's own."""

    def __init__(self, repository: Path, root: Path) -> None:
        self.repository = repository
        self.root = root
        self._extractors: dict[str, dict[str, Any]] = {}

    @property
    def warehouse(self) -> Path:
        """The file that is loaded."""
        return self.root / "output" / "warehouse.duckdb"

    def create(self) -> None:
        """Copy what a job reads, and let it find the programs where it looks for them."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        shutil.copy(self.repository / "meltano.yml", self.root)
        shutil.copytree(self.repository / "environments", self.root / "environments")
        for folder in ("extract", "load", "orchestrate"):
            (self.root / folder).mkdir()
            for file in (self.repository / folder).glob("*.meltano.yml"):
                shutil.copy(file, self.root / folder)
        (self.root / ".venv").symlink_to(self.repository / ".venv")

    def extractor(self, source: Source, table: str, replication: dict[str, str]) -> str:
        """Declare an extractor for one table and return its name."""
        tap = TAPS[source.name]
        name = f"{tap}--{table}"
        variable = f"BENCH_{source.name}".upper()
        config = {setting: f"${variable}_{setting}".upper() for setting in LOGIN}
        stream = f"{source.schema}-{table}"
        wanted = {
            "name": name,
            "inherit_from": tap,
            "load_schema": _schema(source),
            "config": {
                **config,
                CA_SETTINGS[source.name]: f"${variable}_CA",
                **EXTRACTOR_CONFIG,
            },
            "select": [f"{stream}.*"],
            "metadata": {stream: replication},
        }
        if self._extractors.get(name) != wanted:
            self._extractors[name] = wanted
            plugins = {"plugins": {"extractors": list(self._extractors.values())}}
            (self.root / "extract" / "bench.meltano.yml").write_text(yaml.safe_dump(plugins))
        return name

    def clear(self) -> None:
        """Forget what was loaded; what Meltano itself keeps, as catalogs, stays."""
        shutil.rmtree(self.root / "output", ignore_errors=True)
        (self.root / "output" / "logs").mkdir(parents=True)

    def run(self, sources: list[Source], extractors: list[str]) -> Command:
        """Tell how to run ``extractors`` one after another."""
        variables = {"PATH": SEARCHED, "XDG_STATE_HOME": str(self.root / "output" / "logs")}
        variables["HOME"] = os.environ.get("HOME", "/")
        for source in sources:
            database = source.database
            prefix = f"BENCH_{source.name}".upper()
            variables |= {
                f"{prefix}_HOST": database.host,
                f"{prefix}_PORT": str(database.port),
                f"{prefix}_DATABASE": str(database.dbname),
                f"{prefix}_USER": database.user,
                f"{prefix}_PASSWORD": database.password,
                f"{prefix}_CA": str(source.ca_file),
            }
        pairs = [part for extractor in extractors for part in (extractor, LOADER)]
        meltano = self.root / ".venv" / "bin" / "meltano"
        return Command([meltano, "run", *pairs], variables, self.root)


class Watershed(Route):
    """``meltano run``, the tap, the target, bookmarks and ledger: what a job runs."""

    name = "watershed"
    source_names = ("postgres", "mysql", "mongodb")
    tls = "verified: authority and host name"

    @staticmethod
    def versions() -> str:
        """Of the target, and of what runs it."""
        ours = version("watershed-target-duckdb")
        return f"{ours} (Meltano {version('meltano')}, DuckDB {version('duckdb')})"

    @property
    def version(self) -> str:
        """Ours."""
        return self.versions()

    @property
    def shown(self) -> str:
        """The command."""
        return f"`meltano run {TAPS[self.source.name]}--orders {LOADER}`, FULL_TABLE"

    def install(self) -> None:
        """Make the project."""
        self._project = Project(self.places.repository, self.folder)
        self._project.create()

    def clear(self) -> None:
        """Begin with no warehouse."""
        self._project.clear()

    def destination(self) -> Destination:
        """The warehouse."""
        return Destination(self._project.warehouse, _schema(self.source), QUARANTINED)

    def command(self, table: str) -> Command:
        """Tell how to load ``table``."""
        replication = {"replication-method": "FULL_TABLE"}
        extractor = self._project.extractor(self.source, table, replication)
        return self._project.run([self.source], [extractor])
