"""AWS Config: what must stay true of the account, checked by AWS day by day (X-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack, aws_config, aws_iam
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_s3

PREFIX = "config"
RULES = {
    # encryption
    "redshift-cluster": aws_config.ManagedRuleIdentifiers.REDSHIFT_CLUSTER_CONFIGURATION_CHECK,
    "redshift-tls": aws_config.ManagedRuleIdentifiers.REDSHIFT_REQUIRE_TLS_SSL,
    "bucket-encryption": aws_config.ManagedRuleIdentifiers.S3_DEFAULT_ENCRYPTION_KMS,
    "bucket-tls": aws_config.ManagedRuleIdentifiers.S3_BUCKET_SSL_REQUESTS_ONLY,
    "key-rotation": aws_config.ManagedRuleIdentifiers.CMK_BACKING_KEY_ROTATION_ENABLED,
    # public access
    "redshift-private": aws_config.ManagedRuleIdentifiers.REDSHIFT_CLUSTER_PUBLIC_ACCESS_CHECK,
    "bucket-read": aws_config.ManagedRuleIdentifiers.S3_BUCKET_PUBLIC_READ_PROHIBITED,
    "bucket-write": aws_config.ManagedRuleIdentifiers.S3_BUCKET_PUBLIC_WRITE_PROHIBITED,
    "no-open-ssh": aws_config.ManagedRuleIdentifiers.EC2_SECURITY_GROUPS_INCOMING_SSH_DISABLED,
    # identity
    "root-mfa": aws_config.ManagedRuleIdentifiers.ROOT_ACCOUNT_MFA_ENABLED,
    "console-mfa": aws_config.ManagedRuleIdentifiers.MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS,
    "no-root-keys": aws_config.ManagedRuleIdentifiers.IAM_ROOT_ACCESS_KEY_CHECK,
    # logging
    "trail-is-on": aws_config.ManagedRuleIdentifiers.CLOUD_TRAIL_ENABLED,
    "flow-logs": aws_config.ManagedRuleIdentifiers.VPC_FLOW_LOGS_ENABLED,
    "guardduty-is-on": aws_config.ManagedRuleIdentifiers.GUARDDUTY_ENABLED_CENTRALIZED,
}


class ComplianceRules(Construct):
    """The recorder, where it writes, and AWS's managed rules."""

    def __init__(self, scope: Construct, construct_id: str, *, bucket: aws_s3.Bucket) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "config.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
            managed_policies=[
                aws_iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWS_ConfigRole")
            ],
        )
        written = bucket.arn_for_objects(f"{PREFIX}/AWSLogs/{stack.account}/*")
        for actions, resource in (
            (["s3:GetBucketAcl", "s3:ListBucket"], bucket.bucket_arn),
            (["s3:PutObject"], written),
        ):
            role.add_to_policy(aws_iam.PolicyStatement(actions=actions, resources=[resource]))
        recorder = aws_config.CfnConfigurationRecorder(
            self,
            "Recorder",
            name="data-warehouse",
            role_arn=role.role_arn,
            recording_group=aws_config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=True
            ),
        )
        aws_config.CfnDeliveryChannel(
            self,
            "Delivery",
            name="data-warehouse",
            s3_bucket_name=bucket.bucket_name,
            s3_key_prefix=PREFIX,
        )
        for name, identifier in RULES.items():
            aws_config.ManagedRule(
                self, name, config_rule_name=f"data-warehouse-{name}", identifier=identifier
            ).node.add_dependency(recorder)
