"""What lies where, under which key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.checks.registry import check
from infra.config import RETIRED_NODE_TYPES
from infra.templates import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.templates import Templates

LOG_BUCKET = "/AccessLogs/"
SNAPSHOT_DAYS = 7


@check
def the_warehouse_is_private_encrypted_and_audited(templates: Templates) -> Iterator[str]:
    for cluster in templates.all("AWS::Redshift::Cluster"):
        properties = cluster.properties
        wanted = {
            "PubliclyAccessible": False,
            "Encrypted": True,
            "EnhancedVpcRouting": True,
        }
        for name, value in wanted.items():
            if properties.get(name) is not value:
                yield f"{cluster.path}: {name} is not {value}"
        for name in ("KmsKeyId", "LoggingProperties", "ClusterSubnetGroupName"):
            if not properties.get(name):
                yield f"{cluster.path}: no {name}"
        if properties.get("AutomatedSnapshotRetentionPeriod", 1) < SNAPSHOT_DAYS:
            yield f"{cluster.path}: snapshots are kept less than {SNAPSHOT_DAYS} days"


@check
def the_warehouse_runs_on_nodes_that_aws_still_starts(templates: Templates) -> Iterator[str]:
    for cluster in templates.all("AWS::Redshift::Cluster"):
        if cluster.properties["NodeType"].startswith(RETIRED_NODE_TYPES):
            yield f"{cluster.path}: {cluster.properties['NodeType']} is retired"


@check
def the_warehouse_demands_tls(templates: Templates) -> Iterator[str]:
    for group in templates.all("AWS::Redshift::ClusterParameterGroup"):
        values = {p["ParameterName"]: p["ParameterValue"] for p in group.properties["Parameters"]}
        for name in ("require_ssl", "enable_user_activity_logging"):
            if values.get(name) != "true":
                yield f"{group.path}: {name} is not true"


@check
def passwords_are_references(templates: Templates) -> Iterator[str]:
    for cluster in templates.all("AWS::Redshift::Cluster"):
        if "{{resolve:secretsmanager:" not in text(cluster.properties.get("MasterUserPassword")):
            yield f"{cluster.path}: the password stands in the template"
    for task in templates.all("AWS::ECS::TaskDefinition"):
        for container in task.properties["ContainerDefinitions"]:
            for variable in container.get("Environment", ()):
                if any(
                    word in variable["Name"].upper() for word in ("PASSWORD", "SECRET", "TOKEN")
                ):
                    yield f"{task.path}: {variable['Name']} stands in the template"


@check
def buckets_are_closed_versioned_and_encrypted(templates: Templates) -> Iterator[str]:
    for bucket in templates.all("AWS::S3::Bucket"):
        properties = bucket.properties
        block = properties.get("PublicAccessBlockConfiguration", {})
        if len(block) != 4 or not all(block.values()):  # noqa: PLR2004  # AWS has four of them
            yield f"{bucket.path} may become public"
        if properties.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield f"{bucket.path} keeps no versions"
        rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        algorithms = [rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules]
        if algorithms != ["AES256" if LOG_BUCKET in bucket.path else "aws:kms"]:
            yield f"{bucket.path} is not encrypted under the key"
        if not properties.get("LifecycleConfiguration"):
            yield f"{bucket.path} keeps everything for ever"


@check
def buckets_refuse_clear_text(templates: Templates) -> Iterator[str]:
    refused = {
        text(policy.properties["Bucket"])
        for policy in templates.all("AWS::S3::BucketPolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
    }
    for bucket in templates.all("AWS::S3::Bucket"):
        if f"<{bucket.logical_id}>" not in refused:
            yield f"{bucket.path} can be read without TLS"


@check
def every_store_is_under_a_key(templates: Templates) -> Iterator[str]:
    keys = {
        "AWS::SecretsManager::Secret": "KmsKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::Backup::BackupVault": "EncryptionKeyArn",
        "AWS::CloudTrail::Trail": "KMSKeyId",
        "AWS::Redshift::SnapshotCopyGrant": "KmsKeyId",
        "AWS::Lambda::Function": "KmsKeyArn",
        "AWS::ECR::Repository": "EncryptionConfiguration",
        "AWS::DynamoDB::Table": "SSESpecification",
    }
    for type_, property_ in keys.items():
        for resource in templates.all(type_):
            value = resource.properties.get(property_)
            if not value or "alias/aws/" in text(value):
                yield f"{resource.path} is not under a key of ours"


@check
def keys_are_renewed(templates: Templates) -> Iterator[str]:
    for key in templates.all("AWS::KMS::Key"):
        if key.properties.get("EnableKeyRotation") is not True:
            yield f"{key.path} is never renewed"


@check
def the_administrators_password_is_rotated(templates: Templates) -> Iterator[str]:
    rotated = [
        text(schedule.properties["SecretId"])
        for schedule in templates.all("AWS::SecretsManager::RotationSchedule")
    ]
    for secret in templates.all("AWS::SecretsManager::Secret"):
        name = secret.properties["Name"]
        if name == "redshift/credentials" and not any(secret.logical_id in r for r in rotated):
            yield f"{secret.path} is never changed"


@check
def logs_end(templates: Templates) -> Iterator[str]:
    for group in templates.all("AWS::Logs::LogGroup"):
        if not group.properties.get("RetentionInDays"):
            yield f"{group.path} keeps everything for ever"


@check
def data_survives_the_stack(templates: Templates) -> Iterator[str]:
    kept = {
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::SecretsManager::Secret",
        "AWS::Redshift::Cluster",
    }
    for stack, template in templates.by_stack.items():
        for logical_id, raw in template["Resources"].items():
            policy = raw.get("DeletionPolicy", "Delete")
            if raw["Type"] in kept and policy not in ("Retain", "Snapshot", "RetainExceptOnCreate"):
                yield f"{stack}/{logical_id} goes with its stack"
