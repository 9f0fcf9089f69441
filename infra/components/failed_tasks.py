"""Counts the Fargate tasks that end with an error (M-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, RemovalPolicy, Stack, aws_events, aws_logs
from constructs import Construct

from infra import names
from infra.components.retention import retention

if TYPE_CHECKING:
    from aws_cdk import aws_kms


LOG_GROUP = "/aws/events/data-warehouse-failed-tasks"


class FailedTasks(Construct):
    """ECS counts no failures; it tells each end, which a log keeps and a metric counts."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: aws_kms.IKey, log_days: int
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = aws_logs.LogGroup(
            self,
            "Log",
            log_group_name=LOG_GROUP,
            encryption_key=key,
            retention=retention(log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        name = "data-warehouse-failed-tasks"
        stack = Stack.of(self)
        # The rule's own construct would let a function of CDK's write this policy.
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {
                        "Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]
                    },
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": log_group.log_group_arn,
                    "Condition": {"StringEquals": {"aws:SourceAccount": stack.account}},
                }
            ],
        }
        allowed = aws_logs.CfnResourcePolicy(
            self, "Policy", policy_name=name, policy_document=stack.to_json_string(policy)
        )
        rule = aws_events.CfnRule(
            self,
            "Rule",
            name=name,
            event_pattern={
                "source": ["aws.ecs"],
                "detail-type": ["ECS Task State Change"],
                "detail": {
                    "lastStatus": ["STOPPED"],
                    "containers": {"exitCode": [{"anything-but": 0}]},
                },
            },
            targets=[
                aws_events.CfnRule.TargetProperty(
                    id="log",
                    arn=stack.format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=LOG_GROUP,
                        arn_format=ArnFormat.COLON_RESOURCE_NAME,
                    ),
                )
            ],
        )
        rule.add_resource_dependency(allowed)
        aws_logs.MetricFilter(
            self,
            "Count",
            log_group=log_group,
            filter_pattern=aws_logs.FilterPattern.all_events(),
            metric_namespace=names.METRICS,
            metric_name="TasksFailed",
            metric_value="1",
        )
