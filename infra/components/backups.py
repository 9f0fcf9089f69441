"""Backups that outlive the cluster's own snapshots (X-1, R-3.6.1)."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack, aws_backup, aws_events, aws_kms
from constructs import Construct

from infra import names

DAILY_KEPT_DAYS = 35
MONTHLY_KEPT_DAYS = 365


class Backups(Construct):
    """A vault under the key, and a plan for the cluster: daily, and each month for a year."""

    def __init__(self, scope: Construct, construct_id: str, *, key: aws_kms.IKey) -> None:
        super().__init__(scope, construct_id)
        vault = aws_backup.BackupVault(
            self,
            "Vault",
            backup_vault_name="data-warehouse",
            encryption_key=key,
            removal_policy=RemovalPolicy.RETAIN,
        )
        plan = aws_backup.BackupPlan(
            self, "Plan", backup_plan_name="data-warehouse", backup_vault=vault
        )
        for name, schedule, days in (
            ("daily", aws_events.Schedule.cron(hour="5", minute="0"), DAILY_KEPT_DAYS),
            ("monthly", aws_events.Schedule.cron(day="1", hour="6", minute="0"), MONTHLY_KEPT_DAYS),
        ):
            plan.add_rule(
                aws_backup.BackupPlanRule(
                    rule_name=name, schedule_expression=schedule, delete_after=Duration.days(days)
                )
            )
        cluster = Stack.of(self).format_arn(
            service="redshift",
            resource="cluster",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name=names.CLUSTER,
        )
        plan.add_selection("Cluster", resources=[aws_backup.BackupResource.from_arn(cluster)])
