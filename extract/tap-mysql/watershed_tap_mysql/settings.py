"""The tap's settings: their JSON schema, for Singer, and one frozen object, for the tap."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG

from watershed_tap import privacy
from watershed_tap.bulk import BulkSettings
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


class SslMode(StrEnum):
    """How the connection is protected, in MySQL's own words."""

    VERIFY_IDENTITY = "VERIFY_IDENTITY"
    VERIFY_CA = "VERIFY_CA"
    REQUIRED = "REQUIRED"
    DISABLED = "DISABLED"


class ZeroDates(StrEnum):
    """What becomes of a date that no calendar has, e.g. ``0000-00-00`` or ``2024-02-31``.

    QUARANTINE sends the source's text, which the load plan sets aside; NULL sends NULL; FAIL stops.
    """

    QUARANTINE = "quarantine"
    NULL = "null"
    FAIL = "fail"


CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property("host", th.StringType, required=True, description="Server; its certificate's name"),
    th.Property("port", th.IntegerType, default=3306, description="Port of the server"),
    th.Property("database", th.StringType, required=True, description="Database to read"),
    th.Property("user", th.StringType, required=True, description="User to read as"),
    th.Property(
        "password", th.StringType, required=True, secret=True, description="The user's password"
    ),
    th.Property(
        "ssl_mode",
        th.StringType,
        default=SslMode.VERIFY_IDENTITY.value,
        allowed_values=[mode.value for mode in SslMode],
        description="How the connection is protected; only VERIFY_IDENTITY proves who answers",
    ),
    th.Property(
        "ssl_ca",
        th.StringType,
        default="system",
        description="File of the CA that signed the server's certificate, or `system`",
    ),
    th.Property("ssl_cert", th.StringType, description="File of a client certificate"),
    th.Property("ssl_key", th.StringType, description="File of the client certificate's key"),
    th.Property(
        "filter_databases",
        th.ArrayType(th.StringType),
        default=[],
        description="Databases to discover; by default only `database`",
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType(minimum=0),
        default=DEFAULT_OVERLAP_SECONDS,
        description="INCREMENTAL by time reads again what is this much older than the bookmark",
    ),
    th.Property(
        "zero_dates",
        th.StringType,
        default=ZeroDates.QUARANTINE.value,
        allowed_values=[policy.value for policy in ZeroDates],
        description="What becomes of dates that no calendar has, as 0000-00-00",
    ),
    th.Property(
        "statement_timeout_seconds",
        th.IntegerType(minimum=1),
        description="Longest that the source may work on one statement, which is to send a whole "
        "table; by default the server's limit",
    ),
    th.Property(
        "connect_timeout_seconds",
        th.IntegerType(minimum=2),
        default=DEFAULT_CONNECT_TIMEOUT_SECONDS,
        description="Longest wait for the server to answer",
    ),
).to_dict()
CONFIG_JSONSCHEMA["properties"] |= (
    REPLICA_PROPERTIES | STREAM_MAPS_CONFIG["properties"] | READ_PROPERTIES
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One company database and how to read it."""

    server: ServerSettings
    database: str
    user: str
    password: str = field(repr=False)
    ssl_mode: SslMode
    ssl_ca: str
    ssl_cert: str | None
    ssl_key: str | None
    filter_databases: tuple[str, ...]
    overlap_seconds: int
    zero_dates: ZeroDates
    statement_timeout_seconds: int | None
    connect_timeout_seconds: int
    bulk: BulkSettings
    privacy: PrivacySettings

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
        return f"MySQL database {self.database!r} at {self.host}:{self.port}"

    @property
    def databases(self) -> tuple[str, ...]:
        """Those to read."""
        return self.filter_databases or (self.database,)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Take over a config that ``check_config`` found nothing wrong with."""
        return cls(
            server=ServerSettings.from_config(config),
            database=config["database"],
            user=config["user"],
            password=config["password"],
            ssl_mode=SslMode(config["ssl_mode"]),
            ssl_ca=config["ssl_ca"],
            ssl_cert=config.get("ssl_cert"),
            ssl_key=config.get("ssl_key"),
            filter_databases=tuple(config["filter_databases"]),
            overlap_seconds=config["overlap_seconds"],
            zero_dates=ZeroDates(config["zero_dates"]),
            statement_timeout_seconds=config.get("statement_timeout_seconds"),
            connect_timeout_seconds=config["connect_timeout_seconds"],
            bulk=BulkSettings.from_config(config),
            privacy=PrivacySettings.from_config(config),
        )


def contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which settings exclude or need each other."""
    yield from privacy.contradictions(config)
    yield from replica_contradictions(config)
    if bool(config.get("ssl_cert")) != bool(config.get("ssl_key")):
        yield "ssl_cert, ssl_key: give both or neither"
