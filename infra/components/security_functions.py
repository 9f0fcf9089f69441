"""The functions that act on findings and read the audit trail (M-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack, aws_s3, aws_s3_notifications
from constructs import Construct

from infra.components.functions import Function

if TYPE_CHECKING:
    from aws_cdk import aws_ec2, aws_kms, aws_sns

    from infra.config import Environment


class Remediation(Construct):
    """``auto_remediate_security_issues``: isolates, revokes, closes, tags, tells; dry by default."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key: aws_kms.IKey,
        topic: aws_sns.ITopic,
        quarantine: aws_ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.function = Function(
            self,
            "Function",
            name="auto_remediate_security_issues",
            key=key,
            log_days=environment.log_days,
            timeout=Duration.minutes(2),
            variables={
                "DRY_RUN": str(environment.switches.remediation_is_dry_run).lower(),
                "QUARANTINE_GROUP": quarantine.security_group_id,
                "TOPIC_ARN": topic.topic_arn,
            },
        )
        allow = self.function.allow
        # The API to describe interfaces knows no resource.
        allow(["ec2:DescribeNetworkInterfaces"], ["*"])
        ours = {"StringEquals": {"aws:ResourceTag/project": "data-warehouse"}}
        allow(["ec2:CreateTags"], [self._ec2("instance/*")])
        allow(["ec2:ModifyNetworkInterfaceAttribute"], [self._ec2("network-interface/*")])
        group = self._ec2(f"security-group/{quarantine.security_group_id}")
        allow(["ec2:ModifyNetworkInterfaceAttribute"], [group], ours)
        iam = f"arn:{stack.partition}:iam::{stack.account}"
        allow(["iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:TagUser"], [f"{iam}:user/*"])
        allow(["iam:GetRolePolicy", "iam:PutRolePolicy", "iam:TagRole"], [f"{iam}:role/*"])
        allow(
            [
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketTagging",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
            ],
            [f"arn:{stack.partition}:s3:::*"],
        )
        topic.grant_publish(self.function.role)
        key.grant_encrypt_decrypt(self.function.role)

    def _ec2(self, resource: str) -> str:
        return Stack.of(self).format_arn(service="ec2", resource=resource)


class TrailReader(Construct):
    """``process_cloudtrail_logs``: reads each file of the trail as it arrives."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key: aws_kms.IKey,
        topic: aws_sns.ITopic,
        bucket: aws_s3.Bucket,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = Function(
            self,
            "Function",
            name="process_cloudtrail_logs",
            key=key,
            log_days=environment.log_days,
            timeout=Duration.minutes(2),
            variables={"TOPIC_ARN": topic.topic_arn},
        )
        self.function.allow(["s3:GetObject"], [bucket.arn_for_objects("AWSLogs/*")])
        topic.grant_publish(self.function.role)
        key.grant_encrypt_decrypt(self.function.role)
        bucket.add_event_notification(
            aws_s3.EventType.OBJECT_CREATED,
            aws_s3_notifications.LambdaDestination(self.function.function),
            aws_s3.NotificationKeyFilter(prefix="AWSLogs/", suffix=".json.gz"),
        )
