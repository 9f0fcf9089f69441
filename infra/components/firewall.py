"""The web application firewall before the web entry (S-4); Shield Standard needs no resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, aws_logs, aws_wafv2
from constructs import Construct

from infra.components.retention import retention

if TYPE_CHECKING:
    from aws_cdk import aws_kms

RULE_GROUPS = (
    "AWSManagedRulesCommonRuleSet",  # cross-site scripting among others
    "AWSManagedRulesSQLiRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)
REQUESTS_IN_FIVE_MINUTES = 2000
"""Of one address; more are refused."""


class Firewall(Construct):
    """AWS's managed rules and a limit of requests; every refusal is logged."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: aws_kms.IKey, log_days: int
    ) -> None:
        super().__init__(scope, construct_id)
        rules = [
            aws_wafv2.CfnWebACL.RuleProperty(
                name=group,
                priority=priority,
                override_action=aws_wafv2.CfnWebACL.OverrideActionProperty(none={}),
                visibility_config=_visibility(group),
                statement=aws_wafv2.CfnWebACL.StatementProperty(
                    managed_rule_group_statement=aws_wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                        vendor_name="AWS", name=group
                    )
                ),
            )
            for priority, group in enumerate(RULE_GROUPS)
        ]
        rules.append(
            aws_wafv2.CfnWebACL.RuleProperty(
                name="RequestsOfOneAddress",
                priority=len(RULE_GROUPS),
                action=aws_wafv2.CfnWebACL.RuleActionProperty(block={}),
                visibility_config=_visibility("RequestsOfOneAddress"),
                statement=aws_wafv2.CfnWebACL.StatementProperty(
                    rate_based_statement=aws_wafv2.CfnWebACL.RateBasedStatementProperty(
                        aggregate_key_type="IP", limit=REQUESTS_IN_FIVE_MINUTES
                    )
                ),
            )
        )
        self.acl = aws_wafv2.CfnWebACL(
            self,
            "Acl",
            name="data-warehouse-web",
            scope="REGIONAL",
            default_action=aws_wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("data-warehouse-web"),
            rules=rules,
        )
        log_group = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name="aws-waf-logs-data-warehouse",  # WAF demands this beginning
            encryption_key=key,
            retention=retention(log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        aws_wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[log_group.log_group_arn],
            redacted_fields=[
                aws_wafv2.CfnLoggingConfiguration.FieldToMatchProperty(
                    single_header={"Name": header}
                )
                for header in ("authorization", "cookie")
            ],
        )


def _visibility(name: str) -> aws_wafv2.CfnWebACL.VisibilityConfigProperty:
    return aws_wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )
