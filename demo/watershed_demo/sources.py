"""What the company's three databases have in common, and doing the same to all at the same time."""

import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from watershed_demo.exceptions import DemoError
from watershed_demo.timeline import Changes
from watershed_servers import LoopbackServer

READER = "watershed_reader"
Result = TypeVar("Result")
Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Made:
    """How a database was made, and how far its days have come."""

    scale: float
    seed: int
    day: int


@dataclass(frozen=True)
class Login:
    """A superuser of somebody else's server, and who signed the server's certificate."""

    host: str
    port: int
    user: str
    password: str
    ca_file: Path


class Source(ABC):
    """One database of the company, on a server of our own or one that somebody else runs.

    Args:
        project: where ``output/`` is.
        url: of somebody else's server, as a superuser, e.g.
            ``mysql://root:PASSWORD@127.0.0.1:3306/?ssl_ca=/path/of/ca.crt``; None for our own.

    Raises:
        DemoError: a part of the URL is missing.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = "rows"
    scheme: ClassVar[str]
    url_variable: ClassVar[str]
    ca_parameter: ClassVar[str]
    default_port: ClassVar[int]
    prefix: ClassVar[str]

    def __init__(self, project: Path, url: str | None = None) -> None:
        self.project = project
        self.login = None if url is None else self._parse(url)

    @property
    @abstractmethod
    def server(self) -> LoopbackServer:
        """Our own server, running or not."""

    @abstractmethod
    def address(self) -> str:
        """Tell host and port."""

    @abstractmethod
    def made(self) -> Made | None:
        """Tell how the database was made; None when there is none."""

    @abstractmethod
    def generate(self, *, scale: float, seed: int, report: Report) -> None:
        """Make the database and its history, in place of one that was not finished."""

    @abstractmethod
    def admit_reader(self, password: str) -> dict[str, str]:
        """Let the reader read the database, and nothing else, and tell the settings to do so."""

    @abstractmethod
    def apply_day(self, day: int) -> dict[str, Changes]:
        """Apply that day, which must be the next."""

    @abstractmethod
    def count(self) -> dict[str, int]:
        """Count the rows of each table."""

    def is_running(self) -> bool:
        """Whether the server takes connections, as far as we know."""
        return self.login is not None or self.server.is_running()

    def start(self) -> None:
        """Start our own server, unless it runs."""
        if self.login is None:
            self.server.start()

    def require_running(self) -> None:
        """See that the server runs.

        Raises:
            DemoError: it is our own, and does not.
        """
        if not self.is_running():
            raise DemoError(f"the demo's {self.title} is not running: run `watershed-demo up`")

    def _parse(self, url: str) -> Login:
        parts = urllib.parse.urlsplit(url)
        ca_file = dict(urllib.parse.parse_qsl(parts.query)).get(self.ca_parameter)
        found = {
            "host": parts.hostname,
            "user": parts.username,
            "password": parts.password,
            self.ca_parameter: ca_file,
        }
        missing = [name for name, value in found.items() if not value]
        if missing or parts.scheme != self.scheme:
            raise DemoError(
                f"{self.url_variable} lacks {', '.join(missing) or self.scheme}: give "
                f"{self.scheme}://USER:PASSWORD@HOST:PORT/?{self.ca_parameter}=/path/of/ca.crt"
            )
        return Login(
            host=str(parts.hostname),
            port=parts.port or self.default_port,
            user=urllib.parse.unquote(str(parts.username)),
            password=urllib.parse.unquote(str(parts.password)),
            ca_file=Path(str(ca_file)).resolve(),
        )


def at_once(sources: Iterable[Source], action: Callable[[Source], Result]) -> Mapping[str, Result]:
    """Do the same to each source, all at the same time.

    Returns:
        The results by the sources' names.

    Raises:
        Exception: that of the first source that failed, once all have ended.
    """
    with ThreadPoolExecutor() as pool:
        begun = {source.name: pool.submit(action, source) for source in sources}
    return {name: future.result() for name, future in begun.items()}
