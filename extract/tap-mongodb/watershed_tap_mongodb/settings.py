"""The tap's settings: their JSON schema, for Singer, and one frozen object, for the tap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from singer_sdk import typing as th

from watershed_tap import privacy
from watershed_tap.bulk import BulkSettings
from watershed_tap.privacy import PrivacySettings
from watershed_tap.settings import (
    DEFAULT_CONNECT_TIMEOUT_SECONDS,
    DEFAULT_OVERLAP_SECONDS,
    READ_PROPERTIES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_PROFILE_DOCUMENTS = 25_000

CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property("host", th.StringType, description="Server; its certificate's name"),
    th.Property("port", th.IntegerType, default=27017, description="Port of the server"),
    th.Property("database", th.StringType, required=True, description="Database to read"),
    th.Property("user", th.StringType, description="User to read as"),
    th.Property("password", th.StringType, secret=True, description="The user's password"),
    th.Property(
        "auth_source",
        th.StringType,
        default="admin",
        description="Database that keeps the user's account",
    ),
    th.Property(
        "uri",
        th.StringType,
        secret=True,
        description="Connection string, instead of host, user and password: mongodb+srv://…",
    ),
    th.Property(
        "tls",
        th.BooleanType,
        default=True,
        description="Connect by TLS, with certificate and host name verified",
    ),
    th.Property(
        "tls_ca_file",
        th.StringType,
        description="File of the CA that signed the server's certificate; by default the system's",
    ),
    th.Property("replica_set", th.StringType, description="Name of the replica set, if it is one"),
    th.Property(
        "direct_connection",
        th.BooleanType,
        default=False,
        description="Use this very server, whatever replica set it belongs to",
    ),
    th.Property(
        "read_preference",
        th.StringType,
        default="primary",
        allowed_values=[
            "primary",
            "primaryPreferred",
            "secondary",
            "secondaryPreferred",
            "nearest",
        ],
        description="Which members of a replica set are read",
    ),
    th.Property(
        "filter_collections",
        th.ArrayType(th.StringType),
        default=[],
        description="Collections to discover, * stands for anything; by default all",
    ),
    th.Property(
        "profile_documents",
        th.IntegerType(minimum=1),
        default=DEFAULT_PROFILE_DOCUMENTS,
        description="Documents of each collection that are read to find the types of its fields",
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType(minimum=0),
        default=DEFAULT_OVERLAP_SECONDS,
        description="INCREMENTAL by time reads again what is this much older than the bookmark",
    ),
    th.Property(
        "max_time_seconds",
        th.IntegerType(minimum=1),
        description="Longest that the source may work on one collection; by default no limit",
    ),
    th.Property(
        "connect_timeout_seconds",
        th.IntegerType(minimum=1),
        default=DEFAULT_CONNECT_TIMEOUT_SECONDS,
        description="Longest wait for a server that may be read",
    ),
).to_dict()
CONFIG_JSONSCHEMA["properties"] |= READ_PROPERTIES


@dataclass(frozen=True, slots=True)
class Settings:
    """One company database and how to read it."""

    host: str | None
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    auth_source: str
    uri: str | None = field(repr=False)
    tls: bool
    tls_ca_file: str | None
    replica_set: str | None
    direct_connection: bool
    read_preference: str
    filter_collections: tuple[str, ...]
    profile_documents: int
    overlap_seconds: int
    max_time_seconds: int | None
    connect_timeout_seconds: int
    bulk: BulkSettings
    privacy: PrivacySettings

    @property
    def source(self) -> str:
        """The database as error texts and logs call it."""
        return f"MongoDB database {self.database!r} at {self.place}"

    @property
    def place(self) -> str:
        """The server, or what the connection string says of it, without user and password."""
        if self.uri is None:
            return f"{self.host}:{self.port}"
        return urlsplit(self.uri).netloc.rpartition("@")[2]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Take over a config that ``check_config`` found nothing wrong with."""
        uri = config.get("uri") or None
        return cls(
            host=config.get("host"),
            port=config["port"],
            database=config["database"],
            user=config.get("user") or _user_of(uri),
            password=config.get("password"),
            auth_source=config["auth_source"],
            uri=uri,
            tls=config["tls"],
            tls_ca_file=config.get("tls_ca_file") or None,
            replica_set=config.get("replica_set") or None,
            direct_connection=config["direct_connection"],
            read_preference=config["read_preference"],
            filter_collections=tuple(config["filter_collections"]),
            profile_documents=config["profile_documents"],
            overlap_seconds=config["overlap_seconds"],
            max_time_seconds=config.get("max_time_seconds"),
            connect_timeout_seconds=config["connect_timeout_seconds"],
            bulk=BulkSettings.from_config(config),
            privacy=PrivacySettings.from_config(config),
        )

    def client_options(self) -> dict[str, Any]:
        """What ``pymongo.MongoClient`` is given; what a connection string says itself prevails."""
        timeout = self.connect_timeout_seconds * 1_000
        options: dict[str, Any] = {
            "appname": "watershed",
            "connectTimeoutMS": timeout,
            "directConnection": self.direct_connection,
            "maxPoolSize": 1,
            "readConcernLevel": "majority",  # what a new primary might roll back is not read
            "readPreference": self.read_preference,
            "replicaSet": self.replica_set,
            "serverSelectionTimeoutMS": timeout,
            "tls": self.tls,
            "tlsCAFile": self.tls_ca_file,
        }
        if self.uri is None:
            options |= {"host": self.host, "port": self.port}
            options |= {"username": self.user, "password": self.password}
            options |= {"authSource": self.auth_source, "authMechanism": "SCRAM-SHA-256"}
        else:
            options["host"] = self.uri
        said = {name.lower() for name in parse_qs(urlsplit(self.uri or "").query)}
        said |= {"tls"} if "ssl" in said else set()
        return {
            name: value
            for name, value in options.items()
            if value is not None and name.lower() not in said
        }


def contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which settings exclude or need each other."""
    yield from privacy.contradictions(config)
    given = [name for name in ("host", "user", "password") if config.get(name)]
    if config.get("uri"):
        if given:
            yield f"uri, {', '.join(given)}: the connection string takes their place"
        if not _is_connection_string(config["uri"]):
            yield "uri: it must be like mongodb://host:27017/ or mongodb+srv://host/"
    else:
        for name in sorted({"host", "user", "password"} - set(given)):
            yield f"{name}: must be given, or uri"
    if config.get("tls_ca_file") and not config["tls"]:
        yield "tls_ca_file: without tls nothing is verified"


def _is_connection_string(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"mongodb", "mongodb+srv"} and bool(parts.netloc)


def _user_of(uri: str | None) -> str:
    return (urlsplit(uri).username if uri else None) or "(none)"
