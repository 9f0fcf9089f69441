"""Who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.checks.registry import check
from infra.templates import as_list, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.templates import Resource, Templates

WILDCARD_REASONS = {
    "ec2:DescribeNetworkInterfaces": "describing knows no resource",
    "ecr:GetAuthorizationToken": "the token is for the registry as a whole",
    "redshift-data:DescribeStatement": "a statement may be read by who started it only",
    "redshift-data:GetStatementResult": "a statement may be read by who started it only",
    "cloudwatch:PutMetricData": "a condition names the namespace",
    "glue:GetSecurityConfiguration": "knows no resource",
    "ecs:StopTask": "a task has no name before it runs; a condition names the cluster",
    "ecs:DescribeTasks": "a task has no name before it runs; a condition names the cluster",
    "logs:CreateLogDelivery": "log deliveries have no resource",
    "logs:GetLogDelivery": "log deliveries have no resource",
    "logs:UpdateLogDelivery": "log deliveries have no resource",
    "logs:DeleteLogDelivery": "log deliveries have no resource",
    "logs:ListLogDeliveries": "log deliveries have no resource",
    "logs:PutResourcePolicy": "log deliveries have no resource",
    "logs:DescribeResourcePolicies": "log deliveries have no resource",
    "logs:DescribeLogGroups": "log deliveries have no resource",
    "xray:PutTraceSegments": "traces have no resource",
    "xray:PutTelemetryRecords": "traces have no resource",
    "xray:GetSamplingRules": "traces have no resource",
    "xray:GetSamplingTargets": "traces have no resource",
}
"""The only actions that a role may have on every resource, and why."""


def _statements(templates: Templates) -> Iterator[tuple[Resource, dict[str, Any]]]:
    for policy in templates.all("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
        documents = [policy.properties.get("PolicyDocument")]
        documents += [held["PolicyDocument"] for held in policy.properties.get("Policies", ())]
        for document in documents:
            for statement in document["Statement"] if document else ():
                yield policy, statement


@check
def rights_name_what_they_are_for(templates: Templates) -> Iterator[str]:
    for policy, statement in _statements(templates):
        if statement["Effect"] != "Allow":
            continue
        actions = [str(action) for action in as_list(statement.get("Action"))]
        for action in actions:
            if "*" in action:
                yield f"{policy.path} allows {action}"
        if any(text(resource) == "*" for resource in as_list(statement.get("Resource"))):
            for action in actions:
                if action not in WILDCARD_REASONS:
                    yield f"{policy.path} allows {action} on everything, without a reason"


@check
def roles_are_for_services_of_this_account(templates: Templates) -> Iterator[str]:
    for role in templates.all("AWS::IAM::Role"):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            principal = statement["Principal"]
            if not isinstance(principal, dict) or set(principal) != {"Service"}:
                yield f"{role.path} can be taken by {text(principal)}"


@check
def nobody_enters_without_a_second_factor(templates: Templates) -> Iterator[str]:
    for pool in templates.all("AWS::Cognito::UserPool"):
        properties = pool.properties
        if properties.get("MfaConfiguration") != "ON":
            yield f"{pool.path} does not demand a second factor"
        if not properties.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
            yield f"{pool.path} lets anyone sign up"


@check
def the_web_door_asks_who_comes(templates: Templates) -> Iterator[str]:
    guarded = [
        text(a.properties["ResourceArn"]) for a in templates.all("AWS::WAFv2::WebACLAssociation")
    ]
    for balancer in templates.all("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if f"<{balancer.logical_id}>" not in guarded:
            yield f"{balancer.path} has no firewall"
    for listener in templates.all("AWS::ElasticLoadBalancingV2::Listener"):
        actions = sorted(listener.properties["DefaultActions"], key=lambda a: a.get("Order", 1))
        if actions[0]["Type"] != "authenticate-cognito":
            yield f"{listener.path} lets in before it asks"
        if listener.properties["Protocol"] != "HTTPS":
            yield f"{listener.path} speaks clear text"
