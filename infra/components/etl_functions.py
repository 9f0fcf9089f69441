"""The functions around the workflow: start it, and look at what it left (I-2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Duration, Stack, aws_events, aws_events_targets
from constructs import Construct

from infra import names
from infra.components.functions import Function
from infra.components.grants import use_key

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_logs, aws_sns

    from infra.config import Environment
    from infra.project import Project

REQUEST_SOURCE = "watershed"
REQUEST_DETAIL_TYPE = "Run requested"


class EtlFunctions(Construct):
    """``trigger_etl_jobs`` and ``post_processing_tasks``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        project: Project,
        key: aws_kms.IKey,
        topic: aws_sns.ITopic,
        task_logs: aws_logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = Stack.of(self)
        machine = self._arn("states", "stateMachine", names.STATE_MACHINE)
        self.trigger = Function(
            self,
            "Trigger",
            name="trigger_etl_jobs",
            key=key,
            log_days=environment.log_days,
            timeout=Duration.seconds(30),
            variables={
                "STATE_MACHINE_ARN": machine,
                "JOBS": json.dumps([job.name for job in project.jobs]),
            },
        )
        self.trigger.allow(["states:StartExecution"], [machine])
        aws_events.Rule(
            self,
            "Requests",
            rule_name="data-warehouse-run-requests",
            description="Who may put events of this account asks for a job by name",
            event_pattern=aws_events.EventPattern(
                source=[REQUEST_SOURCE], detail_type=[REQUEST_DETAIL_TYPE]
            ),
        ).add_target(
            aws_events_targets.LambdaFunction(
                self.trigger.function, dead_letter_queue=self.trigger.failures, retry_attempts=3
            )
        )
        self.post_processing = Function(
            self,
            "PostProcessing",
            name="post_processing_tasks",
            key=key,
            log_days=environment.log_days,
            timeout=Duration.minutes(10),
            variables={
                "CLUSTER": names.CLUSTER,
                "DATABASE": names.DATABASE,
                "SOURCES": json.dumps([source.name for source in project.sources]),
                "METRICS": names.METRICS,
                "TASK_LOGS": task_logs.log_group_name,
                "TOLD_JOBS": json.dumps(environment.told_jobs),
                "TOPIC_ARN": topic.topic_arn,
            },
        )
        self._allow_post_processing(key, topic, task_logs)

    def _allow_post_processing(
        self, key: aws_kms.IKey, topic: aws_sns.ITopic, task_logs: aws_logs.ILogGroup
    ) -> None:
        allow = self.post_processing.allow
        allow(["redshift-data:ExecuteStatement"], [self._arn("redshift", "cluster", names.CLUSTER)])
        allow(
            ["redshift:GetClusterCredentialsWithIAM"],
            [self._arn("redshift", "dbname", f"{names.CLUSTER}/{names.DATABASE}")],
        )
        # Results have no resource name: who started a statement may read it, and nobody else.
        allow(["redshift-data:DescribeStatement", "redshift-data:GetStatementResult"], ["*"])
        allow(
            ["cloudwatch:PutMetricData"],
            ["*"],  # the API knows no resource; the condition says which metrics
            {"StringEquals": {"cloudwatch:namespace": names.METRICS}},
        )
        allow(["logs:GetLogEvents"], [f"{task_logs.log_group_arn}:log-stream:*"])
        allow(["sns:Publish"], [topic.topic_arn])
        use_key(self.post_processing.role, key)

    def _arn(self, service: str, resource: str, name: str) -> str:
        return self._stack.format_arn(
            service=service,
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
