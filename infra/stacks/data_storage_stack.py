"""Where data rests: the warehouse, the buckets, the catalog, their backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, aws_kms, aws_secretsmanager

from infra import names
from infra.components.backups import Backups
from infra.components.buckets import DataBucket, LogBucket, Replication
from infra.components.catalog import Catalog, WarehouseRole
from infra.components.classification import Classification
from infra.components.credentials import Rotation
from infra.components.warehouse import Warehouse

if TYPE_CHECKING:
    from aws_cdk import aws_ec2
    from constructs import Construct

    from infra.components.network import SecurityGroups
    from infra.config import Environment


class DataStorageStack(Stack):
    """D-1, D-2, D-3, S-5, and the first region's part of X-1."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: aws_ec2.IVpc,
        groups: SecurityGroups,
        key_arn: str,
        warehouse_secret_arn: str,
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        # By name: a key or secret that learned of this stack's roles would depend on this stack.
        self._key = aws_kms.Key.from_key_arn(self, "Key", key_arn)
        secret = aws_secretsmanager.Secret.from_secret_attributes(
            self,
            "WarehouseSecret",
            secret_complete_arn=warehouse_secret_arn,
            encryption_key=self._key,
        )
        self._make_buckets(environment)
        self.catalog = Catalog(
            self, "Catalog", key=self._key, location=f"s3://{self.archive.bucket_name}/"
        )
        role = WarehouseRole(
            self, "WarehouseRole", key=self._key, staging=self.staging, archive=self.archive
        ).role
        self.warehouse = Warehouse(
            self,
            "Warehouse",
            environment=environment,
            vpc=vpc,
            group=groups.warehouse,
            key=self._key,
            secret=secret,
            logs=self.logs,
            role=role,
        ).cluster
        Rotation(
            self, "Rotation", secret=secret, engine="redshift", vpc=vpc, group=groups.rotation
        ).node.add_dependency(self.warehouse)
        Backups(self, "Backups", key=self._key).node.add_dependency(self.warehouse)
        if environment.switches.macie:
            Classification(
                self,
                "Classification",
                environment=environment,
                buckets=(self.staging.bucket_name, self.archive.bucket_name),
                cluster=names.CLUSTER,
                database=names.DATABASE,
                unload_role_arn=role.role_arn,
                key_arn=key_arn,
            )

    def _make_buckets(self, environment: Environment) -> None:
        self.logs = LogBucket(
            self,
            "AccessLogs",
            name=f"{names.ACCESS_LOG_BUCKET}-{environment.suffix}",
            days=environment.audit_days,
        ).bucket
        self.staging = DataBucket(
            self,
            "Staging",
            name=f"{names.STAGING_BUCKET}-{environment.suffix}",
            key=self._key,
            logs=self.logs,
            glacier_days=environment.staging_glacier_days,
        ).bucket
        self.archive = DataBucket(
            self,
            "Archival",
            name=f"{names.ARCHIVE_BUCKET}-{environment.suffix}",
            key=self._key,
            logs=self.logs,
            expire_days=environment.archive_days,
            locked_days=environment.archive_days if environment.switches.object_lock else None,
        ).bucket
        if environment.switches.is_replicated:
            Replication(
                self,
                "Replication",
                bucket=self.archive,
                key=self._key,
                replica_name=f"{names.REPLICA_BUCKET}-{environment.recovery_suffix}",
                replica_region=environment.recovery_place.region,
                replica_key_alias=names.RECOVERY_KEY_ALIAS,
            )
