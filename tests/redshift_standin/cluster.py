"""A real cluster in the place of the stand-in: a database of this run's own, and a prefix in S3."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

import boto3  # type: ignore[import-untyped]  # it ships no types
import redshift_connector

from watershed_redshift import ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redshift_standin.standin import Standin

URL_VARIABLE = "WATERSHED_REDSHIFT_URL"
"""``redshift://user:password@host:5439/database``; beside it are `NEEDED`."""
NEEDED = ("WATERSHED_REDSHIFT_BUCKET", "WATERSHED_REDSHIFT_ROLE", "AWS_REGION")
PREFIX = "watershed_test_"
"""How every database, and every folder in the bucket, of a test run begins."""


class Cluster:
    """What a `Standin` is to the tests, on a cluster; a context manager that tidies up after them.

    Args:
        url: As `URL_VARIABLE`; the user may create databases.
        environment: Holds what `NEEDED` names.
    """

    ca_file = None
    s3_endpoint = None

    def __init__(self, url: str, environment: Mapping[str, str]) -> None:
        missing = [name for name in NEEDED if not environment.get(name)]
        parts = urlsplit(url)
        if missing or not (parts.hostname and parts.username and parts.password):
            raise ValueError(
                f"{URL_VARIABLE} is redshift://user:password@host:5439/database, and beside it "
                f"{', '.join(NEEDED)} are set; missing: {', '.join(missing) or 'a part of it'}"
            )
        self.host = parts.hostname
        self.port = parts.port or 5439
        self.user = unquote(parts.username)
        self.password = unquote(parts.password)
        self.bucket, self.role, self.region = (environment[name] for name in NEEDED)
        self.name = f"{PREFIX}{secrets.token_hex(6)}"
        self._home = parts.path.strip("/") or "dev"
        self.database = self._home

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a production finds it; AWS's credentials are the caller's."""
        return {
            "WATERSHED_REDSHIFT_HOST": self.host,
            "WATERSHED_REDSHIFT_PORT": str(self.port),
            "WATERSHED_REDSHIFT_DATABASE": self.database,
            "WATERSHED_REDSHIFT_USER": self.user,
            "WATERSHED_REDSHIFT_PASSWORD": self.password,
            "WATERSHED_REDSHIFT_BUCKET": self.bucket,
            "WATERSHED_REDSHIFT_PREFIX": self.name,
            "WATERSHED_REDSHIFT_ROLE": self.role,
            "AWS_REGION": self.region,
        }

    def __enter__(self) -> Self:
        self._run(f"create database {self.name}")
        self.database = self.name
        return self

    def __exit__(self, *_: object) -> None:
        self.database = self._home
        try:
            self._run(f"drop database {self.name}")
        finally:
            objects = boto3.resource("s3", region_name=self.region).Bucket(self.bucket).objects
            objects.filter(Prefix=f"{self.name}/").delete()

    def _run(self, sql: str) -> None:
        with connect(self) as connection, connection.cursor() as cursor:
            cursor.execute(sql)


def connect(redshift: Standin | Cluster) -> Any:
    """Open a session in which each statement commits."""
    settings = ConnectionSettings(
        host=redshift.host,
        port=redshift.port,
        database=redshift.database,
        user=redshift.user,
        password=redshift.password,
        cluster_identifier=None,
        workgroup=None,
        region=None,
    )
    connection = redshift_connector.connect(**settings.arguments())
    connection.autocommit = True
    return connection
