"""Buckets: staging, archive, audit, and the log of who read them (D-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, Stack, aws_iam, aws_s3
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_kms

NONCURRENT_DAYS = 30
"""A version that was replaced or deleted can be had back for so long."""
ABORTED_UPLOAD_DAYS = 7

CLOSED: dict[str, Any] = {
    "block_public_access": aws_s3.BlockPublicAccess.BLOCK_ALL,
    "enforce_ssl": True,
    "minimum_tls_version": 1.2,
    "versioned": True,
    "removal_policy": RemovalPolicy.RETAIN,
    "object_ownership": aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
}


class LogBucket(Construct):
    """Where AWS services write logs; they can encrypt with S3's own key only."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, days: int) -> None:
        super().__init__(scope, construct_id)
        self.bucket = aws_s3.Bucket(
            self,
            "Bucket",
            bucket_name=name,
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            lifecycle_rules=[_expiry(days)],
            **CLOSED,
        )


class DataBucket(Construct):
    """A bucket under the warehouse's key, whose readers are logged."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: aws_kms.IKey,
        logs: aws_s3.IBucket,
        glacier_days: int | None = None,
        expire_days: int | None = None,
        locked_days: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        rules = [
            aws_s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=Duration.days(ABORTED_UPLOAD_DAYS)
            )
        ]
        if glacier_days is not None:
            rules.append(
                aws_s3.LifecycleRule(
                    transitions=[
                        aws_s3.Transition(
                            storage_class=aws_s3.StorageClass.GLACIER,
                            transition_after=Duration.days(glacier_days),
                        )
                    ],
                    noncurrent_version_expiration=Duration.days(NONCURRENT_DAYS),
                )
            )
        if expire_days is not None:
            rules.append(_expiry(expire_days))
        lock = None
        if locked_days is not None:
            lock = aws_s3.ObjectLockRetention.compliance(Duration.days(locked_days))
        self.bucket = aws_s3.Bucket(
            self,
            "Bucket",
            bucket_name=name,
            encryption=aws_s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{name}/",
            lifecycle_rules=rules,
            object_lock_default_retention=lock,
            **CLOSED,
        )


class Replication(Construct):
    """Copies each object of a bucket into the second region, under the key of that region.

    The bucket and the key over there are known by their names: CloudFormation passes no values
    between regions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: aws_s3.Bucket,
        key: aws_kms.IKey,
        replica_name: str,
        replica_region: str,
        replica_key_alias: str,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        replica = f"arn:{stack.partition}:s3:::{replica_name}"
        keys = f"arn:{stack.partition}:kms:{replica_region}:{stack.account}"
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "s3.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        for actions, resource in (
            (["s3:GetReplicationConfiguration", "s3:ListBucket"], bucket.bucket_arn),
            (
                [f"s3:GetObjectVersion{what}" for what in ("ForReplication", "Acl", "Tagging")],
                bucket.arn_for_objects("*"),
            ),
            ([f"s3:Replicate{what}" for what in ("Object", "Delete", "Tags")], f"{replica}/*"),
            (["kms:Decrypt"], key.key_arn),
        ):
            role.add_to_policy(aws_iam.PolicyStatement(actions=actions, resources=[resource]))
        role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=["kms:Encrypt"],
                resources=[f"{keys}:key/*"],
                conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": replica_key_alias}},
            )
        )
        source: aws_s3.CfnBucket = bucket.node.default_child  # type: ignore[assignment]
        configuration: Any = {
            "role": role.role_arn,
            "rules": [
                {
                    "id": "second-region",
                    "status": "Enabled",
                    "priority": 1,
                    "filter": {"prefix": ""},
                    "deleteMarkerReplication": {"status": "Enabled"},
                    "sourceSelectionCriteria": {"sseKmsEncryptedObjects": {"status": "Enabled"}},
                    "destination": {
                        "bucket": replica,
                        "encryptionConfiguration": {
                            "replicaKmsKeyId": f"{keys}:{replica_key_alias}"
                        },
                    },
                }
            ],
        }
        source.replication_configuration = configuration
        source.add_resource_dependency(role.node.default_child)  # type: ignore[arg-type]


def _expiry(days: int) -> aws_s3.LifecycleRule:
    return aws_s3.LifecycleRule(
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(NONCURRENT_DAYS),
    )
