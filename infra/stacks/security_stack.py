"""Keys, secrets and the web firewall: what every other stack refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack

from infra import names
from infra.components.credentials import Credentials
from infra.components.firewall import Firewall
from infra.components.keys import WarehouseKey

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Environment
    from infra.project import Project


class SecurityStack(Stack):
    """S-2, S-3, S-4; roles (S-1) stand beside what uses them, Macie (S-5) beside the buckets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        project: Project,
        **options: Any,  # noqa: ANN401  # a stack's own
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self.key = WarehouseKey(self, "Key", alias=names.KEY_ALIAS).key
        credentials = Credentials(self, "Credentials", key=self.key, sources=project.sources)
        self.warehouse_secret = credentials.warehouse
        self.source_secrets = credentials.sources
        self.firewall = Firewall(self, "Firewall", key=self.key, log_days=environment.log_days).acl
