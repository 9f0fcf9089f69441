"""The private network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Stack, aws_kms

from infra.components.network import NetworkAcls, PrivateEndpoints, SecurityGroups, WarehouseVpc

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Environment
    from infra.project import Project


class NetworkingStack(Stack):
    """N-1, N-2, N-3."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        project: Project,
        key_arn: str,
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        key = aws_kms.Key.from_key_arn(self, "Key", key_arn)
        ports = {source.port for source in project.sources}
        self.vpc = WarehouseVpc(self, "Network", environment=environment, key=key).vpc
        NetworkAcls(self, "Acls", vpc=self.vpc, environment=environment, source_ports=ports)
        self.groups = SecurityGroups(
            self, "Groups", vpc=self.vpc, environment=environment, source_ports=ports
        )
        if environment.switches.private_endpoints:
            PrivateEndpoints(self, "Endpoints", vpc=self.vpc, group=self.groups.endpoints)
        CfnOutput(self, "VpcId", value=self.vpc.vpc_id, export_name="data-warehouse-vpc-id")
        CfnOutput(
            self,
            "PrivateSubnets",
            value=",".join(subnet.subnet_id for subnet in self.vpc.private_subnets),
            export_name="data-warehouse-private-subnets",
        )
