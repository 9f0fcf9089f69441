"""S, M and X of the requirements, on parsed values."""

import dataclasses
import json
import re

import pytest

from infra.config import ENVIRONMENTS, Place
from infra.exceptions import InfraError
from infra.templates import as_list, text


def statements(templates, path):
    return [
        statement
        for policy in templates.all("AWS::IAM::Policy")
        if path in policy.path
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


def actions(templates, path):
    return {action for s in statements(templates, path) for action in as_list(s["Action"])}


def test_s_1_a_source_s_task_reaches_its_own_part_of_staging_and_nothing_of_the_archive(prod):
    """S-1."""
    path = "Extract-shop/Definition/TaskRole"
    assert actions(prod, path) == {
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "redshift:GetClusterCredentialsWithIAM",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }
    objects = [
        text(s["Resource"])
        for s in statements(prod, path)
        if "s3:PutObject" in as_list(s["Action"])
    ]
    assert len(objects) == 1
    assert objects[0].endswith("/shop/*")


def test_s_1_no_task_may_read_the_administrators_password(prod):
    """S-1."""
    secret = prod.one("AWS::SecretsManager::Secret", "Credentials/Warehouse/")
    readers = [
        policy.path
        for policy in prod.all("AWS::IAM::Policy")
        if secret.logical_id in json.dumps(policy.properties)
    ]
    assert readers == []


def test_s_2_one_key_renewed_each_year(prod):
    """S-2."""
    alias = prod.one("AWS::KMS::Alias", "SecurityStack/")
    assert alias.properties["AliasName"] == "alias/data-warehouse-key"
    key = prod.one("AWS::KMS::Key", "SecurityStack/").properties
    assert (key["EnableKeyRotation"], key["RotationPeriodInDays"]) == (True, 365)


def test_s_2_the_key_serves_services_of_this_account_only(prod):
    """S-2."""
    key = prod.one("AWS::KMS::Key", "SecurityStack/").properties
    for statement in key["KeyPolicy"]["Statement"]:
        principal = statement["Principal"]
        if principal == {"AWS": "*"} or "Service" in principal:
            assert "222222222222" in json.dumps(statement["Condition"])


def test_s_3_secrets_have_the_companys_names_and_are_rotated(prod, project):
    """S-3."""
    secrets = {s.properties["Name"]: s for s in prod.all("AWS::SecretsManager::Secret")}
    assert set(secrets) == {
        "redshift/credentials",
        *(f"source_{source.name}/credentials" for source in project.sources),
    }
    schedules = prod.all("AWS::SecretsManager::RotationSchedule")
    assert len(schedules) == len(secrets)
    kinds = {s.properties["HostedRotationLambda"]["RotationType"] for s in schedules}
    assert kinds == {
        "MongoDBSingleUser",
        "MySQLSingleUser",
        "PostgreSQLSingleUser",
        "RedshiftSingleUser",
    }
    for schedule in schedules:
        assert schedule.properties["RotationRules"]["ScheduleExpression"] == "rate(30 days)"


def test_s_4_the_firewall_has_managed_rules_against_sql_and_scripts(prod):
    """S-4."""
    acl = prod.one("AWS::WAFv2::WebACL").properties
    groups = {
        rule["Statement"]["ManagedRuleGroupStatement"]["Name"]
        for rule in acl["Rules"]
        if "ManagedRuleGroupStatement" in rule["Statement"]
    }
    assert {"AWSManagedRulesSQLiRuleSet", "AWSManagedRulesCommonRuleSet"} <= groups
    assert all(rule.get("OverrideAction", {"None": {}}) == {"None": {}} for rule in acl["Rules"])
    assert len(prod.all("AWS::WAFv2::WebACLAssociation")) == 1


def test_s_5_macie_classifies_both_buckets_and_samples_of_the_warehouse(prod, dev):
    """S-5."""
    assert prod.one("AWS::Macie::Session").properties["Status"] == "ENABLED"
    schedules = {
        s.properties["Name"]: json.loads(text(s.properties["Target"]["Input"]))
        for s in prod.all("AWS::Scheduler::Schedule")
        if "/Classification/" in s.path
    }
    (definition,) = schedules["classify-buckets"]["S3JobDefinition"]["BucketDefinitions"]
    assert [re.search("Staging|Archival", name)[0] for name in definition["Buckets"]] == [
        "Staging",
        "Archival",
    ]
    for sql in schedules["unload-warehouse-samples"]["Sqls"]:
        assert re.fullmatch(r"unload \('select \* from marts\.\w+ limit 10000'\) to 's3://.+", sql)
    assert dev.all("AWS::Macie::Session") == []


def test_s_5_macies_findings_reach_people(prod):
    """S-5."""
    rule = prod.one("AWS::Events::Rule", "macie-findings").properties
    assert rule["EventPattern"]["source"] == ["aws.macie"]
    assert "Topic" in text(rule["Targets"][0]["Arn"])


def alarms(templates):
    return {
        a.properties["AlarmName"].removeprefix("data-warehouse-"): a.properties
        for a in templates.all("AWS::CloudWatch::Alarm")
    }


def test_m_1_cpu_above_80_per_cent_for_5_minutes_is_an_alarm(prod):
    """M-1."""
    alarm = alarms(prod)["redshift-cpu"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("CPUUtilization", 80)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 1)
    assert alarm["Dimensions"] == [{"Name": "ClusterIdentifier", "Value": "company-data-warehouse"}]


def test_m_1_storage_queries_tasks_functions_and_each_source_are_watched(prod, project):
    """M-1."""
    assert set(alarms(prod)) >= {
        "redshift-storage",
        "redshift-queries",
        "run-failed",
        "task-failed",
        "build-is-not-green",
        *(f"source-{source.name}-is-stale" for source in project.sources),
        *(
            f"function-{f.properties['FunctionName']}-errors"
            for f in prod.all("AWS::Lambda::Function")
        ),
    }


def test_m_1_each_alarm_leads_to_a_section_of_a_runbook(prod, repository_file):
    """M-1."""
    for name, alarm in alarms(prod).items():
        path, _, section = re.search(r"(docs/runbooks/\S+)", alarm["AlarmDescription"])[
            1
        ].partition("#")
        headings = re.findall(r"^## (.+)$", repository_file(path), re.MULTILINE)
        anchors = [heading.lower().replace(" ", "-") for heading in headings]
        assert section in anchors, name


def test_m_1_the_dashboard_shows_what_the_alarms_watch(prod):
    """M-1."""
    body = text(prod.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
    for alarm in alarms(prod).values():
        assert f'"{alarm["MetricName"]}"' in body


def test_m_2_the_trail_records_management_and_data_events_of_all_regions(prod):
    """M-2."""
    trail = prod.one("AWS::CloudTrail::Trail").properties
    assert trail["TrailName"] == "company-data-warehouse-trail"
    assert trail["IsMultiRegionTrail"] is True
    selectors = trail["EventSelectors"]
    assert any(
        s.get("IncludeManagementEvents", True) for s in selectors
    ) or "DataResources" in json.dumps(selectors)
    recorded = json.dumps([s["DataResources"] for s in selectors if s.get("DataResources")])
    assert "Staging" in recorded
    assert "Archival" in recorded
    bucket = prod.one("AWS::S3::Bucket", "AuditBucket/").properties
    assert bucket["BucketName"] == "company-cloudtrail-logs-222222222222-us-east-1"


def test_m_3_guardduty_is_on_and_its_findings_reach_people(prod, dev):
    """M-3."""
    assert prod.one("AWS::GuardDuty::Detector").properties["Enable"] is True
    rule = prod.one("AWS::Events::Rule", "guardduty-findings").properties
    assert "Topic" in text(rule["Targets"][0]["Arn"])
    assert dev.all("AWS::GuardDuty::Detector") == []


def test_m_4_serious_findings_reach_the_remediation_which_is_dry_by_default(prod):
    """M-4."""
    function = prod.one("AWS::Lambda::Function", "Remediation/")
    assert function.properties["FunctionName"] == "auto_remediate_security_issues"
    assert function.properties["Environment"]["Variables"]["DRY_RUN"] == "true"
    rule = prod.one("AWS::Events::Rule", "guardduty-remediation").properties
    assert rule["EventPattern"]["detail"] == {"severity": [{"numeric": [">=", 7]}]}
    assert text(rule["Targets"][0]["Arn"]) == f"<{function.logical_id}.Arn>"


def test_m_4_each_file_of_the_trail_is_read(prod):
    """M-4."""
    function = prod.one("AWS::Lambda::Function", "TrailReader/")
    assert function.properties["FunctionName"] == "process_cloudtrail_logs"
    bucket = prod.one("AWS::S3::Bucket", "AuditBucket/").properties
    (notice,) = bucket["NotificationConfiguration"]["LambdaConfigurations"]
    assert notice["Event"] == "s3:ObjectCreated:*"
    assert text(notice["Function"]) == f"<{function.logical_id}.Arn>"


def test_m_5_the_topic_has_mail_and_sms_subscribers(prod):
    """M-5."""
    assert prod.one("AWS::SNS::Topic").properties["TopicName"] == "data-warehouse-alerts"
    protocols = [s.properties["Protocol"] for s in prod.all("AWS::SNS::Subscription")]
    assert set(protocols) == {"email", "sms"}


def test_x_1_snapshots_and_archive_go_to_the_second_region_under_its_own_key(prod):
    """X-1."""
    cluster = prod.one("AWS::Redshift::Cluster").properties
    grant = prod.one("AWS::Redshift::SnapshotCopyGrant")
    assert grant.stack == "DisasterRecoveryStack"
    assert cluster["DestinationRegion"] == "us-west-2"
    assert cluster["SnapshotCopyGrantName"] == grant.properties["SnapshotCopyGrantName"]
    archive = prod.one("AWS::S3::Bucket", "Archival/").properties
    (rule,) = archive["ReplicationConfiguration"]["Rules"]
    replica = prod.one("AWS::S3::Bucket", "ArchivalReplica/")
    assert replica.stack == "DisasterRecoveryStack"
    assert text(rule["Destination"]["Bucket"]).endswith(replica.properties["BucketName"])
    alias = prod.one("AWS::KMS::Alias", "DisasterRecoveryStack/").properties["AliasName"]
    assert rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"].endswith(f":{alias}")


def test_x_1_backups_outlive_the_snapshots(prod):
    """X-1."""
    rules = prod.one("AWS::Backup::BackupPlan").properties["BackupPlan"]["BackupPlanRule"]
    assert {r["RuleName"]: r["Lifecycle"]["DeleteAfterDays"] for r in rules} == {
        "daily": 35,
        "monthly": 365,
    }
    selection = prod.one("AWS::Backup::BackupSelection").properties["BackupSelection"]
    assert [text(arn).rpartition(":")[2] for arn in selection["Resources"]] == [
        "company-data-warehouse"
    ]


def test_x_1_the_stacks_can_be_built_in_the_second_region_from_a_copied_snapshot(failover):
    """X-1."""
    cluster = failover.one("AWS::Redshift::Cluster").properties
    assert cluster["SnapshotIdentifier"] == "prod-2026-11-25"
    assert "DestinationRegion" not in cluster
    assert "DisasterRecoveryStack" not in failover.by_stack
    zones = {s.properties["AvailabilityZone"] for s in failover.all("AWS::EC2::Subnet")}
    assert zones == {"us-west-2a", "us-west-2b", "us-west-2c"}
    names = [b.properties["BucketName"] for b in failover.all("AWS::S3::Bucket")]
    assert all(name.endswith("us-west-2") for name in names)


def test_x_1_names_that_are_global_differ_between_the_regions(prod, failover):
    """X-1: the second region is built while what is left of the first still has its names."""

    def global_names(templates):
        return {
            *(b.properties["BucketName"] for b in templates.all("AWS::S3::Bucket")),
            *(r.properties.get("RoleName") for r in templates.all("AWS::IAM::Role")),
            *(b.properties["Budget"]["BudgetName"] for b in templates.all("AWS::Budgets::Budget")),
        } - {None}

    assert global_names(prod)
    assert not global_names(prod) & global_names(failover)


def test_x_2_web_access_needs_a_second_factor_and_roles_are_groups(prod):
    """X-2."""
    pool = prod.one("AWS::Cognito::UserPool").properties
    assert pool["MfaConfiguration"] == "ON"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    groups = {g.properties["GroupName"] for g in prod.all("AWS::Cognito::UserPoolGroup")}
    assert groups == {"analyst", "dba", "sysadmin", "executive"}
    listener = prod.one("AWS::ElasticLoadBalancingV2::Listener").properties
    first, second = sorted(listener["DefaultActions"], key=lambda action: action["Order"])
    assert (first["Type"], second["Type"]) == ("authenticate-cognito", "forward")


def test_x_3_config_watches_encryption_public_access_second_factors_and_logging(prod):
    """X-3."""
    rules = {
        r.properties["Source"]["SourceIdentifier"] for r in prod.all("AWS::Config::ConfigRule")
    }
    assert rules >= {
        "CLOUD_TRAIL_ENABLED",
        "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS",
        "REDSHIFT_CLUSTER_CONFIGURATION_CHECK",
        "REDSHIFT_CLUSTER_PUBLIC_ACCESS_CHECK",
        "REDSHIFT_REQUIRE_TLS_SSL",
        "ROOT_ACCOUNT_MFA_ENABLED",
        "S3_BUCKET_PUBLIC_READ_PROHIBITED",
        "S3_DEFAULT_ENCRYPTION_KMS",
        "VPC_FLOW_LOGS_ENABLED",
    }


def test_a_budget_warns_at_80_and_100_per_cent_and_when_more_is_expected(prod):
    budget = prod.one("AWS::Budgets::Budget").properties
    assert budget["Budget"]["BudgetLimit"]["Amount"] == ENVIRONMENTS["prod"].monthly_budget_usd
    told = {
        (n["Notification"]["NotificationType"], n["Notification"]["Threshold"])
        for n in budget["NotificationsWithSubscribers"]
    }
    assert told == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account": "12"}, "12 digits"),
        ({"node_type": "dc2.large"}, "AWS has retired dc2.large"),
        ({"recovery_place": Place("us-east-1", ("us-east-1a",))}, "second region is the first"),
        ({"nat_gateways": 2}, "nat_gateways"),
        ({"company_network": "10.0.4.0/24"}, "overlaps the VPC"),
        ({"stop_seconds": 5}, "30 to 120"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_in_one_line(change, says):
    with pytest.raises(InfraError, match=rf"^infra/config.py: environment prod: .*{says}"):
        dataclasses.replace(ENVIRONMENTS["prod"], **change)
