"""Stock Singer: published taps, and a published target; for MongoDB, taps alone."""

import json
import subprocess
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from watershed_bench.arrivals import Destination
from watershed_bench.measure import Arguments, Command, RunFailedError, complaint
from watershed_bench.routes import Places, Route, environment, locked_version, login
from watershed_bench.sources import Source
from watershed_bench.watershed_route import EXTRACTOR_CONFIG, Watershed

FULL_TABLE = {"replication-method": "FULL_TABLE"}


class TapRoute(Route):
    """A tap that is run without Meltano; discovery is not measured."""

    replication: ClassVar[dict[str, str]] = FULL_TABLE

    def __init__(self, places: Places, source: Source) -> None:
        super().__init__(places, source)
        self._catalogs: dict[str, str] = {}

    @abstractmethod
    def tap(self) -> Path:
        """The tap's program."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The tap's configuration."""

    @property
    def variables(self) -> dict[str, str]:
        """The tap's environment."""
        # Taps that trust the system's authorities only trust the server's by this.
        trust = {"SSL_CERT_FILE": str(self.source.ca_file)}
        return {**login(self.source), **trust, "HOME": str(self.folder)}

    def arguments(self, table: str) -> Arguments:
        """Write configuration and catalog; return the tap's command line."""
        config, catalog = self.folder / "tap.json", self.folder / "catalog.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(self.config()))
        if table not in self._catalogs:
            self._catalogs[table] = self._discover([self.tap(), "--config", config], table)
        catalog.write_text(self._catalogs[table])
        return [self.tap(), "--config", config, "--catalog", catalog]

    def _discover(self, tap: Arguments, table: str) -> str:
        """Let the tap say what there is, and select ``table``.

        Raises:
            RunFailedError: it does not say.
        """
        found = subprocess.run(
            [*tap, "--discover"],
            env=self.variables,
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        if found.returncode:
            raise RunFailedError(f"discovery: {complaint(found.stderr, self.variables)}")
        streams = [
            stream
            for stream in json.loads(found.stdout)["streams"]
            if stream["tap_stream_id"].endswith(("-" + table, "_" + table))
            or (stream["tap_stream_id"] == table)
        ]
        for stream in streams:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"] |= {"selected": True, **self.replication}
        return json.dumps({"streams": streams})


class Singer(TapRoute):
    """The tap of most stars for the database, into the published target for DuckDB."""

    name = "singer"
    share = 0.05
    quick_rounds = 1
    taps: ClassVar = {
        "postgres": "meltanolabs-tap-postgres",
        "mysql": "pipelinewise-tap-mysql",
    }

    @property
    def version(self) -> str:
        """Of tap and target."""
        tap = self.taps[self.source.name]
        version = locked_version(f"singer-tap-{self.source.name}", tap)
        target = locked_version("singer-target-duckdb", "target-duckdb")
        return f"{tap} {version}, target-duckdb {target}"

    @property
    def tls(self) -> str:
        """The tap of MySQL verifies only with a client's certificate."""
        if self.source.name == "postgres":
            return "verified: authority and host name"
        return "not verified: the tap encrypts, but takes any certificate unless the client has one"

    @property
    def shown(self) -> str:
        """The command."""
        return (
            f"`tap-{self.source.name} --catalog … \\| target-duckdb`, FULL_TABLE, without Meltano"
        )

    def install(self) -> None:
        """Make two environments."""
        self._tap = environment(self.places, f"singer-tap-{self.source.name}")
        self._target = environment(self.places, "singer-target-duckdb")

    def tap(self) -> Path:
        """The tap's program."""
        return self._tap / f"tap-{self.source.name}"

    def config(self) -> dict[str, Any]:
        """How the tap logs in."""
        database = self.source.database
        known = {
            "host": database.host,
            "port": database.port,
            "user": database.user,
            "password": database.password,
        }
        if self.source.name == "mysql":
            return {**known, "port": str(database.port), "ssl": "true", "filter_dbs": "bench"}
        return {
            **known,
            "database": database.dbname,
            "filter_schemas": [self.source.schema],
            "ssl_enable": True,
            "ssl_mode": "verify-full",
            "ssl_certificate_authority": str(self.source.ca_file),
        }

    def destination(self) -> Destination:
        """The file."""
        return Destination(self.folder / "singer.duckdb", "raw")

    def command(self, table: str) -> Command:
        """Tell how to load ``table``."""
        target = self.folder / "target.json"
        settings = {"path": str(self.destination().file), "default_target_schema": "raw"}
        target.write_text(json.dumps(settings))
        tap = " ".join(f"'{part}'" for part in self.arguments(table))
        loaded = f"'{self._target / 'target-duckdb'}' --config '{target}'"
        pipe = ["bash", "-c", f"set -o pipefail; {tap} | {loaded}"]
        return Command(pipe, self.variables, self.folder)


class MongoTap(TapRoute):
    """A tap for MongoDB alone, whose output goes into a file."""

    source_names = ("mongodb",)
    tls = "verified: authority and host name"
    note = "the tap alone, into a file; its records are counted"
    quick_rounds = 1
    baseline = "watershed-tap"
    lock: ClassVar[str]
    package: ClassVar[str]

    @property
    def version(self) -> str:
        """Of the tap."""
        return f"{self.package} {locked_version(self.lock, self.package)}"

    @property
    def shown(self) -> str:
        """The command."""
        method = self.replication["replication-method"]
        return f"`tap-mongodb --catalog … > FILE`, {method}, without Meltano"

    def install(self) -> None:
        """Make the environment."""
        self._bin = environment(self.places, self.lock)

    def tap(self) -> Path:
        """The tap's program."""
        return self._bin / "tap-mongodb"

    def config(self) -> dict[str, Any]:
        """How the two taps of one family log in: ``database`` is where the account is."""
        database = self.source.database
        return {
            "host": database.host,
            "port": str(database.port),
            "user": database.user,
            "password": database.password,
            "database": "admin",
            "ssl": "true",
        }

    def command(self, table: str) -> Command:
        """Tell how to read ``table``."""
        arguments = ["/bin/sh", "-c", 'exec "$@" > output', "sh", *self.arguments(table)]
        return Command(arguments, self.variables, self.folder)

    def arrived(self, table: str) -> int:  # noqa: ARG002  # the output is that of one table
        """Count the records of the last run, and the rows of the files that it names."""
        rows = 0
        for line in (self.folder / "output").read_text().splitlines():
            message = json.loads(line)
            # MeltanoLabs' tap ends a read with a record that holds nothing.
            rows += message["type"] == "RECORD" and any(message["record"].values())
            if message["type"] == "BATCH":
                rows += duckdb.read_parquet(message["manifest"]).shape[0]
        return rows


class SingerMongo(MongoTap):
    """Singer's own."""

    name = "singer"
    lock = "singer-tap-mongodb"
    package = "tap-mongodb"


class PipelineWiseMongo(MongoTap):
    """PipelineWise's."""

    name = "singer-pipelinewise"
    quick_rounds = 0
    lock = "singer-pipelinewise-tap-mongodb"
    package = "pipelinewise-tap-mongodb"

    def config(self) -> dict[str, Any]:
        """As its relative, but it also wants to know what to read."""
        database = str(self.source.database.dbname)
        return {**super().config(), "auth_database": "admin", "database": database}


class MeltanoLabsMongo(MongoTap):
    """MeltanoLabs': it refuses FULL_TABLE, so it reads all that is newer than nothing."""

    name = "singer-meltanolabs"
    quick_rounds = 0
    lock = "singer-meltanolabs-tap-mongodb"
    package = "meltanolabs-tap-mongodb"
    replication: ClassVar = {
        "replication-method": "INCREMENTAL",
        "replication-key": "replication_key",
    }

    def config(self) -> dict[str, Any]:
        """A connection string."""
        database = self.source.database
        login = f"{database.user}:{database.password}@{database.host}:{database.port}"
        return {
            "database": str(database.dbname),
            "mongodb_connection_string": (
                f"mongodb://{login}/?authSource=admin&tls=true&tlsCAFile={self.source.ca_file}"
            ),
            "filter_collections": [],
        }


class WatershedTap(MongoTap):
    """Our tap alone, for what the others are compared with."""

    name = "watershed-tap"

    @property
    def version(self) -> str:
        """Ours."""
        return Watershed.versions()

    def install(self) -> None:
        """Nothing: it is in the project's environment."""

    def tap(self) -> Path:
        """The tap's program."""
        return self.places.repository / ".venv" / "bin" / "watershed-tap-mongodb"

    def config(self) -> dict[str, Any]:
        """As `Watershed` is told."""
        database = self.source.database
        return {
            "host": database.host,
            "port": database.port,
            "database": str(database.dbname),
            "user": database.user,
            "password": database.password,
            "tls_ca_file": str(self.source.ca_file),
            **EXTRACTOR_CONFIG,
        }
