"""The audit trail (M-2) and what reads it (M-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack, aws_cloudtrail, aws_iam, aws_logs
from constructs import Construct

from infra import names
from infra.components.retention import retention

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_s3

    from infra.config import Environment


class AuditTrail(Construct):
    """A trail of all regions: management events, and every read of the data buckets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        bucket: aws_s3.Bucket,
        data_buckets: tuple[aws_s3.IBucket, ...],
        key: aws_kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        log_group = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/cloudtrail/{names.TRAIL}",
            encryption_key=key,
            retention=retention(environment.log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        # A trail's bucket must let the trail in before the trail is made.
        trail_arn = stack.format_arn(
            service="cloudtrail", resource="trail", resource_name=names.TRAIL
        )
        trail = aws_cloudtrail.Trail(
            self,
            "Trail",
            trail_name=names.TRAIL,
            bucket=bucket,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
            management_events=aws_cloudtrail.ReadWriteType.ALL,
            encryption_key=key,
            send_to_cloud_watch_logs=True,
            cloud_watch_log_group=log_group,
        )
        trail.add_s3_event_selector(
            [aws_cloudtrail.S3EventSelector(bucket=data) for data in data_buckets],
            read_write_type=aws_cloudtrail.ReadWriteType.ALL,
            include_management_events=False,
        )
        bucket.add_to_resource_policy(
            aws_iam.PolicyStatement(
                sid="NoOtherTrail",
                effect=aws_iam.Effect.DENY,
                principals=[aws_iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions={"StringNotEquals": {"aws:SourceArn": trail_arn}},
            )
        )
        # One file of a trail holds five minutes; a slow burst of failed logins spans several.
        aws_logs.MetricFilter(
            self,
            "FailedLogins",
            log_group=log_group,
            filter_pattern=aws_logs.FilterPattern.literal(
                '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }'
            ),
            metric_namespace=names.METRICS,
            metric_name="FailedConsoleLogins",
            metric_value="1",
        )
