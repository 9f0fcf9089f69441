"""What waits in the second region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, aws_redshift

from infra import names
from infra.components.buckets import DataBucket, LogBucket
from infra.components.keys import WarehouseKey

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Environment


class DisasterRecoveryStack(Stack):
    """X-1: a key of its own, the right to copy snapshots under it, and the archive's replica."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        key = WarehouseKey(self, "Key", alias=names.RECOVERY_KEY_ALIAS).key
        aws_redshift.CfnSnapshotCopyGrant(
            self,
            "SnapshotCopyGrant",
            snapshot_copy_grant_name=names.SNAPSHOT_COPY_GRANT,
            kms_key_id=key.key_arn,
        )
        logs = LogBucket(
            self,
            "AccessLogs",
            name=f"{names.ACCESS_LOG_BUCKET}-replica-{environment.recovery_suffix}",
            days=environment.audit_days,
        ).bucket
        DataBucket(
            self,
            "ArchivalReplica",
            name=f"{names.REPLICA_BUCKET}-{environment.recovery_suffix}",
            key=key,
            logs=logs,
            expire_days=environment.archive_days,
            locked_days=environment.archive_days if environment.switches.object_lock else None,
        )
