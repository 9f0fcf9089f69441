"""Sling, in the newest version whose package holds its program."""

import platform
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlencode

from watershed_bench.arrivals import Destination
from watershed_bench.measure import Arguments, Command
from watershed_bench.routes import Route, environment, locked_version, login


class Sling(Route):
    """``sling run``, a whole table to DuckDB."""

    name = "sling"
    note = "newer versions download their program at the first start"

    @property
    def version(self) -> str:
        """Of sling and of the DuckDB that it calls."""
        return (
            f"{locked_version('sling', 'sling-linux-amd64')}, "
            f"DuckDB {locked_version('sling', 'duckdb-cli')}"
        )

    @property
    def tls(self) -> str:
        """It knows PostgreSQL's modes; for MySQL, the system's authorities, or none."""
        return "verified: authority and host name"

    @property
    def shown(self) -> str:
        """The command."""
        return (
            "`sling run --src-conn SOURCE --src-stream bench.orders --tgt-conn TARGET "
            "--tgt-object raw.orders --mode full-refresh`"
        )

    def install(self) -> None:
        """Make the environment, and lay the DuckDB extensions that it loads where it looks.

        Raises:
            subprocess.CalledProcessError: this machine is of another kind than the package.
        """
        if platform.machine() != "x86_64":
            raise subprocess.CalledProcessError(1, "sling", stderr="its package is for x86-64 only")
        self._bin = environment(self.places, "sling")
        (packages,) = self._bin.parent.glob("lib/python*/site-packages")
        self._program = packages / "sling_linux_amd64" / "bin" / "sling-linux-amd64"
        self._program.chmod(0o755)
        self._home = self._bin.parent / "home"
        version = f"v{locked_version('sling', 'duckdb-cli')}"
        wanted = self._home / ".duckdb" / "extensions" / version / _platform_of_duckdb(self._bin)
        wanted.mkdir(parents=True, exist_ok=True)
        for extension in packages.glob(f"duckdb_extension_*/extensions/{version}/*_extension"):
            shutil.copy(extension, wanted)

    def destination(self) -> Destination:
        """The file."""
        return Destination(self.folder / "sling.duckdb", "raw")

    def command(self, table: str) -> Command:
        """Tell how to load ``table``."""
        database, ca_file = self.source.database, str(self.source.ca_file)
        scheme = {"postgres": "postgresql", "mysql": "mysql"}[self.source.name]
        protected = {
            "postgres": {"sslmode": "verify-full", "sslrootcert": ca_file},
            "mysql": {"tls": "true"},
        }[self.source.name]
        address = f"{database.user}:{database.password}@{database.host}:{database.port}"
        variables = {
            **login(self.source),
            "HOME": str(self._home),
            "SLING_HOME_DIR": str(self._home / ".sling"),
            "SLING_DISABLE_TELEMETRY": "TRUE",
            "DUCKDB_PATH": str(self._bin / "duckdb"),
            "SSL_CERT_FILE": ca_file,
            "SOURCE": f"{scheme}://{address}/{database.dbname}?{urlencode(protected)}",
            "TARGET": f"duckdb://{self.destination().file}",
        }
        arguments: Arguments = [
            *(self._program, "run", "--src-conn", "SOURCE"),
            *("--src-stream", f"{self.source.schema}.{table}", "--tgt-conn", "TARGET"),
            *("--tgt-object", f"raw.{table}", "--mode", "full-refresh"),
        ]
        return Command(arguments, variables, self.folder)


def _platform_of_duckdb(programs: Path) -> str:
    """Ask DuckDB's command line what it calls this platform, e.g. ``linux_amd64``."""
    asked = subprocess.run(
        [programs / "duckdb", "-noheader", "-list", "-c", "pragma platform"],
        check=True,
        capture_output=True,
        text=True,
    )
    return asked.stdout.strip()
