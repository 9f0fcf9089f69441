"""Counts the Fargate tasks that end with an error (M-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, aws_events, aws_events_targets, aws_logs
from constructs import Construct

from infra import names
from infra.components.retention import retention

if TYPE_CHECKING:
    from aws_cdk import aws_kms


class FailedTasks(Construct):
    """ECS counts no failures; it tells each end, which a log keeps and a metric counts."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: aws_kms.IKey, log_days: int
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = aws_logs.LogGroup(
            self,
            "Log",
            log_group_name="/aws/events/data-warehouse-failed-tasks",
            encryption_key=key,
            retention=retention(log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        aws_events.Rule(
            self,
            "Rule",
            rule_name="data-warehouse-failed-tasks",
            event_pattern=aws_events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={
                    "lastStatus": ["STOPPED"],
                    "containers": {"exitCode": [{"anything-but": 0}]},
                },
            ),
        ).add_target(
            aws_events_targets.CloudWatchLogGroup(log_group)
        )
        aws_logs.MetricFilter(
            self,
            "Count",
            log_group=log_group,
            filter_pattern=aws_logs.FilterPattern.all_events(),
            metric_namespace=names.METRICS,
            metric_name="TasksFailed",
            metric_value="1",
        )
