"""Who watches, who hears of it, and what is done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, aws_kms

from infra import names
from infra.components.alarms import Alarms, conditions
from infra.components.alerts import Alerts
from infra.components.audit import AuditTrail
from infra.components.buckets import DataBucket
from infra.components.budget import Budget
from infra.components.compliance import ComplianceRules
from infra.components.failed_tasks import FailedTasks
from infra.components.security_functions import Remediation, TrailReader
from infra.components.threats import FindingRules, ThreatDetection

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Environment
    from infra.project import Project
    from infra.stacks.data_integration_stack import DataIntegrationStack
    from infra.stacks.data_storage_stack import DataStorageStack
    from infra.stacks.networking_stack import NetworkingStack


class MonitoringLoggingStack(Stack):
    """M-1 to M-5, and X-3."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        project: Project,
        network: NetworkingStack,
        storage: DataStorageStack,
        integration: DataIntegrationStack,
        key_arn: str,
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        key = aws_kms.Key.from_key_arn(self, "Key", key_arn)
        topic = Alerts(self, "Alerts", environment=environment, key=key).topic
        audit_name = f"{names.TRAIL_BUCKET}-{environment.suffix}"
        audit = DataBucket(
            self,
            "AuditBucket",
            name=audit_name,
            key=key,
            logs=storage.logs,
            expire_days=environment.audit_days,
        ).bucket
        remediation = Remediation(
            self,
            "Remediation",
            environment=environment,
            key=key,
            topic=topic,
            quarantine=network.groups.quarantine,
        ).function
        TrailReader(
            self,
            "TrailReader",
            environment=environment,
            key=key,
            topic=topic,
            bucket=audit,
            bucket_name=audit_name,
        )
        switches = environment.switches
        if switches.cloudtrail:
            AuditTrail(
                self,
                "Audit",
                environment=environment,
                bucket=audit,
                data_buckets=(storage.staging, storage.archive),
                key=key,
            )
        if switches.guardduty:
            ThreatDetection(self, "Threats")
        if switches.config_rules:
            ComplianceRules(self, "Compliance", bucket=audit)
        FindingRules(
            self,
            "Findings",
            topic=topic,
            remediation=remediation.function,
            failures=remediation.failures,
        )
        FailedTasks(self, "FailedTasks", key=key, log_days=environment.log_days)
        Alarms(
            self,
            "Alarms",
            watched=conditions(project, integration.state_machine.state_machine_arn),
            topic=topic,
        )
        Budget(self, "Budget", environment=environment, topic_arn=topic.topic_arn)
