"""N and D of the requirements, on parsed values."""

import ipaddress
import json
import re

from infra.templates import text


def tags(resource):
    return {tag["Key"]: tag["Value"] for tag in resource.properties["Tags"]}


def subnets(templates, kind):
    return [s for s in templates.all("AWS::EC2::Subnet") if tags(s)["aws-cdk:subnet-type"] == kind]


def test_n_1_the_vpc_spans_three_zones_with_public_and_private_subnets(prod, environment):
    """N-1."""
    vpc = prod.one("AWS::EC2::VPC")
    assert vpc.properties["CidrBlock"] == "10.0.0.0/16"
    assert vpc.properties["EnableDnsHostnames"] is True
    assert vpc.properties["EnableDnsSupport"] is True
    assert tags(vpc)["project"] == "data-warehouse"
    for kind in ("Public", "Private"):
        zones = {subnet.properties["AvailabilityZone"] for subnet in subnets(prod, kind)}
        assert zones == set(environment.place.zones)
    network = ipaddress.ip_network("10.0.0.0/16")
    blocks = [ipaddress.ip_network(s.properties["CidrBlock"]) for s in prod.all("AWS::EC2::Subnet")]
    assert all(block.subnet_of(network) for block in blocks)
    assert sum(block.num_addresses for block in blocks) == len(
        {address for block in blocks for address in block}
    )
    exports = {
        output["Export"]["Name"]
        for output in prod.by_stack["NetworkingStack"]["Outputs"].values()
        if "Export" in output
    }
    assert "data-warehouse-vpc-id" in exports


def test_n_1_traffic_is_logged_and_stays_private(prod):
    """N-1: flow logs, and endpoints for what tasks call."""
    assert prod.one("AWS::EC2::FlowLog").properties["TrafficType"] == "ALL"
    services = {
        re.split("us-east-1.|Region>.", text(endpoint.properties["ServiceName"]))[-1]
        for endpoint in prod.all("AWS::EC2::VPCEndpoint")
    }
    assert services >= {
        "ecr.api",
        "ecr.dkr",
        "glue",
        "kms",
        "logs",
        "redshift-data",
        "s3",
        "secretsmanager",
        "sts",
    }


def test_n_2_private_subnets_leave_by_nat_gateways_and_public_ones_by_the_internet_gateway(prod):
    """N-2."""
    assert len(prod.all("AWS::EC2::NatGateway")) == 3
    assert len(prod.all("AWS::EC2::InternetGateway")) == 1
    routes = [
        route
        for route in prod.all("AWS::EC2::Route")
        if route.properties.get("DestinationCidrBlock") == "0.0.0.0/0"
    ]
    for kind, gateway in (("public", "GatewayId"), ("private", "NatGatewayId")):
        of_kind = [route for route in routes if f"/{kind}Subnet" in route.path]
        assert len(of_kind) == 3
        assert all(gateway in route.properties for route in of_kind)
    gateways = {
        text(r.properties["NatGatewayId"]) for r in routes if "NatGatewayId" in r.properties
    }
    assert len(gateways) == 3


def test_n_2_dev_has_one_nat_gateway(dev):
    """N-2."""
    assert len(dev.all("AWS::EC2::NatGateway")) == 1


def test_n_3_5439_is_open_from_etl_and_rotation_only(prod):
    """N-3."""
    allowed = {
        text(rule.properties["SourceSecurityGroupId"])
        for rule in prod.all("AWS::EC2::SecurityGroupIngress")
        if rule.properties["FromPort"] == 5439
    }
    groups = {
        f"<{group.logical_id}.GroupId>": group.path for group in prod.all("AWS::EC2::SecurityGroup")
    }
    assert sorted(groups[name].split("/")[2] for name in allowed) == ["Etl", "Rotation"]


def test_n_3_etl_reaches_sources_warehouse_and_aws_and_nothing_else(prod, project, environment):
    """N-3: least egress."""
    group = prod.one("AWS::EC2::SecurityGroup", "Groups/Etl/")
    to_addresses = {
        (rule.get("CidrIp"), rule["FromPort"], rule["ToPort"])
        for rule in group.properties["SecurityGroupEgress"]
        if "CidrIp" in rule
    }
    assert to_addresses == {
        (environment.company_network, source.port, source.port) for source in project.sources
    }
    others = [
        rule.properties
        for rule in prod.all("AWS::EC2::SecurityGroupEgress")
        if f"<{group.logical_id}.GroupId>" == text(rule.properties["GroupId"])
    ]
    reached = {
        (
            rule.get("DestinationPrefixListId")
            or re.search("Groups([A-Z][a-z]+)", text(rule["DestinationSecurityGroupId"]))[1],
            rule["FromPort"],
            rule["ToPort"],
        )
        for rule in others
    }
    assert reached == {
        ("Warehouse", 5439, 5439),
        ("Endpoints", 443, 443),
        ("pl-63a5400a", 443, 443),
    }


def test_n_3_acls_deny_what_they_do_not_name(prod, project):
    """N-3: an ACL without a rule denies; these are all the rules."""
    assert len(prod.all("AWS::EC2::SubnetNetworkAclAssociation")) == 6
    entries = prod.all("AWS::EC2::NetworkAclEntry")
    assert {entry.properties["RuleAction"] for entry in entries} == {"allow"}
    from_anywhere = {
        (
            entry.path.split("/")[2],
            entry.properties.get("Egress"),
            entry.properties["PortRange"]["From"],
            entry.properties["PortRange"]["To"],
        )
        for entry in entries
        if entry.properties["CidrBlock"] == "0.0.0.0/0"
    }
    assert from_anywhere == {
        ("Public", False, 443, 443),
        ("Public", False, 1024, 65535),
        ("Public", True, 443, 443),
        ("Public", True, 1024, 65535),
        ("Private", False, 1024, 65535),
        ("Private", True, 443, 443),
    }
    to_sources = {
        entry.properties["PortRange"]["From"]
        for entry in entries
        if entry.properties["CidrBlock"] == "10.64.0.0/16"
    }
    assert to_sources == {source.port for source in project.sources}


def test_d_1_the_cluster_is_as_the_company_asked(prod):
    """D-1; ra3 for the retired dc2, see the decision."""
    cluster = prod.one("AWS::Redshift::Cluster").properties
    assert cluster["ClusterIdentifier"] == "company-data-warehouse"
    assert cluster["DBName"] == "datawarehouse"
    assert (cluster["NodeType"], cluster["NumberOfNodes"]) == ("ra3.large", 2)
    assert cluster["Port"] == 5439
    assert cluster["AutomatedSnapshotRetentionPeriod"] == 7
    assert cluster["Encrypted"] is True
    assert cluster["PubliclyAccessible"] is False
    group = prod.one("AWS::Redshift::ClusterSubnetGroup").properties
    assert len(group["SubnetIds"]) == 3
    assert all("privateSubnet" in text(subnet) for subnet in group["SubnetIds"])
    for value in (cluster["MasterUsername"], cluster["MasterUserPassword"]):
        assert "{{resolve:secretsmanager:" in text(value)


def test_d_1_tls_audit_and_queues_are_parameters(prod):
    """D-1."""
    group = prod.one("AWS::Redshift::ClusterParameterGroup").properties
    values = {p["ParameterName"]: p["ParameterValue"] for p in group["Parameters"]}
    assert values["require_ssl"] == "true"
    assert values["enable_user_activity_logging"] == "true"
    assert values["max_concurrency_scaling_clusters"] == "1"
    queues = {queue.get("name"): queue for queue in json.loads(values["wlm_json_configuration"])}
    assert queues["etl"]["priority"] == "high"
    assert queues["readers"]["concurrency_scaling"] == "auto"
    assert prod.one("AWS::Redshift::Cluster").properties["LoggingProperties"]["S3KeyPrefix"]


def lifecycle(bucket):
    return bucket.properties["LifecycleConfiguration"]["Rules"]


def test_d_2_staging_goes_to_glacier_after_30_days(prod):
    """D-2."""
    staging = prod.one("AWS::S3::Bucket", "Staging/")
    assert staging.properties["BucketName"] == "company-data-staging-222222222222-us-east-1"
    assert staging.properties["VersioningConfiguration"] == {"Status": "Enabled"}
    moves = [move for rule in lifecycle(staging) for move in rule.get("Transitions", ())]
    assert moves == [{"StorageClass": "GLACIER", "TransitionInDays": 30}]


def test_d_2_the_archive_expires_after_365_days_in_prod_and_as_configured_elsewhere(prod, dev):
    """D-2; never in Glacier, which Spectrum cannot read."""
    for templates, days in ((prod, 365), (dev, 90)):
        archive = templates.one("AWS::S3::Bucket", "Archival/")
        assert archive.properties["BucketName"].startswith("company-data-archival-")
        assert [r["ExpirationInDays"] for r in lifecycle(archive) if "ExpirationInDays" in r] == [
            days
        ]
        assert not any("Transitions" in rule for rule in lifecycle(archive))
        (rule,) = archive.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_d_2_the_archive_is_locked_by_switch(prod, dev):
    """D-2."""
    lock = prod.one("AWS::S3::Bucket", "Archival/").properties["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Days": 365, "Mode": "COMPLIANCE"}
    assert "ObjectLockConfiguration" not in dev.one("AWS::S3::Bucket", "Archival/").properties


def test_d_3_the_catalog_is_encrypted_and_spectrum_reads_the_archive_through_it(prod):
    """D-3."""
    database = prod.one("AWS::Glue::Database").properties["DatabaseInput"]
    assert database["Name"] == "company_data_catalog"
    settings = prod.one("AWS::Glue::DataCatalogEncryptionSettings").properties
    at_rest = settings["DataCatalogEncryptionSettings"]["EncryptionAtRest"]
    assert at_rest["CatalogEncryptionMode"] == "SSE-KMS"
    role = prod.one("AWS::IAM::Role", "WarehouseRole/")
    assert role.properties["RoleName"] == "data-warehouse-spectrum-us-east-1"
    assert f"<{role.logical_id}.Arn>" in [
        text(arn) for arn in prod.one("AWS::Redshift::Cluster").properties["IamRoles"]
    ]


def test_d_3_the_bootstrap_makes_the_external_schema_that_the_catalog_has(repository_file):
    """D-3."""
    sql = repository_file("infra/bootstrap.sql")
    assert "create external schema if not exists archive" in sql
    assert "database 'company_data_catalog'" in sql
    assert "role/data-warehouse-spectrum-us-east-1" in sql
