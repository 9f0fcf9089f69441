"""Checks a config, and says what is wrong without quoting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import BATCH_CONFIG
from singer_sdk.plugin_base import JSONSchemaValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jsonschema import ValidationError

DEFAULT_OVERLAP_SECONDS = 3600
DEFAULT_CONNECT_TIMEOUT_SECONDS = 30

_ACTIONS = th.StringType(allowed_values=["hash", "mask", "drop"])
READ_PROPERTIES: dict[str, Any] = {
    **BATCH_CONFIG["properties"],
    **th.PropertiesList(
        th.Property(
            "batch_file_megabytes",
            th.IntegerType(minimum=1, maximum=256),
            default=128,
            description="Rows that fill so much memory make a file, with a STATE behind it",
        ),
        th.Property(
            "batch_waiting_megabytes",
            th.IntegerType(minimum=0),
            default=1024,
            description="Files that may wait for the target before reading pauses; 0: any",
        ),
        th.Property(
            "throttle_rows_per_second",
            th.IntegerType(minimum=1),
            description="Read no faster, on average, to spare the source",
        ),
        th.Property(
            "throttle_bytes_per_second",
            th.IntegerType(minimum=1),
            description="Read no faster, on average, to spare the source; bytes in memory",
        ),
        th.Property(
            "pseudonymise",
            th.ObjectType(additional_properties=th.ObjectType(additional_properties=_ACTIONS)),
            description="Stream to column to hash, mask or drop, before anything is written",
        ),
        th.Property(
            "pseudonymise_salt",
            th.StringType,
            secret=True,
            description="Secret that hashes depend on; the same for all sources that shall join",
        ),
    ).to_dict()["properties"],
}
"""Settings of every tap of ours: how rows travel, how fast, and what of them stays clear."""

REPLICA_PROPERTIES: dict[str, Any] = th.PropertiesList(
    th.Property("replica_host", th.StringType, description="Read here, a copy, instead of at host"),
    th.Property(
        "replica_port", th.IntegerType, description="Port of the replica; by default that of host"
    ),
    th.Property(
        "replica_largest_lag_seconds",
        th.IntegerType(minimum=0),
        description="A run fails if the replica is further behind; by default it is not asked",
    ),
).to_dict()["properties"]
"""Settings of taps that may read a replica instead of the database itself."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Which server is read.

    Attributes:
        host: its name, which its certificate must bear.
        host_setting: what the host is called among the settings.
        largest_lag_seconds: of a replica; ``None`` for any, or if it is none.
    """

    host: str
    port: int
    host_setting: str = "host"
    largest_lag_seconds: int | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ServerSettings:
        """Choose the replica, if there is one."""
        if config.get("replica_host"):
            return cls(
                config["replica_host"],
                config.get("replica_port") or config["port"],
                "replica_host",
                config.get("replica_largest_lag_seconds"),
            )
        return cls(config["host"], config["port"])


def replica_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which settings of a replica need its host."""
    for name in ("replica_port", "replica_largest_lag_seconds"):
        if config.get(name) is not None and not config.get("replica_host"):
            yield f"{name}: give replica_host too"


def check_config(
    config: dict[str, Any],
    schema: Mapping[str, Any],
    contradictions: Callable[[Mapping[str, Any]], Iterable[str]],
) -> list[str]:
    """Fill in defaults and return what is wrong, each as ``<setting>: <what is needed>``.

    A wrong value is never quoted: it may be the password.

    Args:
        config: what was given; it is changed.
        schema: JSON schema of a config.
        contradictions: finds what no JSON schema can say, in a config that agrees with its schema.
    """
    problems = sorted(set(map(_describe, JSONSchemaValidator(schema).iter_errors(config))))
    return problems or list(contradictions(config))


def _describe(error: ValidationError) -> str:
    setting = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "required":
        required: Any = error.validator_value
        given: Any = error.instance
        missing = [name for name in required if name not in given]
        return f"{', '.join(missing)}: must be given"
    needs = {"type": "must be of type", "enum": "must be one of", "minimum": "must be at least"}
    need = needs.get(str(error.validator), f"must agree with {error.validator}")
    return f"{setting}: {need} {error.validator_value}"
