"""The company's names, where more than one stack needs them."""

KEY_ALIAS = "alias/data-warehouse-key"
RECOVERY_KEY_ALIAS = "alias/data-warehouse-key-recovery"
CLUSTER = "company-data-warehouse"
DATABASE = "datawarehouse"
CATALOG = "company_data_catalog"
STAGING_BUCKET = "company-data-staging"
ARCHIVE_BUCKET = "company-data-archival"
TRAIL_BUCKET = "company-cloudtrail-logs"
ACCESS_LOG_BUCKET = "company-access-logs"
REPLICA_BUCKET = "company-data-archival-replica"
TRAIL = "company-data-warehouse-trail"
TOPIC = "data-warehouse-alerts"
STATE_MACHINE = "data-warehouse-etl"
SNAPSHOT_COPY_GRANT = "company-data-warehouse-copies"
SOURCE_CRAWLER = "source_db_crawler"
TRANSFORMED_CRAWLER = "transformed_data_crawler"
METRICS = "Watershed"
"""Namespace of the metrics that we measure ourselves."""
FUNCTIONS = (
    "trigger_etl_jobs",
    "post_processing_tasks",
    "auto_remediate_security_issues",
    "process_cloudtrail_logs",
)
SCHEDULE_QUEUE = "data-warehouse-schedules-undelivered"
