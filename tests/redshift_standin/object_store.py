"""S3 as the stand-in reaches it: moto's server, which `standin` starts."""

from __future__ import annotations

from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types

REGION = "us-east-1"


def connect(address: str) -> Any:
    """Make a client of an object store that checks no keys."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="emulated",
        aws_secret_access_key="emulated",  # noqa: S106  # nobody checks it
    )
