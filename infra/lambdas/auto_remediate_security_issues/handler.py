"""Answers a serious finding: isolates, revokes, closes, tags, and tells people.

With ``DRY_RUN=true``, as it is deployed, it only tells what it would do. Each action asks first
whether it is done already, so that a finding which comes again changes nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable

TAG = "security-finding"
REVOKED = "RevokedByRemediation"
CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True)
class Action:
    """One thing to do about a finding.

    Attributes:
        says: What it does, in words.
        is_done: Whether it is done already.
        do: Does it.
    """

    says: str
    is_done: Callable[[], bool]
    do: Callable[[], object]


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do, or say, what a finding of GuardDuty or Macie asks for."""
    del context
    detail = event["detail"]
    finding, kind = detail["id"], detail["type"]
    is_dry = os.environ.get("DRY_RUN", "true").lower() != "false"
    outcomes = []
    for action in actions(detail, finding):
        if action.is_done():
            outcomes.append(f"already done: {action.says}")
        elif is_dry:
            outcomes.append(f"would {action.says}")
        else:
            action.do()
            outcomes.append(f"done: {action.says}")
    boto3.client("sns").publish(
        TopicArn=os.environ["TOPIC_ARN"],
        Subject=f"Security finding: {kind}"[:100],
        Message="\n".join(
            [
                f"{kind}, severity {_severity(detail)}, finding {finding}",
                detail.get("title", ""),
                *(outcomes or ["no action is known for it: look at it"]),
            ]
        ),
    )
    return {"finding": finding, "dry_run": is_dry, "outcomes": outcomes}


def actions(detail: dict[str, Any], finding: str) -> list[Action]:
    """Return what a finding asks for, by the resources that it names."""
    found: list[Action] = []
    resource = detail.get("resource", {})
    instance = resource.get("instanceDetails", {}).get("instanceId")
    if instance:
        found += _isolate(instance, finding)
    key = resource.get("accessKeyDetails", {})
    if key.get("userType") == "IAMUser":
        found += _revoke_user(key["userName"], key.get("accessKeyId", ""), finding)
    elif key.get("userType") == "AssumedRole":
        found += _revoke_role(key["userName"], detail["updatedAt"], finding)
    for bucket in resource.get("s3BucketDetails", []):
        found += _close_bucket(bucket["name"], finding)
    # Macie's findings name the bucket elsewhere.
    affected = detail.get("resourcesAffected", {}).get("s3Bucket", {})
    if affected and affected.get("publicAccess", {}).get("effectivePermission") == "PUBLIC":
        found += _close_bucket(affected["name"], finding)
    return found


def _isolate(instance: str, finding: str) -> list[Action]:
    ec2 = boto3.client("ec2")
    group = os.environ["QUARANTINE_GROUP"]

    def interfaces() -> list[dict[str, Any]]:
        of_instance = [{"Name": "attachment.instance-id", "Values": [instance]}]
        found = ec2.describe_network_interfaces(Filters=of_instance)
        return list(found["NetworkInterfaces"])

    def open_interfaces() -> list[str]:
        return [
            interface["NetworkInterfaceId"]
            for interface in interfaces()
            if [held["GroupId"] for held in interface["Groups"]] != [group]
        ]

    def isolate() -> None:
        for interface in open_interfaces():
            ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[group])
        ec2.create_tags(Resources=[instance], Tags=[{"Key": TAG, "Value": finding}])

    return [
        Action(
            f"isolate instance {instance}: no traffic in or out",
            lambda: not open_interfaces(),
            isolate,
        )
    ]


def _revoke_user(user: str, key: str, finding: str) -> list[Action]:
    iam = boto3.client("iam")

    def is_inactive() -> bool:
        pages = iam.get_paginator("list_access_keys").paginate(UserName=user)
        status = {
            held["AccessKeyId"]: held["Status"]
            for page in pages
            for held in page["AccessKeyMetadata"]
        }
        return status.get(key, "Inactive") == "Inactive"

    def revoke() -> None:
        iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
        iam.tag_user(UserName=user, Tags=[{"Key": TAG, "Value": finding}])

    return [Action(f"revoke access key {key} of user {user}", is_inactive, revoke)]


def _revoke_role(role: str, moment: str, finding: str) -> list[Action]:
    """Refuse all sessions of a role that began before the finding; new ones may come."""
    iam = boto3.client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": moment}},
            }
        ],
    }

    def is_revoked() -> bool:
        try:
            held = iam.get_role_policy(RoleName=role, PolicyName=REVOKED)["PolicyDocument"]
        except iam.exceptions.NoSuchEntityException:
            return False
        known: str = held["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
        # Times of ISO 8601 in UTC order as texts; an older finding must not shorten the ban.
        return known >= moment

    def revoke() -> None:
        iam.put_role_policy(RoleName=role, PolicyName=REVOKED, PolicyDocument=json.dumps(policy))
        iam.tag_role(RoleName=role, Tags=[{"Key": TAG, "Value": finding}])

    return [Action(f"revoke sessions of role {role} older than {moment}", is_revoked, revoke)]


def _close_bucket(bucket: str, finding: str) -> list[Action]:
    s3 = boto3.client("s3")

    def is_closed() -> bool:
        try:
            held = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
                raise
            return False
        return bool(held == CLOSED)

    def close() -> None:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=CLOSED)
        tags = [tag for tag in _bucket_tags(s3, bucket) if tag["Key"] != TAG]
        tags.append({"Key": TAG, "Value": finding})
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})

    return [Action(f"close bucket {bucket} to the public", is_closed, close)]


def _bucket_tags(s3: Any, bucket: str) -> list[dict[str, str]]:  # noqa: ANN401  # boto3 has no types
    """Read the tags: writing replaces all of them."""
    try:
        return list(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return []


def _severity(detail: dict[str, Any]) -> object:
    severity = detail.get("severity")
    return severity.get("description") if isinstance(severity, dict) else severity
