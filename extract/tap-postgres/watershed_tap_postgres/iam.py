"""Passwords of fifteen minutes for Amazon RDS and Aurora."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3  # type: ignore[import-untyped]  # it ships no types
from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]  # as above

from watershed_tap.exceptions import SetupError

if TYPE_CHECKING:
    from watershed_tap_postgres.settings import Settings


def auth_token(settings: Settings) -> str:
    """Sign an IAM token that the database takes for the user's password.

    It is signed here, by this machine's AWS identity; no call is made for the token itself.

    Raises:
        SetupError: this machine has no AWS identity, or no region.
    """
    try:
        client = boto3.Session().client("rds", region_name=settings.iam_region)
        token: str = client.generate_db_auth_token(
            DBHostname=settings.host, Port=settings.port, DBUsername=settings.user
        )
    except BotoCoreError as error:
        raise SetupError(
            f"{settings.source}: no IAM token could be signed ({error}): give this process an AWS "
            "role or profile, and set iam_region"
        ) from error
    return token
