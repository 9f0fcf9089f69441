"""The functions that read the audit trail and act on findings, with events as AWS sends them."""

import gzip
import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

EVENTS = Path(__file__).with_name("events")


def event(name):
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture
def trail_file(aws):
    """The file that the event names, in its bucket."""
    record = event("s3_object_created")["Records"][0]["s3"]
    body = gzip.compress((EVENTS / "cloudtrail_log_file.json").read_bytes())
    aws("s3").create_bucket(Bucket=record["bucket"]["name"])
    key = unquote_plus(record["object"]["key"])
    aws("s3").put_object(Bucket=record["bucket"]["name"], Key=key, Body=body)
    return f"s3://{record['bucket']['name']}/{key}"


def test_a_file_of_the_trail_is_told_by_what_nobody_should_do_in_silence(mailbox, trail_file, load):
    """M-4."""
    assert load("process_cloudtrail_logs").handle(event("s3_object_created"), None) == {"told": 6}
    (message,) = mailbox.read()
    lines = message["Message"].splitlines()
    ann = "arn:aws:iam::222222222222:user/ann from 203.0.113.9 in us-east-1"
    assert lines == [
        f"2026-11-24T08:00:00Z root was used: ConsoleLogin by {ann.replace('user/ann', 'root')}",
        f"2026-11-24T08:01:00Z console login without a second factor: ConsoleLogin by {ann}",
        f"2026-11-24T08:04:00Z a policy changed: PutRolePolicy by {ann}",
        f"2026-11-24T08:07:00Z a key was disabled or will be deleted: ScheduleKeyDeletion by {ann}",
        f"2026-11-24T08:08:00Z the audit trail changed: StopLogging by {ann}",
        "6 failed logins from 198.51.100.23",
        trail_file,
    ]


def test_a_file_without_anything_to_tell_is_silent(mailbox, aws, trail_file, load):
    """M-4."""
    bucket, _, key = trail_file.removeprefix("s3://").partition("/")
    quiet = [
        r for r in event("cloudtrail_log_file")["Records"] if r["eventName"] == "DescribeInstances"
    ]
    aws("s3").put_object(
        Bucket=bucket, Key=key, Body=gzip.compress(json.dumps({"Records": quiet}).encode())
    )
    assert load("process_cloudtrail_logs").handle(event("s3_object_created"), None) == {"told": 0}
    assert mailbox.read() == []


@pytest.fixture
def remediate(load, mailbox, monkeypatch):
    assert mailbox

    def run(finding, *, dry_run):
        monkeypatch.setenv("DRY_RUN", str(dry_run).lower())
        return load("auto_remediate_security_issues").handle(finding, None)["outcomes"]

    return run


def test_without_a_word_to_the_contrary_nothing_is_done(load, mailbox, aws, monkeypatch):
    """M-4: dry by default."""
    monkeypatch.delenv("DRY_RUN", raising=False)
    aws("s3").create_bucket(Bucket="company-exports")
    done = load("auto_remediate_security_issues").handle(event("macie_public_bucket"), None)
    assert done["dry_run"] is True
    assert done["outcomes"] == ["would close bucket company-exports to the public"]
    with pytest.raises(aws("s3").exceptions.ClientError, match="NoSuchPublicAccessBlock"):
        aws("s3").get_public_access_block(Bucket="company-exports")
    assert "would close bucket" in mailbox.read()[0]["Message"]


@pytest.mark.parametrize("name", ["macie_public_bucket", "guardduty_public_bucket"])
def test_a_public_bucket_is_closed_once_and_tagged_beside_its_other_tags(name, remediate, aws):
    """M-4."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="company-exports")
    team = {"Key": "team", "Value": "sales"}
    s3.put_bucket_tagging(Bucket="company-exports", Tagging={"TagSet": [team]})
    assert remediate(event(name), dry_run=False) == [
        "done: close bucket company-exports to the public"
    ]
    block = s3.get_public_access_block(Bucket="company-exports")["PublicAccessBlockConfiguration"]
    assert all(block.values())
    tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket="company-exports")["TagSet"]}
    assert tags == {"team": "sales", "security-finding": event(name)["detail"]["id"]}
    assert remediate(event(name), dry_run=False) == [
        "already done: close bucket company-exports to the public"
    ]


def test_a_stolen_access_key_is_revoked(remediate, aws):
    """M-4."""
    iam = aws("iam")
    iam.create_user(UserName="report-export")
    key = iam.create_access_key(UserName="report-export")["AccessKey"]["AccessKeyId"]
    other = iam.create_access_key(UserName="report-export")["AccessKey"]["AccessKeyId"]
    finding = event("guardduty_access_key")
    finding["detail"]["resource"]["accessKeyDetails"]["accessKeyId"] = key
    (outcome,) = remediate(finding, dry_run=False)
    assert outcome.startswith(f"done: revoke access key {key}")
    status = {
        k["AccessKeyId"]: k["Status"]
        for k in iam.list_access_keys(UserName="report-export")["AccessKeyMetadata"]
    }
    assert status == {key: "Inactive", other: "Active"}
    assert iam.list_user_tags(UserName="report-export")["Tags"]
    assert remediate(finding, dry_run=False)[0].startswith("already done")


def test_sessions_of_a_role_that_began_before_the_finding_are_refused(remediate, aws):
    """M-4; a later finding extends the ban, an older one does not shorten it."""
    iam = aws("iam")
    iam.create_role(RoleName="extract-role", AssumeRolePolicyDocument="{}")
    finding = event("guardduty_role_credentials")

    def ban():
        policy = iam.get_role_policy(RoleName="extract-role", PolicyName="RevokedByRemediation")
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "*")
        return statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"]

    remediate(finding, dry_run=False)
    assert ban() == "2026-11-24T10:15:30.000Z"
    finding["detail"]["updatedAt"] = "2026-11-24T12:00:00.000Z"
    remediate(finding, dry_run=False)
    assert ban() == "2026-11-24T12:00:00.000Z"
    finding["detail"]["updatedAt"] = "2026-11-24T09:00:00.000Z"
    assert remediate(finding, dry_run=False)[0].startswith("already done")
    assert ban() == "2026-11-24T12:00:00.000Z"


def test_an_instance_is_isolated_and_stays_for_those_who_look_into_it(remediate, aws, monkeypatch):
    """M-4."""
    ec2 = aws("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="quarantine", Description="q", VpcId=vpc)["GroupId"]
    monkeypatch.setenv("QUARANTINE_GROUP", group)
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0][
        "InstanceId"
    ]
    finding = event("guardduty_instance")
    finding["detail"]["resource"]["instanceDetails"]["instanceId"] = instance
    (said,) = remediate(finding, dry_run=True)
    assert said.startswith("would isolate")
    (done,) = remediate(finding, dry_run=False)
    assert done.startswith("done: isolate")
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert found["State"]["Name"] == "running"
    assert [g["GroupId"] for i in found["NetworkInterfaces"] for g in i["Groups"]] == [group]
    assert {"Key": "security-finding", "Value": finding["detail"]["id"]} in found["Tags"]
    assert remediate(finding, dry_run=False)[0].startswith("already done")


def test_a_finding_for_which_no_action_is_known_reaches_people(remediate, mailbox):
    """M-4."""
    finding = event("guardduty_access_key")
    finding["detail"]["resource"] = {"resourceType": "EKSCluster"}
    assert remediate(finding, dry_run=False) == []
    assert "no action is known for it" in mailbox.read()[0]["Message"]
