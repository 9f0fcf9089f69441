"""Exact permissions: the CDK's own grants add wildcards to actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_s3

KEY_ACTIONS = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
READ = ["s3:GetObject"]
WRITE = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"]


def allow(
    role: aws_iam.IRole,
    actions: list[str],
    resources: list[str],
    conditions: dict[str, dict[str, list[str]]] | None = None,
) -> None:
    """Let a role do something."""
    role.add_to_principal_policy(
        aws_iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
    )


def use_key(role: aws_iam.IRole, key: aws_kms.IKey) -> None:
    """Let a role encrypt and decrypt with a key."""
    allow(role, KEY_ACTIONS, [key.key_arn])


def use_bucket(
    role: aws_iam.IRole, bucket: aws_s3.IBucket, *, prefix: str = "", writes: bool
) -> None:
    """Let a role list and read what lies under a prefix, and perhaps write there."""
    objects = bucket.arn_for_objects(f"{prefix}*")
    allow(role, READ + WRITE if writes else READ, [objects])
    listed = {"StringLike": {"s3:prefix": [f"{prefix}*"]}} if prefix else None
    allow(role, ["s3:ListBucket"], [bucket.bucket_arn], listed)
    allow(role, ["s3:GetBucketLocation"], [bucket.bucket_arn])
