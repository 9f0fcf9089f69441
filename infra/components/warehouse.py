"""The Redshift cluster (D-1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import (
    RemovalPolicy,
    Stack,
    aws_ec2,
    aws_iam,
    aws_redshift,
    aws_secretsmanager,
)
from constructs import Construct

from infra import names
from infra.components.network import WAREHOUSE_PORT

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_s3

    from infra.config import Environment

AUDIT_PREFIX = "redshift/"
QUEUES = [
    {
        "name": "etl",
        "user_group": ["etl"],
        "query_group": [],
        "queue_type": "auto",
        "auto_wlm": True,
        "priority": "high",
        "concurrency_scaling": "off",
    },
    {
        "name": "readers",
        "user_group": ["analysts", "executives"],
        "query_group": [],
        "queue_type": "auto",
        "auto_wlm": True,
        "priority": "normal",
        "concurrency_scaling": "auto",
        "rules": [
            {
                "rule_name": "runaway",
                "predicate": [
                    {"metric_name": "query_execution_time", "operator": ">", "value": 1800}
                ],
                "action": "abort",
            }
        ],
    },
    {"short_query_queue": True},
]
"""Workload management: loads come first, readers scale out, a query of half an hour is ended."""


class Warehouse(Construct):
    """A cluster in private subnets, encrypted, audited, TLS only."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: aws_ec2.IVpc,
        group: aws_ec2.ISecurityGroup,
        key: aws_kms.IKey,
        secret: aws_secretsmanager.ISecret,
        logs: aws_s3.Bucket,
        role: aws_iam.IRole,
    ) -> None:
        super().__init__(scope, construct_id)
        subnets = aws_redshift.CfnClusterSubnetGroup(
            self,
            "Subnets",
            description="Private subnets of the warehouse",
            subnet_ids=vpc.select_subnets(
                subnet_type=aws_ec2.SubnetType.PRIVATE_WITH_EGRESS
            ).subnet_ids,
        )
        self.cluster = aws_redshift.CfnCluster(
            self,
            "Cluster",
            cluster_identifier=names.CLUSTER,
            cluster_type="multi-node",
            node_type=environment.node_type,
            number_of_nodes=environment.nodes,
            db_name=names.DATABASE,
            port=WAREHOUSE_PORT,
            # CloudFormation reads the secret; neither template nor state holds the password.
            master_username=secret.secret_value_from_json("username").unsafe_unwrap(),
            master_user_password=secret.secret_value_from_json("password").unsafe_unwrap(),
            cluster_subnet_group_name=subnets.ref,
            cluster_parameter_group_name=self._parameters(environment).ref,
            vpc_security_group_ids=[group.security_group_id],
            iam_roles=[role.role_arn],
            encrypted=True,
            kms_key_id=key.key_arn,
            publicly_accessible=False,
            enhanced_vpc_routing=True,
            availability_zone_relocation=True,
            allow_version_upgrade=True,
            preferred_maintenance_window="sun:07:00-sun:08:00",
            automated_snapshot_retention_period=environment.snapshot_days,
            snapshot_identifier=environment.restored_from,
            logging_properties=aws_redshift.CfnCluster.LoggingPropertiesProperty(
                bucket_name=logs.bucket_name, s3_key_prefix=AUDIT_PREFIX
            ),
        )
        if environment.switches.is_replicated:
            self.cluster.destination_region = environment.recovery_place.region
            self.cluster.snapshot_copy_grant_name = names.SNAPSHOT_COPY_GRANT
            self.cluster.snapshot_copy_retention_period = environment.snapshot_days
        self.cluster.apply_removal_policy(RemovalPolicy.SNAPSHOT)
        self._let_audit(logs)
        # Rotation finds host and port in the secret through this.
        aws_secretsmanager.CfnSecretTargetAttachment(
            self,
            "SecretAttachment",
            secret_id=secret.secret_arn,
            target_id=self.cluster.ref,
            target_type="AWS::Redshift::Cluster",
        )

    def _parameters(self, environment: Environment) -> aws_redshift.CfnClusterParameterGroup:
        parameters = {
            "require_ssl": "true",
            "use_fips_ssl": "true",
            "enable_user_activity_logging": "true",
            "statement_timeout": "14400000",  # milliseconds
            "max_concurrency_scaling_clusters": str(environment.concurrency_scaling_clusters),
            "wlm_json_configuration": json.dumps(QUEUES, separators=(",", ":")),
        }
        return aws_redshift.CfnClusterParameterGroup(
            self,
            "Parameters",
            description="TLS required, activity logged, queues for loads and readers",
            parameter_group_family="redshift-1.0",
            parameters=[
                aws_redshift.CfnClusterParameterGroup.ParameterProperty(
                    parameter_name=name, parameter_value=value
                )
                for name, value in parameters.items()
            ],
        )

    def _let_audit(self, logs: aws_s3.Bucket) -> None:
        stack = Stack.of(self)
        for actions, resource in (
            (["s3:GetBucketAcl"], logs.bucket_arn),
            (["s3:PutObject"], logs.arn_for_objects(f"{AUDIT_PREFIX}*")),
        ):
            logs.add_to_resource_policy(
                aws_iam.PolicyStatement(
                    principals=[aws_iam.ServicePrincipal("redshift.amazonaws.com")],
                    actions=actions,
                    resources=[resource],
                    conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
                )
            )
        if logs.policy is not None:
            self.cluster.node.add_dependency(logs.policy)
