"""The tap's settings: their JSON schema, for Singer, and one frozen object, for the tap."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG

from watershed_tap import privacy
from watershed_tap.bulk import BulkSettings
from watershed_tap.exceptions import SetupError
from watershed_tap.privacy import PrivacySettings
from watershed_tap.settings import (
    DEFAULT_CONNECT_TIMEOUT_SECONDS,
    DEFAULT_OVERLAP_SECONDS,
    READ_PROPERTIES,
    REPLICA_PROPERTIES,
    ServerSettings,
    replica_contradictions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SSH_PROPERTIES = (
    th.Property("enable", th.BooleanType, default=False, description="Connect through a bastion"),
    th.Property("host", th.StringType, description="Bastion to connect to by SSH"),
    th.Property("port", th.IntegerType, default=22, description="SSH port of the bastion"),
    th.Property("username", th.StringType, description="User on the bastion"),
    th.Property(
        "private_key", th.StringType, secret=True, description="Private key: its text, or a file"
    ),
    th.Property(
        "private_key_password",
        th.StringType,
        secret=True,
        description="Passphrase of the private key, if it has one",
    ),
    th.Property(
        "known_hosts",
        th.StringType,
        description="The bastion's host key as `ssh-keyscan` prints it: the lines, or a file",
    ),
)

CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property("host", th.StringType, required=True, description="Server; its certificate's name"),
    th.Property("port", th.IntegerType, default=5432, description="Port of the server"),
    th.Property("database", th.StringType, required=True, description="Database to read"),
    th.Property("user", th.StringType, required=True, description="Role to read as"),
    th.Property("password", th.StringType, secret=True, description="The role's password"),
    th.Property(
        "iam_auth",
        th.BooleanType,
        default=False,
        description="Log in to Amazon RDS or Aurora by an IAM token instead of a password",
    ),
    th.Property(
        "iam_region",
        th.StringType,
        description="AWS region of the database; by default that of the AWS configuration",
    ),
    th.Property(
        "sslmode",
        th.StringType,
        default="verify-full",
        allowed_values=["verify-full", "verify-ca", "require", "disable"],
        description="How libpq protects the connection; only verify-full proves who answers",
    ),
    th.Property(
        "sslrootcert",
        th.StringType,
        default="system",
        description="File of the CA that signed the server's certificate, or `system`",
    ),
    th.Property("sslcert", th.StringType, description="File of a client certificate"),
    th.Property("sslkey", th.StringType, description="File of the client certificate's key"),
    th.Property(
        "filter_schemas",
        th.ArrayType(th.StringType),
        default=[],
        description="Schemas to discover; by default all that the role may use",
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType(minimum=0),
        default=DEFAULT_OVERLAP_SECONDS,
        description="INCREMENTAL by time reads again what is this much older than the bookmark",
    ),
    th.Property(
        "statement_timeout_seconds",
        th.IntegerType(minimum=1),
        description="Longest that the source may work on one fetch, in files on a whole table; by "
        "default the server's limit",
    ),
    th.Property(
        "connect_timeout_seconds",
        th.IntegerType(minimum=2),
        default=DEFAULT_CONNECT_TIMEOUT_SECONDS,
        description="Longest wait for the server, or the bastion, to answer",
    ),
    th.Property("ssh_tunnel", th.ObjectType(*_SSH_PROPERTIES), description="SSH tunnel"),
).to_dict()
CONFIG_JSONSCHEMA["properties"] |= (
    REPLICA_PROPERTIES | STREAM_MAPS_CONFIG["properties"] | READ_PROPERTIES
)


@dataclass(frozen=True, slots=True)
class SshTunnelSettings:
    """A bastion to connect through; ``known_hosts`` and ``private_key`` are texts, never files."""

    host: str
    port: int
    username: str
    private_key: str = field(repr=False)
    private_key_password: str | None = field(repr=False)
    known_hosts: str


@dataclass(frozen=True, slots=True)
class Settings:
    """One company database and how to read it."""

    server: ServerSettings
    database: str
    user: str
    password: str | None = field(repr=False)
    iam_auth: bool
    iam_region: str | None
    sslmode: str
    sslrootcert: str
    sslcert: str | None
    sslkey: str | None
    filter_schemas: tuple[str, ...]
    overlap_seconds: int
    statement_timeout_seconds: int | None
    connect_timeout_seconds: int
    bulk: BulkSettings
    privacy: PrivacySettings
    ssh_tunnel: SshTunnelSettings | None

    @property
    def host(self) -> str:
        """The server that is read; its certificate's name."""
        return self.server.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def source(self) -> str:
        """The database as error texts and logs call it."""
        return f"PostgreSQL database {self.database!r} at {self.host}:{self.port}"

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Take over a config that ``check_config`` found nothing wrong with."""
        return cls(
            server=ServerSettings.from_config(config),
            database=config["database"],
            user=config["user"],
            password=config.get("password"),
            iam_auth=config["iam_auth"],
            iam_region=config.get("iam_region"),
            sslmode=config["sslmode"],
            sslrootcert=config["sslrootcert"],
            sslcert=config.get("sslcert"),
            sslkey=config.get("sslkey"),
            filter_schemas=tuple(config["filter_schemas"]),
            overlap_seconds=config["overlap_seconds"],
            statement_timeout_seconds=config.get("statement_timeout_seconds"),
            connect_timeout_seconds=config["connect_timeout_seconds"],
            bulk=BulkSettings.from_config(config),
            privacy=PrivacySettings.from_config(config),
            ssh_tunnel=_ssh_tunnel_settings(config.get("ssh_tunnel") or {}),
        )


def contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which settings exclude or need each other."""
    yield from privacy.contradictions(config)
    yield from replica_contradictions(config)
    if bool(config.get("password")) == config["iam_auth"]:
        yield "password: give either a password or iam_auth"
    if config["iam_auth"] and config["sslmode"] == "disable":
        yield "sslmode: an IAM token must not travel in clear text"
    if bool(config.get("sslcert")) != bool(config.get("sslkey")):
        yield "sslcert, sslkey: give both or neither"
    tunnel = config.get("ssh_tunnel") or {}
    if tunnel.get("enable"):
        for name in ("host", "username", "private_key", "known_hosts"):
            if not tunnel.get(name):
                yield f"ssh_tunnel.{name}: a tunnel needs it"


def _ssh_tunnel_settings(config: Mapping[str, Any]) -> SshTunnelSettings | None:
    if not config.get("enable"):
        return None
    return SshTunnelSettings(
        host=config["host"],
        port=config["port"],
        username=config["username"],
        private_key=_text_or_file("ssh_tunnel.private_key", config["private_key"], "-----BEGIN"),
        private_key_password=config.get("private_key_password"),
        known_hosts=_text_or_file("ssh_tunnel.known_hosts", config["known_hosts"], " "),
    )


def _text_or_file(setting: str, value: str, mark_of_text: str) -> str:
    if mark_of_text in value:
        return value
    try:
        return Path(value).expanduser().read_text()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        raise SetupError(
            f"setting {setting} names a file that cannot be read ({reason}): "
            "give the file, or its text"
        ) from error
