"""Lambda functions: standard library and boto3 only, each with a role of its own (I-2, M-4)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Stack, aws_iam, aws_lambda, aws_logs, aws_sqs
from constructs import Construct

from infra.components.retention import retention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms

SOURCES = Path(__file__).parents[1] / "lambdas"
CONCURRENCY = 5
"""At most so many at once: a storm of events shall not take the whole account's share."""


def failure_queue(name: str) -> str:
    """Return the queue of the events that a function could not handle."""
    return f"{name}-failures"


class Function(Construct):
    """A function named after its folder in `infra/lambdas`; what it cannot do waits in a queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: aws_kms.IKey,
        log_days: int,
        variables: Mapping[str, str],
        timeout: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.failures = aws_sqs.Queue(
            self,
            "Failures",
            queue_name=failure_queue(name),
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        log_group = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            encryption_key=key,
            retention=retention(log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.role = aws_iam.Role(
            self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com")
        )
        log_group.grant_write(self.role)
        self.function = aws_lambda.Function(
            self,
            "Function",
            function_name=name,
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            architecture=aws_lambda.Architecture.ARM_64,
            handler="handler.handle",
            code=aws_lambda.Code.from_asset(str(SOURCES / name), exclude=["__pycache__", "*.pyc"]),
            role=self.role,
            log_group=log_group,
            timeout=timeout,
            memory_size=256,
            reserved_concurrent_executions=CONCURRENCY,
            environment=dict(variables),
            environment_encryption=key,
            dead_letter_queue=self.failures,
            description=f"{name} of the data warehouse in {stack.region}",
        )

    def allow(
        self,
        actions: list[str],
        resources: list[str],
        conditions: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Let the function do something."""
        self.role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=actions, resources=resources, conditions=dict(conditions or {})
            )
        )
