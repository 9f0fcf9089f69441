"""The one public door: a load balancer that asks Cognito first, behind the firewall (X-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack, aws_elasticloadbalancingv2_actions, aws_wafv2
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_s3

    from infra.components.identity import Identity
    from infra.config import Environment

CONSOLE_PORT = 8443
"""Where the web console listens, with TLS, in the private subnets."""
SESSION = Duration.hours(8)


class Entrance(Construct):
    """HTTPS only; who is not signed in with a second factor sees Cognito and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        logs: aws_s3.IBucket,
        identity: Identity,
        firewall_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=vpc,
            allow_all_outbound=False,
            description="The public door: HTTPS in, to the console and Cognito out",
        )
        anyone = ec2.Peer.any_ipv4()
        group.add_ingress_rule(anyone, ec2.Port.tcp(443), "HTTPS, behind the firewall")
        group.add_egress_rule(anyone, ec2.Port.tcp(443), "Cognito's token endpoint")
        group.add_egress_rule(
            ec2.Peer.ipv4(environment.vpc_cidr), ec2.Port.tcp(CONSOLE_PORT), "The console"
        )
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            load_balancer_name="data-warehouse",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            internet_facing=True,
            security_group=group,
            deletion_protection=True,
            drop_invalid_header_fields=True,
        )
        balancer.log_access_logs(logs, "web")
        console = elb.ApplicationTargetGroup(
            self,
            "Console",
            target_group_name="data-warehouse-console",
            vpc=vpc,
            target_type=elb.TargetType.IP,
            port=CONSOLE_PORT,
            protocol=elb.ApplicationProtocol.HTTPS,
            health_check=elb.HealthCheck(path="/health", protocol=elb.Protocol.HTTPS),
        )
        certificate = Stack.of(self).format_arn(
            service="acm", resource="certificate", resource_name=environment.certificate_id
        )
        balancer.add_listener(
            "Https",
            port=443,
            open=False,  # the group above says who may come
            certificates=[elb.ListenerCertificate.from_arn(certificate)],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            default_action=aws_elasticloadbalancingv2_actions.AuthenticateCognitoAction(
                user_pool=identity.pool,
                user_pool_client=identity.client,
                user_pool_domain=identity.domain,
                session_timeout=SESSION,
                next=elb.ListenerAction.forward([console]),
            ),
        )
        aws_wafv2.CfnWebACLAssociation(
            self,
            "Firewall",
            resource_arn=balancer.load_balancer_arn,
            web_acl_arn=firewall_arn,
        )
