"""What must be true of every template: each check names the resources for which it is not.

These see what cdk-nag and cfn-lint do not: who reaches whom, which key, how a run may fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.config import RETIRED_NODE_TYPES
from infra.templates import Templates, as_list, definition, states, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.templates import Resource

CHECKS: dict[str, Callable[[Templates], list[str]]] = {}

ANYWHERE = ("0.0.0.0/0", "::/0")
WAREHOUSE_PORT = 5439
PUBLIC_DOOR = "WebAccessStack/Entrance/Group"
ASKS_THE_WAREHOUSE = ("Groups/Etl", "Groups/Rotation")
LOG_BUCKET = "/AccessLogs/"
SNAPSHOT_DAYS = 7
STOP_SECONDS = (30, 120)
WILDCARD_REASONS = {
    "ec2:DescribeNetworkInterfaces": "describing knows no resource",
    "ecr:GetAuthorizationToken": "the token is for the registry as a whole",
    "redshift-data:DescribeStatement": "a statement may be read by who started it only",
    "redshift-data:GetStatementResult": "a statement may be read by who started it only",
    "cloudwatch:PutMetricData": "a condition names the namespace",
    "glue:GetSecurityConfiguration": "knows no resource",
    "ecs:StopTask": "a task has no name before it runs; a condition names the cluster",
    "ecs:DescribeTasks": "a task has no name before it runs; a condition names the cluster",
    "logs:CreateLogDelivery": "log deliveries have no resource",
    "logs:GetLogDelivery": "log deliveries have no resource",
    "logs:UpdateLogDelivery": "log deliveries have no resource",
    "logs:DeleteLogDelivery": "log deliveries have no resource",
    "logs:ListLogDeliveries": "log deliveries have no resource",
    "logs:PutResourcePolicy": "log deliveries have no resource",
    "logs:DescribeResourcePolicies": "log deliveries have no resource",
    "logs:DescribeLogGroups": "log deliveries have no resource",
    "xray:PutTraceSegments": "traces have no resource",
    "xray:PutTelemetryRecords": "traces have no resource",
    "xray:GetSamplingRules": "traces have no resource",
    "xray:GetSamplingTargets": "traces have no resource",
}
"""The only actions that a role may have on every resource, and why."""


def check(function: Callable[[Templates], Iterator[str]]) -> Callable[[Templates], list[str]]:
    """Enter a check into the list under its own name."""

    def run(templates: Templates) -> list[str]:
        return list(function(templates))

    CHECKS[function.__name__] = run
    return run


def _ingress(templates: Templates) -> Iterator[tuple[str, dict[str, object]]]:
    for group in templates.all("AWS::EC2::SecurityGroup"):
        for rule in group.properties.get("SecurityGroupIngress", ()):
            yield group.path, rule
    for rule in templates.all("AWS::EC2::SecurityGroupIngress"):
        yield rule.path, rule.properties


@check
def nothing_is_open_but_the_public_door(templates: Templates) -> Iterator[str]:
    for path, rule in _ingress(templates):
        is_anyone = rule.get("CidrIp") in ANYWHERE or rule.get("CidrIpv6") in ANYWHERE
        is_door = path.startswith(PUBLIC_DOOR) and rule.get("FromPort") == rule.get("ToPort") == 443  # noqa: PLR2004
        if is_anyone and not is_door:
            yield f"{path} lets anyone in"


@check
def only_etl_and_rotation_reach_the_warehouse(templates: Templates) -> Iterator[str]:
    allowed = [
        f"<{group.logical_id}.GroupId>"
        for group in templates.all("AWS::EC2::SecurityGroup")
        if any(name in group.path for name in ASKS_THE_WAREHOUSE)
    ]
    for path, rule in _ingress(templates):
        first, last = rule.get("FromPort", 0), rule.get("ToPort", 65535)
        covers = rule.get("IpProtocol") == "-1" or first <= WAREHOUSE_PORT <= last  # type: ignore[operator]
        is_warehouse = "Groups/Warehouse" in path
        if (covers or is_warehouse) and text(rule.get("SourceSecurityGroupId")) not in allowed:
            yield f"{path} lets others than ETL and rotation reach {WAREHOUSE_PORT}"


@check
def private_subnets_have_no_public_addresses(templates: Templates) -> Iterator[str]:
    for subnet in templates.all("AWS::EC2::Subnet"):
        if subnet.properties.get("MapPublicIpOnLaunch"):
            yield f"{subnet.path} gives public addresses"


@check
def tasks_run_in_private(templates: Templates) -> Iterator[str]:
    for name, state in _task_states(templates):
        network = state.get("Parameters", {}).get("NetworkConfiguration", {})  # type: ignore[attr-defined]
        configuration = network.get("AwsvpcConfiguration", {})
        if configuration.get("AssignPublicIp") == "ENABLED":
            yield f"{name} has a public address"
        for subnet in configuration.get("Subnets", ()):
            if "privateSubnet" not in subnet:
                yield f"{name} runs in {subnet}"


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
                if any(word in variable["Name"].upper() for word in ("PASSWORD", "SECRET", "TOKEN")):
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
def containers_are_confined(templates: Templates) -> Iterator[str]:
    for task in templates.all("AWS::ECS::TaskDefinition"):
        for container in task.properties["ContainerDefinitions"]:
            first, last = STOP_SECONDS
            for is_wrong, line in (
                (container.get("ReadonlyRootFilesystem") is not True, "writes where it likes"),
                (container.get("User", "0").split(":")[0] in ("0", "root"), "runs as root"),
                (container.get("Privileged"), "is privileged"),
                (
                    not first <= container.get("StopTimeout", 0) <= last,
                    "has no time to end at a commit",
                ),
                (
                    not container.get("LinuxParameters", {}).get("InitProcessEnabled"),
                    "does not get SIGTERM",
                ),
                (text(container["Image"]).endswith(":latest"), "runs whatever is newest"),
            ):
                if is_wrong:
                    yield f"{task.path} {line}"


def _task_states(templates: Templates) -> Iterator[tuple[str, dict[str, object]]]:
    for machine in templates.all("AWS::StepFunctions::StateMachine"):
        for name, state in states(machine).items():
            if state["Type"] == "Task":
                yield name, state


@check
def every_task_is_retried_limited_and_caught(templates: Templates) -> Iterator[str]:
    for name, state in _task_states(templates):
        retries = state.get("Retry", [])
        if not any(retry.get("MaxAttempts", 3) for retry in retries):
            yield f"state {name} is not tried again"
        if any(retry.get("BackoffRate", 2) < 2 for retry in retries if retry.get("MaxAttempts", 3)):  # noqa: PLR2004
            yield f"state {name} is tried again without back-off"
        if not state.get("TimeoutSeconds"):
            yield f"state {name} has no time limit"
        caught = [error for catch in state.get("Catch", []) for error in catch["ErrorEquals"]]
        if "States.ALL" not in caught:
            yield f"the failure of state {name} is not caught"


@check
def failures_are_told(templates: Templates) -> Iterator[str]:
    """No way from the start leads to a Fail state past every state that publishes."""
    for machine in templates.all("AWS::StepFunctions::StateMachine"):
        found = states(machine)
        before, seen = [definition(machine)["StartAt"]], set()
        while before:
            name = before.pop()
            state = found[name]
            if name in seen or "sns:publish" in str(state.get("Resource")):
                continue
            seen.add(name)
            if state["Type"] == "Fail":
                yield f"state {name} is reached without telling anybody"
            before += [state[key] for key in ("Next", "Default") if key in state]
            before += [way["Next"] for key in ("Catch", "Choices") for way in state.get(key, ())]


@check
def runs_are_logged_and_limited(templates: Templates) -> Iterator[str]:
    for machine in templates.all("AWS::StepFunctions::StateMachine"):
        if machine.properties.get("LoggingConfiguration", {}).get("Level") != "ALL":
            yield f"{machine.path} is not logged"
        if "TimeoutSeconds" not in text(machine.properties["DefinitionString"]).split('"States"')[-1]:
            yield f"{machine.path} has no time limit"


def _statements(templates: Templates) -> Iterator[tuple[Resource, dict[str, object]]]:
    for policy in templates.all("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
        documents = [policy.properties.get("PolicyDocument")]
        documents += [held["PolicyDocument"] for held in policy.properties.get("Policies", ())]
        for document in documents:
            for statement in document["Statement"] if document else ():
                yield policy, statement


@check
def rights_name_what_they_are_for(templates: Templates) -> Iterator[str]:
    for policy, statement in _statements(templates):
        if statement["Effect"] != "Allow":
            continue
        actions = [str(action) for action in as_list(statement.get("Action"))]
        for action in actions:
            if "*" in action:
                yield f"{policy.path} allows {action}"
        if any(text(resource) == "*" for resource in as_list(statement.get("Resource"))):
            for action in actions:
                if action not in WILDCARD_REASONS:
                    yield f"{policy.path} allows {action} on everything, without a reason"


@check
def roles_are_for_services_of_this_account(templates: Templates) -> Iterator[str]:
    for role in templates.all("AWS::IAM::Role"):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            principal = statement["Principal"]
            if not isinstance(principal, dict) or set(principal) != {"Service"}:
                yield f"{role.path} can be taken by {text(principal)}"


@check
def nobody_enters_without_a_second_factor(templates: Templates) -> Iterator[str]:
    for pool in templates.all("AWS::Cognito::UserPool"):
        properties = pool.properties
        if properties.get("MfaConfiguration") != "ON":
            yield f"{pool.path} does not demand a second factor"
        if not properties.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
            yield f"{pool.path} lets anyone sign up"


@check
def the_web_door_asks_who_comes(templates: Templates) -> Iterator[str]:
    guarded = [
        text(a.properties["ResourceArn"]) for a in templates.all("AWS::WAFv2::WebACLAssociation")
    ]
    for balancer in templates.all("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if f"<{balancer.logical_id}>" not in guarded:
            yield f"{balancer.path} has no firewall"
    for listener in templates.all("AWS::ElasticLoadBalancingV2::Listener"):
        actions = sorted(listener.properties["DefaultActions"], key=lambda a: a.get("Order", 1))
        if actions[0]["Type"] != "authenticate-cognito":
            yield f"{listener.path} lets in before it asks"
        if listener.properties["Protocol"] != "HTTPS":
            yield f"{listener.path} speaks clear text"


@check
def the_trail_sees_every_region_and_cannot_be_forged(templates: Templates) -> Iterator[str]:
    for trail in templates.all("AWS::CloudTrail::Trail"):
        for name in ("IsMultiRegionTrail", "EnableLogFileValidation", "IsLogging"):
            if trail.properties.get(name) is not True:
                yield f"{trail.path}: {name} is not true"


@check
def alarms_reach_people_and_name_a_runbook(templates: Templates) -> Iterator[str]:
    for alarm in templates.all("AWS::CloudWatch::Alarm"):
        if not alarm.properties.get("AlarmActions"):
            yield f"{alarm.path} tells nobody"
        if "docs/runbooks/" not in alarm.properties.get("AlarmDescription", ""):
            yield f"{alarm.path} does not say what to do"
    if not templates.all("AWS::SNS::Subscription"):
        yield "nobody has subscribed to the topic"


@check
def functions_are_bounded_and_lose_nothing(templates: Templates) -> Iterator[str]:
    for function in templates.all("AWS::Lambda::Function"):
        for name in ("DeadLetterConfig", "ReservedConcurrentExecutions"):
            if not function.properties.get(name):
                yield f"{function.path} has no {name}"


@check
def data_survives_the_stack(templates: Templates) -> Iterator[str]:
    kept = {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::Redshift::Cluster"}
    for stack, template in templates.by_stack.items():
        for logical_id, raw in template["Resources"].items():
            policy = raw.get("DeletionPolicy", "Delete")
            if raw["Type"] in kept and policy not in ("Retain", "Snapshot", "RetainExceptOnCreate"):
                yield f"{stack}/{logical_id} goes with its stack"
