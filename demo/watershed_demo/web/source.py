"""The database "web" on a server that speaks MongoDB's protocol: its reader, its data."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from pymongo.database import Database

from watershed_demo.sources import READER, Made, Report, Source
from watershed_demo.timeline import Changes
from watershed_demo.web.days import apply_web_day
from watershed_demo.web.documents import Document
from watershed_demo.web.history import COLLECTIONS, company, generate_web
from watershed_servers import DocumentDatabase, DocumentServer

DATABASE = "web"


class WebSource(Source):
    """The website; see `Source`."""

    name = "web"
    title = "SecantusDB"
    unit = "documents"
    scheme = "mongodb"
    url_variable: ClassVar = "DEMO_MONGODB_URL"
    ca_parameter = "tlsCAFile"
    default_port: ClassVar = 27017
    prefix = "WEB_MONGODB"

    @property
    def server(self) -> DocumentServer:
        """Our own server, running or not."""
        return DocumentServer(self.project / "output" / "demo" / "documents")

    def address(self) -> str:
        """Tell host and port."""
        administrator = self._administrator()
        return f"{administrator.host}:{administrator.port}"

    def made(self) -> Made | None:
        """Tell how the website was made; None when there is none, or one that was not finished."""
        with self._database() as database:
            found = company(database).find_one({"_id": 1})
            return Made(found["scale"], found["seed"], found["day"]) if found else None

    def generate(self, *, scale: float, seed: int, report: Report) -> None:
        """Make the database and its history, in place of one that was not finished."""
        with self._database() as database:
            database.client.drop_database(DATABASE)
            generate_web(database, scale=scale, seed=seed, report=report)

    def admit_reader(self, password: str) -> dict[str, str]:
        """Let the reader read the website, and nothing else."""
        administrator = self._administrator()
        roles = [{"role": "read", "db": DATABASE}]
        with administrator.connect() as client:
            known = client.admin.command("usersInfo", READER)["users"]
            command = "updateUser" if known else "createUser"
            client.admin.command(command, READER, pwd=password, roles=roles)
        return {
            "WEB_MONGODB_HOST": administrator.host,
            "WEB_MONGODB_PORT": str(administrator.port),
            "WEB_MONGODB_DATABASE": DATABASE,
            "WEB_MONGODB_USER": READER,
            "WEB_MONGODB_PASSWORD": password,
            "WEB_MONGODB_TLS_CA": str(administrator.ca_file),
        }

    def apply_day(self, day: int) -> dict[str, Changes]:
        """Apply that day, which must be the next."""
        with self._database() as database:
            return apply_web_day(database, day=day)

    def count(self) -> dict[str, int]:
        """Count the documents of each collection."""
        with self._database() as database:
            return {name: database[name].estimated_document_count() for name in COLLECTIONS}

    @contextmanager
    def _database(self) -> Iterator[Database[Document]]:
        with self._administrator().connect() as client:
            yield client[DATABASE]

    def _administrator(self) -> DocumentDatabase:
        """Tell how to connect as a superuser."""
        if self.login is not None:
            return DocumentDatabase(dbname="admin", **vars(self.login))
        self.require_running()
        return self.server.database()
