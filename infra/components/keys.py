"""The key of everything at rest (S-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Stack, aws_iam, aws_kms
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping


class WarehouseKey(Construct):
    """A key that AWS renews each year, and that services use for this account only."""

    def __init__(self, scope: Construct, construct_id: str, *, alias: str) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.key = aws_kms.Key(
            self,
            "Key",
            alias=alias,
            description="Data warehouse: cluster, buckets, catalog, secrets, logs, topics",
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            removal_policy=RemovalPolicy.RETAIN,
        )
        logs = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:*"
        own_account = {"StringEquals": {"aws:SourceAccount": stack.account}}
        self._let(
            f"logs.{stack.region}.amazonaws.com",
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        )
        trails = f"arn:{stack.partition}:cloudtrail:*:{stack.account}:trail/*"
        self._let(
            "cloudtrail.amazonaws.com",
            {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails}},
        )
        # Who publishes to the encrypted topic, and how the topic and the buckets tell of it.
        for service in ("cloudwatch", "events", "budgets", "sns", "config", "delivery.logs"):
            self._let(f"{service}.amazonaws.com", own_account)
        # Macie reads objects by a role that AWS makes when it is switched on: it may not exist yet.
        macie = "aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
        iam = f"arn:{stack.partition}:iam::{stack.account}"
        self.key.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.AnyPrincipal()],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": stack.account,
                        "aws:PrincipalArn": f"{iam}:role/{macie}",
                    }
                },
            )
        )

    def _let(self, service: str, condition: Mapping[str, Mapping[str, str]]) -> None:
        self.key.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in a key's own policy: this key
                conditions=dict(condition),
            )
        )
