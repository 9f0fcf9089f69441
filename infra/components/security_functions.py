"""The functions that act on findings and read the audit trail (M-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack, aws_lambda, aws_s3
from constructs import Construct

from infra.components.functions import Function
from infra.components.grants import use_key

if TYPE_CHECKING:
    from aws_cdk import aws_ec2, aws_kms, aws_sns

    from infra.config import Environment


class Remediation(Construct):
    """``auto_remediate_security_issues``: isolates, revokes, tags, tells; dry by default."""

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
        self.function.allow(["sns:Publish"], [topic.topic_arn])
        use_key(self.function.role, key)

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
        bucket_name: str,
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
        objects = f"arn:{Stack.of(self).partition}:s3:::{bucket_name}/AWSLogs/*"
        self.function.allow(["s3:GetObject"], [objects])
        self.function.allow(["sns:Publish"], [topic.topic_arn])
        use_key(self.function.role, key)
        # The bucket's own method would let a function of CDK's set this, with many rights.
        allowed = aws_lambda.CfnPermission(
            self,
            "Invocation",
            action="lambda:InvokeFunction",
            function_name=self.function.function.function_arn,
            principal="s3.amazonaws.com",
            source_account=environment.account,
            source_arn=f"arn:{Stack.of(self).partition}:s3:::{bucket_name}",
        )
        resource: aws_s3.CfnBucket = bucket.node.default_child  # type: ignore[assignment]
        arrival = aws_s3.CfnBucket.LambdaConfigurationProperty(
            event="s3:ObjectCreated:*",
            function=self.function.function.function_arn,
            filter={
                "s3Key": {
                    "rules": [
                        {"name": "prefix", "value": "AWSLogs/"},
                        {"name": "suffix", "value": ".json.gz"},
                    ]
                }
            },
        )
        resource.notification_configuration = aws_s3.CfnBucket.NotificationConfigurationProperty(
            lambda_configurations=[arrival]
        )
        resource.add_resource_dependency(allowed)
