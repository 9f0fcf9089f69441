"""dlt, by two of its backends."""

from typing import ClassVar

from watershed_bench.arrivals import Destination
from watershed_bench.measure import Arguments, Command
from watershed_bench.routes import PROGRAMS, Route, environment, locked_version, login


class DltRoute(Route):
    """A pipeline of dlt's ``sql_table`` to its DuckDB destination."""

    backend: ClassVar[str]

    @property
    def version(self) -> str:
        """Of dlt and what reads for it."""
        reader = locked_version("dlt", self.backend)
        return f"{locked_version('dlt', 'dlt')}, {self.backend} {reader}"

    @property
    def shown(self) -> str:
        """The call."""
        kept = ", return_type='arrow_stream'" if self.backend == "connectorx" else ""
        return (
            f"`sql_table(backend='{self.backend}', chunk_size=100000, "
            f"reflection_level='full_with_precision'{kept})`, "
            "`run(write_disposition='replace', loader_file_format='parquet')`"
        )

    def install(self) -> None:
        """Make the environment."""
        self._bin = environment(self.places, "dlt")

    def destination(self) -> Destination:
        """The file."""
        return Destination(self.folder / "dlt.duckdb", "raw")

    def command(self, table: str) -> Command:
        """Tell how to load ``table``."""
        program = PROGRAMS / "dlt_pipeline.py"
        pipelines = self.folder / "pipelines"
        variables = {
            **login(self.source),
            "DLT_DATA_DIR": str(self.folder / "data"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            "HOME": str(self.folder),
        }
        arguments: Arguments = [
            self._bin / "python",
            program,
            self.backend,
            self.destination().file,
            table,
        ]
        return Command([*arguments, pipelines], variables, self.folder)


class DltConnectorX(DltRoute):
    """dlt's fastest backend."""

    name = "dlt"
    backend = "connectorx"

    @property
    def tls(self) -> str:
        """Tried with another authority, and with a host that the certificate does not name."""
        if self.source.name == "mysql":
            return "verified: authority and host name"
        return "verified: authority; the host name is not, connectorx cannot"


class DltPyArrow(DltRoute):
    """The backend that dlt's documentation names for exact types."""

    name = "dlt-pyarrow"
    backend = "pyarrow"
    share = 0.1
    quick_rounds = 0
    tls = "verified: authority and host name"
