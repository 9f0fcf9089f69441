"""The topic that reaches people (M-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack, aws_iam, aws_sns, aws_sns_subscriptions
from constructs import Construct

from infra import names

if TYPE_CHECKING:
    from aws_cdk import aws_kms

    from infra.config import Environment


class Alerts(Construct):
    """``data-warehouse-alerts``; each subscriber confirms by a link that AWS sends."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: aws_kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = aws_sns.Topic(
            self, "Topic", topic_name=names.TOPIC, master_key=key, enforce_ssl=True
        )
        for address in environment.alert_emails:
            self.topic.add_subscription(aws_sns_subscriptions.EmailSubscription(address))
        for number in environment.alert_phones:
            self.topic.add_subscription(aws_sns_subscriptions.SmsSubscription(number))
        self.topic.add_to_resource_policy(
            aws_iam.PolicyStatement(
                sid="ServicesOfThisAccount",
                principals=[
                    aws_iam.ServicePrincipal(f"{service}.amazonaws.com")
                    for service in ("cloudwatch", "events", "budgets")
                ],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
