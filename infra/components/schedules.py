"""Meltano's schedules, kept by EventBridge Scheduler (I-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack, aws_iam, aws_scheduler, aws_sqs
from constructs import Construct

from infra import names
from infra.components.grants import allow, use_key

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_stepfunctions

    from infra.project import Project

RETRIES = 3
LATEST_SECONDS = 900
"""A start that could not be delivered for so long goes into the queue: the next one is due."""


class Schedules(Construct):
    """Starts the workflow with a job's name, for each schedule of the project."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: Project,
        state_machine: aws_stepfunctions.IStateMachine,
        key: aws_kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.undelivered = aws_sqs.Queue(
            self,
            "Undelivered",
            queue_name=names.SCHEDULE_QUEUE,
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        state_machine.grant_start_execution(role)
        allow(role, ["sqs:SendMessage"], [self.undelivered.queue_arn])
        use_key(role, key)
        for schedule in project.schedules:
            aws_scheduler.CfnSchedule(
                self,
                schedule.name,
                name=f"data-warehouse-{schedule.name}",
                description=f"Meltano's schedule {schedule.name}: job {schedule.job}",
                schedule_expression=schedule.expression,
                schedule_expression_timezone=schedule.time_zone,
                flexible_time_window=aws_scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                    mode="OFF"
                ),
                kms_key_arn=key.key_arn,
                target=aws_scheduler.CfnSchedule.TargetProperty(
                    arn=state_machine.state_machine_arn,
                    role_arn=role.role_arn,
                    input=stack.to_json_string({"job": schedule.job}),
                    dead_letter_config=aws_scheduler.CfnSchedule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                    retry_policy=aws_scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=LATEST_SECONDS,
                        maximum_retry_attempts=RETRIES,
                    ),
                ),
            )
