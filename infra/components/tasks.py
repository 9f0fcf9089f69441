"""Fargate tasks that run Meltano: one definition and role for each source and one more (I-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Duration, Stack, aws_ecs
from constructs import Construct

from infra import names
from infra.components.grants import allow, use_bucket, use_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ecr, aws_kms, aws_logs, aws_s3

    from infra.config import Environment

PROJECT_ROOT = "/srv/watershed"
WRITABLE = {
    "output": f"{PROJECT_ROOT}/output",
    "meltano": f"{PROJECT_ROOT}/.meltano",
    "dbt": f"{PROJECT_ROOT}/transform/target",
    "tmp": "/tmp",  # noqa: S108
}
"""All else of the file system is read-only."""
USER = "10001:10001"
CONTAINER = "meltano"


@dataclass(frozen=True)
class TaskSettings:
    """What every task of the pipeline has in common."""

    environment: Environment
    repository: aws_ecr.IRepository
    log_group: aws_logs.ILogGroup
    key: aws_kms.IKey
    staging: aws_s3.IBucket
    warehouse_host: str

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that say where the warehouse is; its password is none."""
        return {
            "MELTANO_ENVIRONMENT": "prod",  # that of Redshift, whichever account this is
            "AWS_REGION": self.environment.place.region,
            "WATERSHED_REDSHIFT_HOST": self.warehouse_host,
            "WATERSHED_REDSHIFT_CLUSTER": names.CLUSTER,
            "WATERSHED_REDSHIFT_DATABASE": names.DATABASE,
            "WATERSHED_REDSHIFT_BUCKET": self.staging.bucket_name,
            "WATERSHED_REDSHIFT_KMS_KEY": self.key.key_arn,
        }


class MeltanoTask(Construct):
    """A task that may use one part of the staging bucket and the warehouse, and its secrets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: TaskSettings,
        secrets: Mapping[str, aws_ecs.Secret],
        staging_prefix: str,
    ) -> None:
        super().__init__(scope, construct_id)
        environment = settings.environment
        self.definition = aws_ecs.FargateTaskDefinition(
            self,
            "Definition",
            family=name,
            cpu=environment.task_cpu,
            memory_limit_mib=environment.task_memory_mib,
            volumes=[aws_ecs.Volume(name=volume) for volume in WRITABLE],
        )
        process = aws_ecs.LinuxParameters(self, "Process", init_process_enabled=True)
        self.container = self.definition.add_container(
            CONTAINER,
            container_name=CONTAINER,
            image=aws_ecs.ContainerImage.from_ecr_repository(
                settings.repository, environment.image_tag
            ),
            readonly_root_filesystem=True,
            user=USER,
            # An init passes SIGTERM on; a process that is number 1 itself would not get it.
            linux_parameters=process,
            stop_timeout=Duration.seconds(environment.stop_seconds),
            logging=aws_ecs.LogDrivers.aws_logs(stream_prefix=name, log_group=settings.log_group),
            environment=settings.variables | {"WATERSHED_REDSHIFT_PREFIX": staging_prefix},
            secrets=dict(secrets),
        )
        self.container.add_mount_points(
            *(
                aws_ecs.MountPoint(container_path=path, source_volume=volume, read_only=False)
                for volume, path in WRITABLE.items()
            )
        )
        self._allow(settings, staging_prefix)

    def _allow(self, settings: TaskSettings, staging_prefix: str) -> None:
        stack = Stack.of(self)
        role = self.definition.task_role
        use_key(role, settings.key)
        use_bucket(role, settings.staging, prefix=f"{staging_prefix}/", writes=True)
        database = stack.format_arn(
            service="redshift",
            resource="dbname",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name=f"{names.CLUSTER}/{names.DATABASE}",
        )
        allow(role, ["redshift:GetClusterCredentialsWithIAM"], [database])
