"""Faults in templates, and the check of ours that must find each."""

import json

from infra.templates import text


def set_in(type_, path, **changes):
    def mutate(templates):
        templates.one(type_, path).properties.update(changes)

    return mutate


def set_container(**changes):
    def mutate(templates):
        task = templates.one("AWS::ECS::TaskDefinition", "Extract-shop/")
        task.properties["ContainerDefinitions"][0].update(changes)

    return mutate


def set_state(name, **changes):
    def mutate(templates):
        machine = templates.one("AWS::StepFunctions::StateMachine")
        body = json.loads(text(machine.properties["DefinitionString"]))
        found = next(
            scope[name]
            for scope in (
                body["States"],
                *(b["States"] for s in body["States"].values() for b in s.get("Branches", ())),
            )
            if name in scope
        )
        found.update(changes)
        machine.properties["DefinitionString"] = json.dumps(body)

    return mutate


def set_parameter(name, value):
    def mutate(templates):
        group = templates.one("AWS::Redshift::ClusterParameterGroup")
        for parameter in group.properties["Parameters"]:
            if parameter["ParameterName"] == name:
                parameter["ParameterValue"] = value

    return mutate


def open_ingress(group, **rule):
    def mutate(templates):
        properties = templates.one("AWS::EC2::SecurityGroup", group).properties
        properties.setdefault("SecurityGroupIngress", []).append({"IpProtocol": "tcp", **rule})

    return mutate


def allow(**statement):
    def mutate(templates):
        policy = templates.one("AWS::IAM::Policy", "Extract-shop/Definition/TaskRole")
        policy.properties["PolicyDocument"]["Statement"].append({"Effect": "Allow", **statement})

    return mutate


def remove(type_, path=""):
    def mutate(templates):
        for found in templates.all(type_):
            if path in found.path:
                del templates.by_stack[found.stack]["Resources"][found.logical_id]

    return mutate


def drop_policy(type_):
    def mutate(templates):
        found = templates.all(type_)[0]
        templates.by_stack[found.stack]["Resources"][found.logical_id]["DeletionPolicy"] = "Delete"

    return mutate


REDSHIFT = ("AWS::Redshift::Cluster", "")
SHOP = "all: extract-data-from-shop"
MUTATIONS = (
    (
        "ssh open to all",
        open_ingress("Groups/Etl/", CidrIp="0.0.0.0/0", FromPort=22, ToPort=22),
        "nothing_is_open_but_the_public_door",
    ),
    (
        "the door opened for clear text",
        open_ingress("Entrance/Group/", CidrIp="0.0.0.0/0", FromPort=80, ToPort=80),
        "nothing_is_open_but_the_public_door",
    ),
    (
        "5439 open to the office",
        open_ingress("Groups/Warehouse/", CidrIp="10.64.0.0/16", FromPort=5439, ToPort=5439),
        "only_etl_and_rotation_reach_the_warehouse",
    ),
    (
        "all ports open inside",
        open_ingress("Groups/Endpoints/", CidrIp="10.0.0.0/16", FromPort=0, ToPort=65535),
        "only_etl_and_rotation_reach_the_warehouse",
    ),
    (
        "public addresses",
        set_in("AWS::EC2::Subnet", "privateSubnet1/", MapPublicIpOnLaunch=True),
        "private_subnets_have_no_public_addresses",
    ),
    (
        "a task in public",
        set_state(
            SHOP,
            Parameters={
                "NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}}
            },
        ),
        "tasks_run_in_private",
    ),
    (
        "a public cluster",
        set_in(*REDSHIFT, PubliclyAccessible=True),
        "the_warehouse_is_private_encrypted_and_audited",
    ),
    (
        "a cluster in clear",
        set_in(*REDSHIFT, Encrypted=False),
        "the_warehouse_is_private_encrypted_and_audited",
    ),
    (
        "snapshots of one day",
        set_in(*REDSHIFT, AutomatedSnapshotRetentionPeriod=1),
        "the_warehouse_is_private_encrypted_and_audited",
    ),
    (
        "dc2.large",
        set_in(*REDSHIFT, NodeType="dc2.large"),
        "the_warehouse_runs_on_nodes_that_aws_still_starts",
    ),
    ("TLS not required", set_parameter("require_ssl", "false"), "the_warehouse_demands_tls"),
    (
        "a password in the template",
        set_in(*REDSHIFT, MasterUserPassword="Correct-Horse-1"),
        "passwords_are_references",
    ),
    (
        "a password in a variable",
        set_container(Environment=[{"Name": "SHOP_PASSWORD", "Value": "x"}]),
        "passwords_are_references",
    ),
    (
        "an unencrypted bucket",
        set_in("AWS::S3::Bucket", "Staging/", BucketEncryption={}),
        "buckets_are_closed_versioned_and_encrypted",
    ),
    (
        "a bucket open to the public",
        set_in("AWS::S3::Bucket", "Archival/", PublicAccessBlockConfiguration={}),
        "buckets_are_closed_versioned_and_encrypted",
    ),
    (
        "no versions",
        set_in("AWS::S3::Bucket", "Archival/", VersioningConfiguration={"Status": "Suspended"}),
        "buckets_are_closed_versioned_and_encrypted",
    ),
    (
        "clear text to a bucket",
        remove("AWS::S3::BucketPolicy", "Staging/"),
        "buckets_refuse_clear_text",
    ),
    (
        "a secret under AWS's key",
        set_in("AWS::SecretsManager::Secret", "/shop/", KmsKeyId="alias/aws/secretsmanager"),
        "every_store_is_under_a_key",
    ),
    (
        "a topic in clear",
        set_in("AWS::SNS::Topic", "", KmsMasterKeyId=None),
        "every_store_is_under_a_key",
    ),
    (
        "a key for ever",
        set_in("AWS::KMS::Key", "SecurityStack/", EnableKeyRotation=False),
        "keys_are_renewed",
    ),
    (
        "a password for ever",
        remove("AWS::SecretsManager::RotationSchedule", "DataStorageStack/"),
        "the_administrators_password_is_rotated",
    ),
    ("logs for ever", set_in("AWS::Logs::LogGroup", "TaskLogs", RetentionInDays=None), "logs_end"),
    (
        "a writable container",
        set_container(ReadonlyRootFilesystem=False),
        "containers_are_confined",
    ),
    ("root", set_container(User="0:0"), "containers_are_confined"),
    ("two seconds to stop", set_container(StopTimeout=2), "containers_are_confined"),
    ("no init", set_container(LinuxParameters={}), "containers_are_confined"),
    ("the newest image", set_container(Image="meltano:latest"), "containers_are_confined"),
    ("a missing retry", set_state(SHOP, Retry=[]), "every_task_is_retried_limited_and_caught"),
    (
        "no time limit",
        set_state(SHOP, TimeoutSeconds=None),
        "every_task_is_retried_limited_and_caught",
    ),
    (
        "a missing catch",
        set_state("all: watershed build", Catch=[]),
        "every_task_is_retried_limited_and_caught",
    ),
    (
        "a failure in silence",
        set_state(
            "all: watershed build",
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
            Next="Failed",
        ),
        "failures_are_told",
    ),
    (
        "a run without log",
        set_in("AWS::StepFunctions::StateMachine", "", LoggingConfiguration={}),
        "runs_are_logged_and_limited",
    ),
    (
        "a wildcard of actions",
        allow(Action="s3:*", Resource="arn:aws:s3:::company"),
        "rights_name_what_they_are_for",
    ),
    (
        "a wildcard of resources",
        allow(Action="s3:GetObject", Resource="*"),
        "rights_name_what_they_are_for",
    ),
    (
        "a role for anyone",
        set_in(
            "AWS::IAM::Role",
            "Extract-shop/Definition/TaskRole",
            AssumeRolePolicyDocument={
                "Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
                ]
            },
        ),
        "roles_are_for_services_of_this_account",
    ),
    (
        "no second factor",
        set_in("AWS::Cognito::UserPool", "", MfaConfiguration="OPTIONAL"),
        "nobody_enters_without_a_second_factor",
    ),
    ("no firewall", remove("AWS::WAFv2::WebACLAssociation"), "the_web_door_asks_who_comes"),
    (
        "no sign-in",
        set_in("AWS::ElasticLoadBalancingV2::Listener", "", DefaultActions=[{"Type": "forward"}]),
        "the_web_door_asks_who_comes",
    ),
    (
        "a trail of one region",
        set_in("AWS::CloudTrail::Trail", "", IsMultiRegionTrail=False),
        "the_trail_sees_every_region_and_cannot_be_forged",
    ),
    (
        "an alarm without runbook",
        set_in("AWS::CloudWatch::Alarm", "redshift-cpu", AlarmDescription="CPU"),
        "alarms_reach_people_and_name_a_runbook",
    ),
    (
        "an alarm to nobody",
        set_in("AWS::CloudWatch::Alarm", "redshift-cpu", AlarmActions=[]),
        "alarms_reach_people_and_name_a_runbook",
    ),
    ("no subscriber", remove("AWS::SNS::Subscription"), "alarms_reach_people_and_name_a_runbook"),
    (
        "a function without queue",
        set_in("AWS::Lambda::Function", "Trigger/", DeadLetterConfig={}),
        "functions_are_bounded_and_lose_nothing",
    ),
    (
        "a bucket that goes with its stack",
        drop_policy("AWS::S3::Bucket"),
        "data_survives_the_stack",
    ),
)

LINT_FAULTS = (
    # (name, stack, type, change, the rule that must name it)
    (
        "unknown property",
        "SecurityStack",
        "AWS::KMS::Key",
        lambda p: p.update(Rotate=True),
        "E3002",
    ),
    (
        "a port that is none",
        "NetworkingStack",
        "AWS::EC2::SecurityGroupIngress",
        lambda p: p.update(FromPort="all"),
        "E3012",
    ),
    (
        "a reference to nothing",
        "SecurityStack",
        "AWS::SecretsManager::Secret",
        lambda p: p.update(KmsKeyId={"Ref": "Nothing"}),
        "E1020",
    ),
    (
        "a runtime that is retired",
        "DataIntegrationStack",
        "AWS::Lambda::Function",
        lambda p: p.update(Runtime="python3.7"),
        "E2531",
    ),
    (
        "a dependency on nothing",
        "NetworkingStack",
        "AWS::EC2::VPC",
        lambda p: p.update(CidrBlock={"Fn::GetAtt": ["Nothing", "Arn"]}),
        "E1010",
    ),
)
