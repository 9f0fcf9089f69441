"""Finding personal data where none should be (S-5).

Macie reads S3 only. So samples of the warehouse are unloaded to the staging bucket each week, and
a job of Macie reads them with everything else. Macie's jobs have no CloudFormation type;
EventBridge Scheduler calls both APIs itself, and no function of ours is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack, aws_iam, aws_macie, aws_scheduler
from constructs import Construct

if TYPE_CHECKING:
    from infra.config import Environment

SAMPLED_TABLES = ("marts.dim_customers", "marts.fct_support_tickets", "marts.fct_web_sessions")
"""Those that hold people's data; scanned to see that it is what the access file says."""
SAMPLED_ROWS = 10_000
SAMPLES = "macie-samples"
UNLOADED_AT = "cron(0 3 ? * SUN *)"
CLASSIFIED_AT = "cron(0 5 ? * SUN *)"


class Classification(Construct):
    """A Macie session and its weekly jobs over both buckets and samples of the warehouse."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        buckets: tuple[str, ...],
        cluster: str,
        database: str,
        unload_role_arn: str,
        key_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        session = aws_macie.CfnSession(
            self, "Session", status="ENABLED", finding_publishing_frequency="FIFTEEN_MINUTES"
        )
        unloads = [
            f"unload ('select * from {table} limit {SAMPLED_ROWS}') "
            f"to 's3://{buckets[0]}/{SAMPLES}/{table}/' iam_role '{unload_role_arn}' "
            f"kms_key_id '{key_arn}' encrypted format as csv header allowoverwrite"
            for table in SAMPLED_TABLES
        ]
        self._weekly(
            "unload-warehouse-samples",
            UNLOADED_AT,
            "redshiftdata:batchExecuteStatement",
            {
                "ClusterIdentifier": cluster,
                "Database": database,
                "StatementName": "macie-samples",
                "Sqls": unloads,
            },
            {
                "redshift-data:BatchExecuteStatement": stack.format_arn(
                    service="redshift",
                    resource="cluster",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                    resource_name=cluster,
                ),
                "redshift:GetClusterCredentialsWithIAM": stack.format_arn(
                    service="redshift",
                    resource="dbname",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                    resource_name=f"{cluster}/{database}",
                ),
            },
        )
        self._weekly(
            "classify-buckets",
            CLASSIFIED_AT,
            "macie2:createClassificationJob",
            {
                "ClientToken": "<aws.scheduler.execution-id>",
                "Name": "data-warehouse-<aws.scheduler.execution-id>",
                "JobType": "ONE_TIME",
                "ManagedDataIdentifierSelector": "RECOMMENDED",
                "S3JobDefinition": {
                    "BucketDefinitions": [
                        {"AccountId": environment.account, "Buckets": list(buckets)}
                    ]
                },
            },
            {
                "macie2:CreateClassificationJob": stack.format_arn(
                    service="macie2", resource="classification-job", resource_name="*"
                )
            },
        ).add_resource_dependency(session)

    def _weekly(
        self,
        name: str,
        expression: str,
        call: str,
        arguments: dict[str, object],
        permissions: dict[str, str],
    ) -> aws_scheduler.CfnSchedule:
        role = aws_iam.Role(self, f"{name}-role", assumed_by=_scheduler(Stack.of(self).account))
        for action, resource in permissions.items():
            role.add_to_policy(aws_iam.PolicyStatement(actions=[action], resources=[resource]))
        schedule = aws_scheduler.CfnSchedule(
            self,
            name,
            name=name,
            schedule_expression=expression,
            flexible_time_window=aws_scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=aws_scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{Stack.of(self).partition}:scheduler:::aws-sdk:{call}",
                role_arn=role.role_arn,
                input=Stack.of(self).to_json_string(arguments),
                retry_policy=aws_scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=3
                ),
            ),
        )
        schedule.node.add_dependency(role)
        return schedule


def _scheduler(account: str) -> aws_iam.PrincipalBase:
    return aws_iam.ServicePrincipal(
        "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
    )
