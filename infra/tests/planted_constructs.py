"""Faults for cdk-nag to find, all planted in one synthesis."""

from infra import names

CLUSTER = "DataStorageStack/Warehouse/Cluster"
STAGING = "DataStorageStack/Staging/Bucket/Resource"
ARCHIVE = "DataStorageStack/Archival/Bucket/Resource"
PROCESSING = "DataIntegrationStack/Functions/PostProcessing/Function/Resource"
MACHINE = "DataIntegrationStack/Workflow/StateMachine/Resource"
TOPIC = "MonitoringLoggingStack/Alerts/Topic/Resource"
TRAIL = "MonitoringLoggingStack/Audit/Trail/Resource"
TASK_LOGS = "DataIntegrationStack/TaskLogs/Resource"
KEY = "SecurityStack/Key/Key/Resource"
POOL = "WebAccessStack/Identity/Pool/Resource"
BALANCER = "WebAccessStack/Entrance/Balancer/Resource"
LEASE = "DataIntegrationStack/Workflow/Lease/Table/Resource"
TASKS = "DataIntegrationStack/Cluster/Resource"

FAULTS = (
    # (what, where, attribute, value, the finding that must name it)
    (
        "public cluster",
        CLUSTER,
        "publicly_accessible",
        True,
        "HIPAA.Security-RedshiftClusterPublicAccess",
    ),
    (
        "cluster in clear",
        CLUSTER,
        "encrypted",
        False,
        "HIPAA.Security-RedshiftClusterConfiguration",
    ),
    ("cluster without audit log", CLUSTER, "logging_properties", None, "AwsSolutions-RS5"),
    (
        "cluster routed in public",
        CLUSTER,
        "enhanced_vpc_routing",
        False,
        "HIPAA.Security-RedshiftEnhancedVPCRoutingEnabled",
    ),
    (
        "no snapshots",
        CLUSTER,
        "automated_snapshot_retention_period",
        0,
        "HIPAA.Security-RedshiftBackupEnabled",
    ),
    (
        "bucket in clear",
        STAGING,
        "bucket_encryption",
        None,
        "HIPAA.Security-S3DefaultEncryptionKMS",
    ),
    (
        "bucket open to the public",
        STAGING,
        "public_access_block_configuration",
        None,
        "HIPAA.Security-S3BucketPublicReadProhibited",
    ),
    ("readers not logged", ARCHIVE, "logging_configuration", None, "AwsSolutions-S1"),
    (
        "versions off",
        ARCHIVE,
        "versioning_configuration",
        None,
        "HIPAA.Security-S3BucketVersioningEnabled",
    ),
    (
        "function without failure queue",
        PROCESSING,
        "dead_letter_config",
        None,
        "HIPAA.Security-LambdaDLQ",
    ),
    (
        "function without limit",
        PROCESSING,
        "reserved_concurrent_executions",
        None,
        "HIPAA.Security-LambdaConcurrency",
    ),
    ("workflow not logged", MACHINE, "logging_configuration", None, "AwsSolutions-SF1"),
    ("topic in clear", TOPIC, "kms_master_key_id", None, "HIPAA.Security-SNSEncryptedKMS"),
    ("trail in clear", TRAIL, "kms_key_id", None, "HIPAA.Security-CloudTrailEncryptionEnabled"),
    (
        "trail unproved",
        TRAIL,
        "enable_log_file_validation",
        False,
        "HIPAA.Security-CloudTrailLogFileValidationEnabled",
    ),
    (
        "logs for ever",
        TASK_LOGS,
        "retention_in_days",
        None,
        "HIPAA.Security-CloudWatchLogGroupRetentionPeriod",
    ),
    ("logs in clear", TASK_LOGS, "kms_key_id", None, "HIPAA.Security-CloudWatchLogGroupEncrypted"),
    ("key never renewed", KEY, "enable_key_rotation", False, "AwsSolutions-KMS5"),
    ("no second factor", POOL, "mfa_configuration", "OFF", "AwsSolutions-COG2"),
    ("door not logged", BALANCER, "load_balancer_attributes", None, "AwsSolutions-ELB2"),
    (
        "lease not recoverable",
        LEASE,
        "point_in_time_recovery_specification",
        None,
        "AwsSolutions-DDB3",
    ),
    ("tasks unseen", TASKS, "cluster_settings", None, "AwsSolutions-ECS4"),
)


def plant(app):
    """Break what is named, as a careless change of ours would."""
    by_path = {construct.node.path: construct for construct in app.node.find_all()}
    assert by_path[CLUSTER].cluster_identifier == names.CLUSTER
    for _, path, attribute, value, _ in FAULTS:
        assert hasattr(by_path[path], attribute), f"{path} has no {attribute}"
        setattr(by_path[path], attribute, value)
