"""What is compared: a way to bring one table from a source into a DuckDB file."""

import hashlib
import os
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from watershed_bench.arrivals import Destination
from watershed_bench.measure import Command
from watershed_bench.sources import Source

LOCKS = Path(__file__).parents[1] / "requirements"
PROGRAMS = Path(__file__).with_name("programs")
SEARCHED = os.environ.get("PATH", "/usr/bin:/bin")


@dataclass(frozen=True)
class Places:
    """Where things stand.

    Attributes:
        repository: this repository.
        work: where everything that the comparison generates goes.
    """

    repository: Path
    work: Path

    @property
    def uv(self) -> Path:
        """The installer that the project pins."""
        return self.repository / ".venv" / "bin" / "uv"


class Route(ABC):
    """A way from one source to a file.

    Attributes:
        name: as the results call it.
        source_names: the sources that it reads.
        share: of the rows of the fastest routes, how many it is given: a slow one would take hours.
        quick_rounds: how often it runs in a quick comparison, 0 for not at all; None for as often
            as the fast ones.
        tls: whether the server's certificate is verified on the way.
        note: what a reader of the figures has to know beside.
        baseline: the route of ours that it is compared with.
    """

    name: ClassVar[str]
    source_names: ClassVar[tuple[str, ...]] = ("postgres", "mysql")
    share: ClassVar[float] = 1.0
    quick_rounds: ClassVar[int | None] = None
    note: ClassVar[str] = ""
    baseline: ClassVar[str] = "watershed"

    def __init__(self, places: Places, source: Source) -> None:
        self.places = places
        self.source = source
        self.folder = places.work / "routes" / f"{source.name}-{self.name}"

    @property
    @abstractmethod
    def version(self) -> str:
        """Of what is compared."""

    @property
    @abstractmethod
    def tls(self) -> str:
        """How far the connection to the source is protected."""

    @property
    @abstractmethod
    def shown(self) -> str:
        """The command or the call, for a reader."""

    @abstractmethod
    def install(self) -> None:
        """Make the environment and whatever lasts from run to run."""

    @abstractmethod
    def command(self, table: str) -> Command:
        """Tell how to bring ``table`` over."""

    def destination(self) -> Destination | None:
        """Tell where the rows arrive; None for a route that throws them away."""
        return None

    def arrived(self, table: str) -> int | None:
        """Count the rows of ``table`` that arrived; None for a route that reads only."""
        destination = self.destination()
        return None if destination is None else destination.count(table)

    def clear(self) -> None:
        """Forget earlier runs, so that the next one begins with no file."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)


def environment(places: Places, name: str) -> Path:
    """Install ``bench/requirements/<name>.lock`` into an environment of its own, once.

    Returns:
        The environment's folder with programs.

    Raises:
        subprocess.CalledProcessError: the lock cannot be installed here.
    """
    lock = LOCKS / f"{name}.lock"
    folder = places.work / "environments" / name
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        python = folder / "bin" / "python"
        subprocess.run(
            [places.uv, "venv", "--quiet", "--allow-existing", folder],
            check=True,
            capture_output=True,
            text=True,
        )
        subprocess.run(
            [
                *(places.uv, "pip", "install", "--quiet", "--python", python),
                # The lock is all of it; one that overrides pins would be refused else.
                *("--no-deps", "--require-hashes", "-r", lock),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        stamp.write_text(wanted)
    return folder / "bin"


def locked_version(lock: str, package: str) -> str:
    """Read the version of ``package`` that ``bench/requirements/<lock>.lock`` pins."""
    pinned = rf"^{package}(?:\[.*\])?==(\S+)"
    found = re.search(pinned, (LOCKS / f"{lock}.lock").read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{lock}.lock does not pin {package}")
    return found[1]


def login(source: Source) -> dict[str, str]:
    """What a peer's program needs to log in, as environment variables."""
    database = source.database
    return {
        "PATH": SEARCHED,
        "BENCH_KIND": source.name,
        "BENCH_HOST": database.host,
        "BENCH_PORT": str(database.port),
        "BENCH_USER": database.user,
        "BENCH_PASSWORD": database.password,
        "BENCH_DATABASE": str(database.dbname),
        "BENCH_SCHEMA": source.schema,
        "BENCH_CA": str(source.ca_file),
    }
