"""Where Redshift is, read from the environment: the names that a production has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watershed_redshift.connection import ConnectionSettings
from watershed_redshift.exceptions import RedshiftError

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "redshift://"
"""What `WATERSHED_WAREHOUSE` is where the warehouse is Redshift and no file."""
PREFIX = "WATERSHED_REDSHIFT_"
DEFAULT_PORT = 5439


def read_environment(environment: Mapping[str, str]) -> ConnectionSettings:
    """Read the variables; one that is empty counts as missing.

    Args:
        environment: `WATERSHED_REDSHIFT_DATABASE`, and either `_HOST`, `_USER` and `_PASSWORD`, or
            for credentials of IAM `_CLUSTER` or `_WORKGROUP`; `_PORT`, by default 5439;
            `AWS_REGION`.

    Raises:
        RedshiftError: one is missing, or no number.
    """
    given = {
        name: environment.get(f"{PREFIX}{name}") or None
        for name in ("HOST", "PORT", "DATABASE", "USER", "PASSWORD", "CLUSTER", "WORKGROUP")
    }
    if given["DATABASE"] is None:
        raise RedshiftError(f"the environment variable {PREFIX}DATABASE is not set")
    port = given["PORT"] or str(DEFAULT_PORT)
    if not port.isdecimal():
        raise RedshiftError(f"the environment variable {PREFIX}PORT is no number: {port!r}")
    return ConnectionSettings(
        host=given["HOST"],
        port=int(port),
        database=given["DATABASE"],
        user=given["USER"],
        password=given["PASSWORD"],
        cluster_identifier=given["CLUSTER"],
        workgroup=given["WORKGROUP"],
        region=environment.get("AWS_REGION") or None,
    )
