"""Reads each file of the audit trail as it arrives, and tells what nobody should do in silence.

Told: use of root, a console login without a second factor, changes of policies and of who may do
what, keys disabled or about to be deleted, the trail being stopped, and five failed logins of one
address within one file.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED_LOGINS = 5
POLICY_CHANGES = {
    "AttachGroupPolicy",
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeleteBucketPolicy",
    "DeleteGroupPolicy",
    "DeletePolicy",
    "DeleteRolePolicy",
    "DeleteUserPolicy",
    "DetachGroupPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "PutBucketPolicy",
    "PutGroupPolicy",
    "PutKeyPolicy",
    "PutRolePolicy",
    "PutUserPolicy",
    "SetDefaultPolicyVersion",
    "UpdateAssumeRolePolicy",
}
KEY_DELETIONS = {"DeleteImportedKeyMaterial", "DisableKey", "ScheduleKeyDeletion"}
AUDIT_CHANGES = {"DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"}
DEPLOYMENT = "cloudformation.amazonaws.com"
"""Whose changes were reviewed as code."""
LONGEST_MESSAGE = 200_000
"""Bytes; SNS takes 262,144."""


def handle(event: dict[str, Any], context: object) -> dict[str, int]:
    """Read the files that the event names; publish a message for each that holds something."""
    del context
    told = 0
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        lines = list(suspicious(json.loads(gzip.decompress(body))["Records"]))
        if lines:
            boto3.client("sns").publish(
                TopicArn=os.environ["TOPIC_ARN"],
                Subject=f"Audit trail: {len(lines)} events to look at",
                Message="\n".join([*lines, f"s3://{bucket}/{key}"])[:LONGEST_MESSAGE],
            )
        told += len(lines)
    return {"told": told}


def suspicious(events: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each event that a person should see."""
    failed: Counter[str] = Counter()
    for event in events:
        if is_failed_login(event):
            failed[event.get("sourceIPAddress", "an unknown address")] += 1
        reason = reason_to_tell(event)
        if reason:
            yield (
                f"{event['eventTime']} {reason}: {event['eventName']} by {_who(event)} "
                f"from {event.get('sourceIPAddress', '?')} in {event.get('awsRegion', '?')}"
            )
    for address, number in failed.items():
        if number >= FAILED_LOGINS:
            yield f"{number} failed logins from {address}"


def reason_to_tell(event: dict[str, Any]) -> str | None:
    """Say why a person should see an event; None: there is no reason."""
    name, identity = event["eventName"], event.get("userIdentity", {})
    # Root appears in what AWS does for an account by itself; then a service is named.
    if identity.get("type") == "Root" and "invokedBy" not in identity:
        return "root was used"
    if name == "ConsoleLogin" and _succeeded(event) and _lacks_second_factor(event):
        return "console login without a second factor"
    if event.get("errorCode") or identity.get("invokedBy") == DEPLOYMENT:
        return None
    if name in POLICY_CHANGES:
        return "a policy changed"
    if name in KEY_DELETIONS:
        return "a key was disabled or will be deleted"
    if name in AUDIT_CHANGES:
        return "the audit trail changed"
    return None


def is_failed_login(event: dict[str, Any]) -> bool:
    """Whether it is a console login that was refused."""
    return event["eventName"] == "ConsoleLogin" and not _succeeded(event)


def _succeeded(event: dict[str, Any]) -> bool:
    return (event.get("responseElements") or {}).get("ConsoleLogin") == "Success"


def _lacks_second_factor(event: dict[str, Any]) -> bool:
    # Who comes through the identity provider gave the second factor there.
    is_federated = event.get("userIdentity", {}).get("type") == "AssumedRole"
    used = (event.get("additionalEventData") or {}).get("MFAUsed")
    return not is_federated and used != "Yes"


def _who(event: dict[str, Any]) -> str:
    identity = event.get("userIdentity", {})
    return identity.get("arn") or identity.get("userName") or identity.get("type") or "?"
