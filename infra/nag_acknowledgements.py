"""Findings of cdk-nag that stay, each with its reason.

The tests fail when a finding has no entry here, and when an entry has no finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Acknowledgement:
    """Why a finding is accepted.

    Attributes:
        rule: Beginning of the finding's name.
        where: Regular expression of the construct's path.
        reason: What makes it right.
    """

    rule: str
    where: str
    reason: str

    def covers(self, rule: str, path: str) -> bool:
        """Whether a finding is meant."""
        return rule.startswith(self.rule) and re.search(self.where, path) is not None


ACKNOWLEDGED = tuple(
    Acknowledgement(*entry)
    for entry in (
        # Network
        ("AwsSolutions-VPC3", "^NetworkingStack/Acls/", "N-3 asks for ACLs that deny by default"),
        (
            "HIPAA.Security-VPCNoUnrestrictedRouteToIGW",
            "^NetworkingStack/Network/Vpc/publicSubnet",
            "N-2: public subnets hold the NAT gateways and the web door, and nothing else",
        ),
        (
            "HIPAA.Security-VPCDefaultSecurityGroupClosed",
            "^NetworkingStack/Network/Vpc/Resource$",
            "Nothing uses the default group; only a function of CDK's own could empty it",
        ),
        (
            "AwsSolutions-EC23",
            "^WebAccessStack/Entrance/Group/",
            "X-2: the one public door, HTTPS only, behind firewall and sign-in",
        ),
        (
            "HIPAA.Security-LambdaInsideVPC",
            "/Function/Resource$",
            "They call APIs of AWS only; outside the VPC they have no path to the warehouse",
        ),
        # Storage
        (
            "AwsSolutions-RS3",
            "^DataStorageStack/Warehouse/Cluster$",
            "The name comes from the secret, dwadmin; cdk-nag cannot read it there",
        ),
        (
            "AwsSolutions-RS4",
            "^DataStorageStack/Warehouse/Cluster$",
            "N-3 names port 5439; the group lets in ETL and rotation only",
        ),
        (
            "HIPAA.Security-S3DefaultEncryptionKMS",
            "/AccessLogs/Bucket/",
            "S3 and Redshift write logs under S3's own key only",
        ),
        (
            "HIPAA.Security-S3BucketReplicationEnabled",
            "/AccessLogs/Bucket/",
            "Logs of who read what in a region stay in it",
        ),
        (
            "HIPAA.Security-S3BucketReplicationEnabled",
            "^DisasterRecoveryStack/ArchivalReplica/",
            "It is the replica",
        ),
        (
            "HIPAA.Security-S3BucketReplicationEnabled",
            "^DataStorageStack/(Staging|Archival)/",
            "Staged files can be extracted again; dev has no second region",
        ),
        (
            "HIPAA.Security-S3BucketReplicationEnabled",
            "^MonitoringLoggingStack/AuditBucket/",
            "CloudTrail itself keeps 90 days of events; the trail covers all regions",
        ),
        (
            "HIPAA.Security-DynamoDBInBackupPlan",
            "/Lease/Table/",
            "It holds one row while a run is going",
        ),
        # Secrets and functions
        (
            "AwsSolutions-SMG4",
            "^SecurityStack/Credentials/",
            "Rotated by the stacks that own the databases; in dev the sources are others'",
        ),
        (
            "HIPAA.Security-SecretsManagerRotationEnabled",
            "^SecurityStack/Credentials/",
            "The same",
        ),
        ("AwsSolutions-L1", "/Function/Resource$", "The newest Python that Watershed is tested on"),
        (
            "AwsSolutions-SQS3",
            "^DataIntegrationStack/Schedules/Undelivered/",
            "It is where the schedules' undelivered starts go",
        ),
        (
            "AwsSolutions-GL1",
            "_crawler/Crawler$",
            "The security configuration of the storage stack, by its name, encrypts its logs",
        ),
        (
            "AwsSolutions-ECS2",
            "/Definition/Resource$",
            "The variables say where the warehouse is; what is secret comes from Secrets Manager",
        ),
        # Roles
        (
            "HIPAA.Security-IAMNoInlinePolicy",
            "Policy|/inlinePolicyAddedToExecutionRole",
            "A role's rights live and die with it; a shared policy would outlive its reason",
        ),
        (
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackup",
            "^DataStorageStack/Backups/",
            "AWS says what its backup service needs",
        ),
        (
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWS_Config",
            "^MonitoringLoggingStack/Compliance/",
            "The recorder must read every kind of resource, and AWS keeps the list",
        ),
        # Wildcards: those in names of objects, log streams, versions and executions
        (
            "AwsSolutions-IAM5[Resource::<ArchivalBucket",
            "^DataStorageStack/(Replication|WarehouseRole)/",
            "Every object of the archive",
        ),
        (
            "AwsSolutions-IAM5[Resource::<StagingBucket",
            "^DataStorageStack/WarehouseRole/",
            "Every staged object",
        ),
        (
            "AwsSolutions-IAM5[Resource::DataStorageStack:ExportsOutputFnGetAtt",
            "^DataIntegrationStack/(Extract-|Steps/|.*_crawler/)",
            "Every object under the part of the bucket that is the role's own",
        ),
        (
            "AwsSolutions-IAM5[Resource::arn:aws:s3:::company-data-archival-replica-",
            "^DataStorageStack/Replication/",
            "Every object of the replica",
        ),
        (
            "AwsSolutions-IAM5[Resource::arn:aws:kms:us-west-2:",
            "^DataStorageStack/Replication/",
            "A condition names the one key by its alias: its ARN is known in the other region only",
        ),
        (
            "AwsSolutions-IAM5[Resource::arn:aws:s3:::company-cloudtrail-logs-",
            "^MonitoringLoggingStack/TrailReader/",
            "Every file of the trail",
        ),
        (
            "AwsSolutions-IAM5[Resource::<AuditBucket",
            "^MonitoringLoggingStack/Compliance/",
            "Every file of Config's history",
        ),
        (
            "AwsSolutions-IAM5[Resource::arn:aws:glue:",
            "_crawler/|WarehouseRole/",
            "Every table of one database",
        ),
        ("AwsSolutions-IAM5[Resource::arn:aws:logs:", "_crawler/", "Crawlers' own log groups"),
        ("AwsSolutions-IAM5[Resource::<TaskLogs", "/PostProcessing/", "Every task's log stream"),
        (
            "AwsSolutions-IAM5[Resource::arn:aws:states:",
            "^DataIntegrationStack/Workflow/",
            "Executions of this state machine",
        ),
        (
            "AwsSolutions-IAM5[Resource::<FunctionsPostProcessing",
            "^DataIntegrationStack/Workflow/",
            "Versions of the function",
        ),
        (
            "AwsSolutions-IAM5[Resource::arn:aws:macie2:",
            "^DataStorageStack/Classification/",
            "A job's name is known once it is made",
        ),
        # Wildcards: what remediation acts upon is known by the finding only
        *(
            (
                f"AwsSolutions-IAM5[Resource::arn:aws:{resource}",
                "^MonitoringLoggingStack/Remediation/",
                "Which one is known by the finding; the few actions are listed one by one",
            )
            for resource in ("ec2:", "iam::", "s3:::*")
        ),
        # Wildcards: APIs that know no resource
        (
            "AwsSolutions-IAM5[Resource::*]",
            "/ExecutionRole/",
            "ecr:GetAuthorizationToken knows no resource",
        ),
        (
            "AwsSolutions-IAM5[Resource::*]",
            "_crawler/Role/",
            "glue:GetSecurityConfiguration knows no resource",
        ),
        (
            "AwsSolutions-IAM5[Resource::*]",
            "/PostProcessing/Role/",
            "Data API results and metrics know no resource; conditions name the metrics",
        ),
        (
            "AwsSolutions-IAM5[Resource::*]",
            "/Workflow/StateMachine/Role/",
            "Log delivery, X-Ray and stopping tasks know no resource that exists beforehand",
        ),
        (
            "AwsSolutions-IAM5[Resource::*]",
            "/Remediation/Function/Role/",
            "ec2:DescribeNetworkInterfaces knows no resource",
        ),
    )
)


def unacknowledged(findings: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the findings, rule and path, that have no entry."""
    return [f for f in findings if not any(entry.covers(*f) for entry in ACKNOWLEDGED)]


def unused(findings: list[tuple[str, str]]) -> list[Acknowledgement]:
    """Return the entries that have no finding."""
    return [entry for entry in ACKNOWLEDGED if not any(entry.covers(*f) for f in findings)]
