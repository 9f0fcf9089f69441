"""Asks an account whether it is as the templates say: `python -m infra.smoke prod [--run]`.

For whoever has deployed; it needs AWS credentials that may read, and with ``--run``
may start a run. It changes nothing else.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # it ships no types, nor does botocore
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from infra import names
from infra.config import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.config import Environment

STACKS = (
    "SecurityStack",
    "NetworkingStack",
    "DataStorageStack",
    "DataIntegrationStack",
    "WebAccessStack",
    "MonitoringLoggingStack",
)
POLL_SECONDS = 10
LONGEST_SECONDS = 3 * 3600


def check(environment: Environment, *, runs: bool) -> list[str]:
    """Return what is not as it should be."""

    def client(service: str) -> Any:  # noqa: ANN401  # boto3 has no types
        return boto3.client(service, region_name=environment.place.region)

    account = client("sts").get_caller_identity()["Account"]
    if account != environment.account:
        return [f"these credentials are of account {account}, not {environment.account}"]
    questions: list[Callable[[Callable[[str], Any], Environment], list[str]]] = [
        _stacks,
        _cluster,
        _buckets,
        _subscribers,
    ]
    found = [problem for ask in questions for problem in ask(client, environment)]
    if runs and not found:
        found += _run(client, environment)
    return found


def _stacks(client: Callable[[str], Any], environment: Environment) -> list[str]:
    del environment
    found = {
        stack["StackName"]: stack["StackStatus"]
        for page in client("cloudformation").get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
    }
    return [
        f"{stack} is {found.get(stack, 'missing')}"
        for stack in STACKS
        if found.get(stack) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    ]


def _cluster(client: Callable[[str], Any], environment: Environment) -> list[str]:
    redshift = client("redshift")
    try:
        (cluster,) = redshift.describe_clusters(ClusterIdentifier=names.CLUSTER)["Clusters"]
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        return [f"the cluster cannot be described: {' '.join(str(error).split())}"]
    wanted = {
        "ClusterStatus": "available",
        "Encrypted": True,
        "PubliclyAccessible": False,
        "EnhancedVpcRouting": True,
        "NodeType": environment.node_type,
        "NumberOfNodes": environment.nodes,
    }
    return [
        f"the cluster's {name} is {cluster.get(name)}, not {value}"
        for name, value in wanted.items()
        if cluster.get(name) != value
    ]


def _buckets(client: Callable[[str], Any], environment: Environment) -> list[str]:
    s3 = client("s3")
    problems = []
    for name in (names.STAGING_BUCKET, names.ARCHIVE_BUCKET, names.TRAIL_BUCKET):
        bucket = f"{name}-{environment.suffix}"
        try:
            block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
            if not all(block.values()):
                problems.append(f"{bucket} may become public")
            if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
                problems.append(f"{bucket} keeps no versions")
        except s3.exceptions.ClientError as error:
            problems.append(f"{bucket}: {error}")
    return problems


def _subscribers(client: Callable[[str], Any], environment: Environment) -> list[str]:
    topic = f"arn:aws:sns:{environment.place.region}:{environment.account}:{names.TOPIC}"
    sns = client("sns")
    try:
        found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    except sns.exceptions.ClientError as error:
        return [f"the topic {names.TOPIC}: {error}"]
    return [
        f"{subscription['Endpoint']} has not confirmed"
        for subscription in found
        if subscription["SubscriptionArn"] == "PendingConfirmation"
    ]


def _run(client: Callable[[str], Any], environment: Environment) -> list[str]:
    states = client("stepfunctions")
    where = f"arn:aws:states:{environment.place.region}:{environment.account}"
    execution = states.start_execution(
        stateMachineArn=f"{where}:stateMachine:{names.STATE_MACHINE}",
        input=json.dumps({"job": "build"}),
    )["executionArn"]
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            is_good = found["status"] == "SUCCEEDED"
            return [] if is_good else [f"the run {found['status']}: {found.get('cause')}"]
        time.sleep(POLL_SECONDS)
    return [f"the run is not done after {LONGEST_SECONDS // 3600} hours"]


def main() -> None:
    """Print each problem in a line; exit with 1 if there is one."""
    words = [word for word in sys.argv[1:] if word != "--run"]
    if len(words) != 1 or words[0] not in ENVIRONMENTS:
        sys.exit(f"smoke: usage: python -m infra.smoke {'|'.join(ENVIRONMENTS)} [--run]")
    problems = check(ENVIRONMENTS[words[0]], runs="--run" in sys.argv)
    sys.stdout.write("\n".join(problems or ["all is as the templates say"]) + "\n")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
