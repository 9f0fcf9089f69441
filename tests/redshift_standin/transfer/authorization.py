"""With what right COPY and UNLOAD reach S3: checked for form, and against what a test refuses."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redshift_standin.errors import RedshiftError

if TYPE_CHECKING:
    from redshift_standin.transfer.tokens import Tokens

REFUSED_VARIABLE = "REDSHIFT_STANDIN_REFUSED"
"""Roles that may not be assumed, access keys that do not exist, session tokens that have expired;
commas between them. No permission is checked beyond that: the emulated S3 has none."""

USER = "arn:aws:redshift:us-east-1:123456789012:dbuser:standin/loader"

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
AUTHORIZATION_WORDS = (
    "IAM_ROLE",
    "CREDENTIALS",
    "ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
)


@dataclass(frozen=True)
class Authorization:
    """Roles, or an access key; ``default`` is the role that the cluster has by default."""

    roles: tuple[str, ...] = ()
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)

    def check(self) -> None:
        """Ask whether AWS lets it in.

        Raises:
            RedshiftError: it is one of those that the environment refuses.
        """
        refused = set(filter(None, os.environ.get(REFUSED_VARIABLE, "").split(",")))
        for role in self.roles:
            if role in refused:
                raise RedshiftError(f"User {USER} is not authorized to assume IAM Role {role}")
        if self.access_key_id in refused:
            raise RedshiftError(
                "S3ServiceException:The AWS Access Key Id you provided does not exist in our "
                "records.,Status 403,Error InvalidAccessKeyId"
            )
        if self.session_token in refused:
            raise RedshiftError(
                "S3ServiceException:The provided token has expired.,Status 400,Error ExpiredToken"
            )


def read_word(word: str, tokens: Tokens) -> str:
    """Read what stands after one of the ``AUTHORIZATION_WORDS``."""
    if word == "IAM_ROLE" and tokens.skip("DEFAULT"):
        return "default"
    return tokens.string()


def authorization(given: dict[str, str]) -> Authorization:
    """Make an authorization of the statement's words.

    Args:
        given: For example ``{"IAM_ROLE": "arn:aws:iam::123456789012:role/loader"}``.

    Raises:
        RedshiftError: none is given, two are, or one is not of the form that AWS has.
    """
    keys = {word for word in given if word not in {"IAM_ROLE", "CREDENTIALS"}}
    if len([word for word in ("IAM_ROLE", "CREDENTIALS") if word in given]) + bool(keys) > 1:
        raise RedshiftError(
            "only one of IAM_ROLE, CREDENTIALS, and ACCESS_KEY_ID with SECRET_ACCESS_KEY may be "
            "specified"
        )
    if "IAM_ROLE" in given:
        return Authorization(roles=_roles(given["IAM_ROLE"]))
    if "CREDENTIALS" in given:
        return _from_credentials(given["CREDENTIALS"])
    if not keys:
        raise RedshiftError(
            "No credentials were specified: use IAM_ROLE, CREDENTIALS, or ACCESS_KEY_ID and "
            "SECRET_ACCESS_KEY"
        )
    return _from_keys(
        given.get("ACCESS_KEY_ID"), given.get("SECRET_ACCESS_KEY"), given.get("SESSION_TOKEN")
    )


def _roles(text: str) -> tuple[str, ...]:
    """Split a chain of roles, each of which assumes the next."""
    roles = tuple(text.split(","))
    if roles != ("default",):
        for role in roles:
            if not _ROLE.fullmatch(role):
                raise RedshiftError("Invalid IAM role ARN in IAM_ROLE")
    return roles


def _from_credentials(text: str) -> Authorization:
    parts = dict(part.partition("=")[::2] for part in text.split(";") if part)
    if " " in text or not parts.keys() <= {
        "aws_iam_role",
        "aws_access_key_id",
        "aws_secret_access_key",
        "token",
    }:
        raise RedshiftError("CREDENTIALS argument is not valid")
    if "aws_iam_role" in parts:
        if len(parts) > 1:
            raise RedshiftError("CREDENTIALS argument is not valid: a role and a key")
        return Authorization(roles=_roles(parts["aws_iam_role"]))
    return _from_keys(
        parts.get("aws_access_key_id"), parts.get("aws_secret_access_key"), parts.get("token")
    )


def _from_keys(key: str | None, secret: str | None, token: str | None) -> Authorization:
    if not key or not secret:
        raise RedshiftError("ACCESS_KEY_ID and SECRET_ACCESS_KEY must both be specified")
    return Authorization(access_key_id=key, secret_access_key=secret, session_token=token)
