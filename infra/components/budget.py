"""The budget and its warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_budgets
from constructs import Construct

if TYPE_CHECKING:
    from infra.config import Environment

WARNINGS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""Per cent of the month's budget, spent or expected."""


class Budget(Construct):
    """Tells the topic, and by mail whom it may fail to reach, before the money is spent."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, topic_arn: str
    ) -> None:
        super().__init__(scope, construct_id)
        subscriber = aws_budgets.CfnBudget.SubscriberProperty
        subscribers = [
            subscriber(subscription_type="SNS", address=topic_arn),
            *(
                subscriber(subscription_type="EMAIL", address=address)
                for address in environment.alert_emails
            ),
        ]
        aws_budgets.CfnBudget(
            self,
            "Budget",
            budget=aws_budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"data-warehouse-{environment.name}-{environment.place.region}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=aws_budgets.CfnBudget.SpendProperty(
                    amount=environment.monthly_budget_usd, unit="USD"
                ),
            ),
            notifications_with_subscribers=[
                aws_budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=aws_budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=subscribers,
                )
                for kind, percent in WARNINGS
            ],
        )
