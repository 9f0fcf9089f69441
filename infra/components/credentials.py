"""Secrets and their rotation (S-3)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, aws_ec2, aws_secretsmanager
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_kms

    from infra.project import Source

ADMINISTRATOR = "dwadmin"
UNFIT_CHARACTERS = "/@\"'\\ "
"""Redshift takes none of them in a password."""
ROTATION_DAYS = 30


def source_secret_name(source: Source) -> str:
    """Return where a source's credentials lie, e.g. ``source_shop/credentials``."""
    return f"source_{source.name}/credentials"


class Credentials(Construct):
    """The warehouse administrator's password and each source's connection, under one key."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: aws_kms.IKey,
        sources: Iterable[Source],
    ) -> None:
        super().__init__(scope, construct_id)
        self.warehouse = aws_secretsmanager.Secret(
            self,
            "Warehouse",
            secret_name="redshift/credentials",  # noqa: S106  # its name
            description="Administrator of the warehouse; tasks log in by their roles instead",
            encryption_key=key,
            removal_policy=RemovalPolicy.RETAIN,
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": ADMINISTRATOR}),
                generate_string_key="password",
                exclude_characters=UNFIT_CHARACTERS,
                password_length=32,
            ),
        )
        self.sources = {source.name: self._source_secret(source, key) for source in sources}

    def _source_secret(self, source: Source, key: aws_kms.IKey) -> aws_secretsmanager.Secret:
        keys = sorted({*source.credentials.values()} - {"password"})
        # Keys that a person fills in once; until then a load fails and says which host it misses.
        template = dict.fromkeys(keys, "") | {"engine": ENGINES.get(source.tap, "")}
        return aws_secretsmanager.Secret(
            self,
            source.name,
            secret_name=source_secret_name(source),
            description=f"Connection of {source.extractor}",
            encryption_key=key,
            removal_policy=RemovalPolicy.RETAIN,
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(template),
                generate_string_key="password",
                exclude_characters=UNFIT_CHARACTERS,
                password_length=32,
            ),
        )


ENGINES = {"tap-postgres": "postgres", "tap-mysql": "mysql", "tap-mongodb": "mongo"}
"""AWS's words, in the secret, for the databases whose passwords it can change."""


class Rotation(Construct):
    """AWS's own function changes a password every 30 days, from inside the VPC."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secret: aws_secretsmanager.ISecret,
        engine: str,
        vpc: aws_ec2.IVpc,
        group: aws_ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        rotation = aws_secretsmanager.HostedRotation
        make = {
            "redshift": rotation.redshift_single_user,
            "postgres": rotation.postgre_sql_single_user,
            "mysql": rotation.mysql_single_user,
            "mongo": rotation.mongo_db_single_user,
        }[engine]
        secret.add_rotation_schedule(
            "Schedule",
            automatically_after=Duration.days(ROTATION_DAYS),
            hosted_rotation=make(
                vpc=vpc,
                security_groups=[group],
                vpc_subnets=aws_ec2.SubnetSelection(
                    subnet_type=aws_ec2.SubnetType.PRIVATE_WITH_EGRESS
                ),
                exclude_characters=UNFIT_CHARACTERS,
            ),
        )
