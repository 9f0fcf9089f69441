"""The web entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack

from infra.components.entrance import Entrance
from infra.components.identity import Identity

if TYPE_CHECKING:
    from aws_cdk import aws_ec2, aws_s3
    from constructs import Construct

    from infra.config import Environment


class WebAccessStack(Stack):
    """X-2, and the association of S-4."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: aws_ec2.IVpc,
        logs: aws_s3.IBucket,
        firewall_arn: str,
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        identity = Identity(
            self, "Identity", account=environment.account, web_domain=environment.web_domain
        )
        Entrance(
            self,
            "Entrance",
            environment=environment,
            vpc=vpc,
            logs=logs,
            identity=identity,
            firewall_arn=firewall_arn,
        )
