"""The Glue catalog over the buckets, and how the warehouse reads it (D-3, I-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack, aws_glue, aws_iam
from constructs import Construct

from infra import names
from infra.components.grants import use_bucket, use_key

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_s3


def catalog_arns(scope: Construct) -> list[str]:
    """Return the catalog, its database and that database's tables, as policies name them."""
    stack = Stack.of(scope)
    return [
        stack.format_arn(service="glue", resource=resource)
        for resource in ("catalog", f"database/{names.CATALOG}", f"table/{names.CATALOG}/*")
    ]


class Catalog(Construct):
    """The catalog's database; definitions and passwords in it are encrypted."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: aws_kms.IKey, location: str
    ) -> None:
        super().__init__(scope, construct_id)
        account = Stack.of(self).account
        self.database = aws_glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=aws_glue.CfnDatabase.DatabaseInputProperty(
                name=names.CATALOG,
                description="Staged and archived data; Spectrum's external schema",
                location_uri=location,
            ),
        )
        settings = aws_glue.CfnDataCatalogEncryptionSettings
        settings(
            self,
            "Encryption",
            catalog_id=account,
            data_catalog_encryption_settings=settings.DataCatalogEncryptionSettingsProperty(
                encryption_at_rest=settings.EncryptionAtRestProperty(
                    catalog_encryption_mode="SSE-KMS", sse_aws_kms_key_id=key.key_arn
                ),
                connection_password_encryption=settings.ConnectionPasswordEncryptionProperty(
                    return_connection_password_encrypted=True, kms_key_id=key.key_arn
                ),
            ),
        )
        self.security = aws_glue.CfnSecurityConfiguration(
            self,
            "Security",
            name="data-warehouse-crawlers",
            encryption_configuration=aws_glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                cloud_watch_encryption=aws_glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
                ),
                s3_encryptions=[
                    aws_glue.CfnSecurityConfiguration.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
                    )
                ],
            ),
        )


class WarehouseRole(Construct):
    """What COPY, UNLOAD and Spectrum may do: both buckets and the catalog, nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: aws_kms.IKey,
        staging: aws_s3.IBucket,
        archive: aws_s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = aws_iam.Role(
            self,
            "Role",
            # The bootstrap names it. Roles are of the whole account, and there may be two regions.
            role_name=f"data-warehouse-spectrum-{stack.region}",
            assumed_by=aws_iam.ServicePrincipal(
                "redshift.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        use_bucket(self.role, staging, writes=True)
        use_bucket(self.role, archive, writes=True)
        use_key(self.role, key)
        self.role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=[
                    "glue:BatchCreatePartition",
                    "glue:GetDatabase",
                    "glue:GetPartition",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                ],
                resources=catalog_arns(self),
            )
        )


class Crawler(Construct):
    """Finds the tables of a bucket; the workflow starts it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bucket: aws_s3.IBucket,
        key: aws_kms.IKey,
        table_prefix: str,
        security_configuration: str,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.name = name
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "glue.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        use_bucket(role, bucket, writes=False)
        use_key(role, key)
        logs = stack.format_arn(
            service="logs",
            resource="log-group",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name="/aws-glue/crawlers*",
        )
        for actions, resources in (
            (
                [
                    "glue:BatchCreatePartition",
                    "glue:BatchGetPartition",
                    "glue:CreateTable",
                    "glue:GetDatabase",
                    "glue:GetPartition",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                    "glue:UpdatePartition",
                    "glue:UpdateTable",
                ],
                catalog_arns(self),
            ),
            (
                [
                    "logs:AssociateKmsKey",
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                ],
                [logs],
            ),
            (
                ["glue:GetSecurityConfiguration"],
                # The API knows no resource for security configurations.
                ["*"],
            ),
        ):
            role.add_to_policy(aws_iam.PolicyStatement(actions=actions, resources=resources))
        aws_glue.CfnCrawler(
            self,
            "Crawler",
            name=name,
            role=role.role_arn,
            database_name=names.CATALOG,
            table_prefix=table_prefix,
            crawler_security_configuration=security_configuration,
            targets=aws_glue.CfnCrawler.TargetsProperty(
                s3_targets=[
                    aws_glue.CfnCrawler.S3TargetProperty(
                        path=f"s3://{bucket.bucket_name}/", exclusions=["macie-samples/**"]
                    )
                ]
            ),
            schema_change_policy=aws_glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="LOG"
            ),
        ).node.add_dependency(role)
