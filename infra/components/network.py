"""The private network: VPC, security groups, network ACLs, private endpoints (N-1 to N-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, aws_logs
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.components.retention import retention

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_kms

    from infra.config import Environment

HTTPS = ec2.Port.tcp(443)
WAREHOUSE_PORT = 5439
PRIVATE_APIS = (
    "secrets-manager",
    "kms",
    "ecr",
    "ecr-docker",
    "logs",
    "sts",
    "redshift-data",
    "glue",
)
"""What tasks, their agent and the warehouse call; S3 has a gateway, which costs nothing."""


class WarehouseVpc(Construct):
    """VPC over three zones with public and private subnets, flow logs, and ACLs that deny."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: aws_kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name="data-warehouse-vpc",
            ip_addresses=ec2.IpAddresses.cidr(environment.vpc_cidr),
            max_azs=len(environment.place.zones),
            nat_gateways=environment.nat_gateways,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            # The default group is left without use; emptying it would take a function of CDK's.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20
                ),
            ],
        )
        log_group = aws_logs.LogGroup(
            self,
            "FlowLogs",
            encryption_key=key,
            retention=retention(environment.log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.vpc.add_flow_log(
            "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group)
        )
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)


class NetworkAcls(Construct):
    """What may cross the border of a subnet, whatever its security groups say."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        environment: Environment,
        source_ports: Iterable[int],
    ) -> None:
        super().__init__(scope, construct_id)
        anywhere = ec2.AclCidr.any_ipv4()
        inside = ec2.AclCidr.ipv4(environment.vpc_cidr)
        company = ec2.AclCidr.ipv4(environment.company_network)
        everything = ec2.AclTraffic.all_traffic()
        # Answers come to ports that the asker chose: ACLs, unlike groups, know no connections.
        answers = ec2.AclTraffic.tcp_port_range(1024, 65535)
        https = ec2.AclTraffic.tcp_port(443)
        to_sources = [(company, ec2.AclTraffic.tcp_port(port)) for port in sorted(source_ports)]
        shared_out = [(inside, everything), (anywhere, https)]
        self._acl(
            "Public",
            vpc,
            ec2.SubnetType.PUBLIC,
            ingress=[(inside, everything), (anywhere, https), (anywhere, answers)],
            egress=[*shared_out, (anywhere, answers)],
        )
        self._acl(
            "Private",
            vpc,
            ec2.SubnetType.PRIVATE_WITH_EGRESS,
            ingress=[(inside, everything), (anywhere, answers)],
            egress=[*shared_out, *to_sources],
        )

    def _acl(
        self,
        name: str,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetType,
        *,
        ingress: list[tuple[ec2.AclCidr, ec2.AclTraffic]],
        egress: list[tuple[ec2.AclCidr, ec2.AclTraffic]],
    ) -> None:
        acl = ec2.NetworkAcl(
            self, name, vpc=vpc, subnet_selection=ec2.SubnetSelection(subnet_type=subnets)
        )
        for direction, rules in (
            (ec2.TrafficDirection.INGRESS, ingress),
            (ec2.TrafficDirection.EGRESS, egress),
        ):
            for number, (cidr, traffic) in enumerate(rules):
                acl.add_entry(
                    f"{direction.name.title()}{number}",
                    cidr=cidr,
                    traffic=traffic,
                    direction=direction,
                    rule_number=100 + 10 * number,
                    rule_action=ec2.Action.ALLOW,
                )


class SecurityGroups(Construct):
    """Who may talk to whom; nothing else may."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        environment: Environment,
        source_ports: Iterable[int],
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self.etl = self._group("Etl", "Meltano and dbt tasks")
        self.warehouse = self._group("Warehouse", "Redshift")
        self.endpoints = self._group("Endpoints", "Private endpoints of AWS APIs")
        self.rotation = self._group("Rotation", "Functions that change passwords")
        self.quarantine = self._group("Quarantine", "Isolates an instance: nothing in, nothing out")

        database = ec2.Port.tcp(WAREHOUSE_PORT)
        self.warehouse.add_ingress_rule(self.etl, database, "ETL to the warehouse")
        self.etl.add_egress_rule(self.warehouse, database, "ETL to the warehouse")
        self.warehouse.add_ingress_rule(self.rotation, database, "Rotation to the warehouse")
        self.rotation.add_egress_rule(self.warehouse, database, "Rotation to the warehouse")
        company = ec2.Peer.ipv4(environment.company_network)
        for port in sorted(source_ports):
            self.etl.add_egress_rule(company, ec2.Port.tcp(port), f"Sources on port {port}")
            self.rotation.add_egress_rule(company, ec2.Port.tcp(port), f"Sources on port {port}")
        self._let_reach_apis(environment)

    def _let_reach_apis(self, environment: Environment) -> None:
        from infra.config import S3_PREFIX_LISTS  # noqa: PLC0415

        s3 = ec2.Peer.prefix_list(S3_PREFIX_LISTS[environment.place.region])
        inside = ec2.Peer.ipv4(environment.vpc_cidr)
        self.endpoints.add_ingress_rule(inside, HTTPS, "VPC to the endpoints")
        for group in (self.etl, self.warehouse, self.rotation):
            group.add_egress_rule(s3, HTTPS, "S3 through its gateway")
            if environment.switches.private_endpoints:
                group.add_egress_rule(self.endpoints, HTTPS, "AWS APIs through the endpoints")
            else:
                group.add_egress_rule(
                    ec2.Peer.any_ipv4(), HTTPS, "AWS APIs through the NAT gateway"
                )

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            name,
            vpc=self._vpc,
            allow_all_outbound=False,
            description=description,
        )


class PrivateEndpoints(Construct):
    """AWS's APIs inside the VPC, so that traffic to them never leaves it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, group: ec2.ISecurityGroup
    ) -> None:
        super().__init__(scope, construct_id)
        services = {
            "secrets-manager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            "kms": ec2.InterfaceVpcEndpointAwsService.KMS,
            "ecr": ec2.InterfaceVpcEndpointAwsService.ECR,
            "ecr-docker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
            "logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
            "sts": ec2.InterfaceVpcEndpointAwsService.STS,
            "redshift-data": ec2.InterfaceVpcEndpointAwsService.REDSHIFT_DATA,
            "glue": ec2.InterfaceVpcEndpointAwsService.GLUE,
        }
        for name in PRIVATE_APIS:
            ec2.InterfaceVpcEndpoint(
                self, name, vpc=vpc, service=services[name], security_groups=[group], open=False
            )
