"""GuardDuty, and who hears of findings (M-3, M-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_events, aws_events_targets, aws_guardduty
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_lambda, aws_sns, aws_sqs

SERIOUS = 7
"""GuardDuty's severity from which a finding is acted upon; every finding is told."""


class ThreatDetection(Construct):
    """The detector, with its protection of S3 and of Fargate's runtime."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        feature = aws_guardduty.CfnDetector.CFNFeatureConfigurationProperty
        aws_guardduty.CfnDetector(
            self,
            "Detector",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            features=[
                feature(name="S3_DATA_EVENTS", status="ENABLED"),
                feature(name="LAMBDA_NETWORK_LOGS", status="ENABLED"),
            ],
        )


class FindingRules(Construct):
    """Findings of GuardDuty, Macie and Config go to people; serious ones to the remediation."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: aws_sns.ITopic,
        remediation: aws_lambda.IFunction,
        failures: aws_sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        severe: dict[str, object] = {"severity": [{"numeric": [">=", SERIOUS]}]}
        high: dict[str, object] = {"severity": {"description": ["High"]}}
        broken: dict[str, object] = {
            "messageType": ["ComplianceChangeNotification"],
            "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
        }
        for name, source, detail_type, told, acted in (
            ("guardduty", "aws.guardduty", "GuardDuty Finding", None, severe),
            ("macie", "aws.macie", "Macie Finding", None, high),
            ("config", "aws.config", "Config Rules Compliance Change", broken, None),
        ):
            self._rule(f"{name}-findings", source, detail_type, told).add_target(
                aws_events_targets.SnsTopic(topic)
            )
            if acted is not None:
                self._rule(f"{name}-remediation", source, detail_type, acted).add_target(
                    aws_events_targets.LambdaFunction(
                        remediation, dead_letter_queue=failures, retry_attempts=3
                    )
                )

    def _rule(
        self, name: str, source: str, detail_type: str, detail: dict[str, object] | None
    ) -> aws_events.Rule:
        return aws_events.Rule(
            self,
            name,
            rule_name=f"data-warehouse-{name}",
            event_pattern=aws_events.EventPattern(
                source=[source], detail_type=[detail_type], detail=detail
            ),
        )
