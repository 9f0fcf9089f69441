"""What moves data: tasks, the workflow, schedules, crawlers, functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import (
    RemovalPolicy,
    Stack,
    aws_ecr,
    aws_ecs,
    aws_kms,
    aws_logs,
    aws_secretsmanager,
    aws_sns,
)

from infra import names
from infra.components.catalog import Crawler
from infra.components.credentials import ENGINES, Rotation
from infra.components.etl_functions import EtlFunctions
from infra.components.grants import use_key
from infra.components.retention import retention
from infra.components.schedules import Schedules
from infra.components.tasks import MeltanoTask, TaskSettings
from infra.components.workflow import Workflow, WorkflowParts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from infra.config import Environment
    from infra.project import Project
    from infra.stacks.data_storage_stack import DataStorageStack
    from infra.stacks.networking_stack import NetworkingStack

KEPT_IMAGES = 20


class DataIntegrationStack(Stack):
    """I-1, I-2, I-3, I-4."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        project: Project,
        network: NetworkingStack,
        storage: DataStorageStack,
        key_arn: str,
        source_secret_arns: Mapping[str, str],
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._key = aws_kms.Key.from_key_arn(self, "Key", key_arn)
        cluster = aws_ecs.Cluster(
            self,
            "Cluster",
            cluster_name="data-warehouse",
            vpc=network.vpc,
            container_insights_v2=aws_ecs.ContainerInsights.ENABLED,
        )
        settings = self._task_settings(environment, storage)
        tasks = {}
        for source in project.sources:
            secret = aws_secretsmanager.Secret.from_secret_attributes(
                self,
                f"Secret-{source.name}",
                secret_complete_arn=source_secret_arns[source.name],
                encryption_key=self._key,
            )
            tasks[source.name] = MeltanoTask(
                self,
                f"Extract-{source.name}",
                name=f"extract-data-from-{source.name}",
                settings=settings,
                secrets={
                    variable: aws_ecs.Secret.from_secrets_manager(secret, field)
                    for variable, field in source.credentials.items()
                },
                staging_prefix=source.name,
            )
            if environment.switches.rotates_source_credentials and source.tap in ENGINES:
                Rotation(
                    self,
                    f"Rotation-{source.name}",
                    secret=secret,
                    engine=ENGINES[source.tap],
                    vpc=network.vpc,
                    group=network.groups.rotation,
                )
        step_task = MeltanoTask(
            self,
            "Steps",
            name="transform-and-publish",
            settings=settings,
            secrets={},
            staging_prefix="dbt",
        )
        self._crawlers(storage)
        topic = aws_sns.Topic.from_topic_arn(
            self, "Topic", self.format_arn(service="sns", resource=names.TOPIC)
        )
        self.functions = EtlFunctions(
            self,
            "Functions",
            environment=environment,
            project=project,
            key=self._key,
            topic=topic,
            task_logs=settings.log_group,
        )
        workflow = Workflow(
            self,
            "Workflow",
            environment=environment,
            project=project,
            parts=WorkflowParts(
                cluster=cluster,
                group=network.groups.etl,
                source_tasks=tasks,
                step_task=step_task,
                post_processing=self.functions.post_processing.function,
                topic=topic,
                key=self._key,
            ),
        )
        self.state_machine = workflow.state_machine
        # The topic is known by its name only, so its key's use is granted here.
        use_key(self.state_machine.role, self._key)
        self.schedules = Schedules(
            self, "Schedules", project=project, state_machine=self.state_machine, key=self._key
        )

    def _task_settings(self, environment: Environment, storage: DataStorageStack) -> TaskSettings:
        repository = aws_ecr.Repository(
            self,
            "Images",
            repository_name="data-warehouse/meltano",
            encryption=aws_ecr.RepositoryEncryption.KMS,
            encryption_key=self._key,
            image_scan_on_push=True,
            image_tag_mutability=aws_ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[aws_ecr.LifecycleRule(max_image_count=KEPT_IMAGES)],
            removal_policy=RemovalPolicy.RETAIN,
        )
        log_group = aws_logs.LogGroup(
            self,
            "TaskLogs",
            log_group_name="/data-warehouse/tasks",
            encryption_key=self._key,
            retention=retention(environment.log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        return TaskSettings(
            environment=environment,
            repository=repository,
            log_group=log_group,
            key=self._key,
            staging=storage.staging,
            warehouse_host=storage.warehouse.attr_endpoint_address,
        )

    def _crawlers(self, storage: DataStorageStack) -> None:
        for name, bucket, prefix in (
            (names.SOURCE_CRAWLER, storage.staging, "staged_"),
            (names.TRANSFORMED_CRAWLER, storage.archive, "archived_"),
        ):
            Crawler(
                self,
                name,
                name=name,
                bucket=bucket,
                key=self._key,
                table_prefix=prefix,
                security_configuration="data-warehouse-crawlers",
            )
