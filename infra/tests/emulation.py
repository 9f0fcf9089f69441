"""Deploys prod's templates into ministack; scenarios.py runs the workflow there.

ministack is an emulator: it proves that the templates hang together and that the workflow does what
its definition says. It enforces no right, no network and no key.
"""

import io
import json
import socket
import subprocess
import time
import zipfile
from contextlib import contextmanager

import boto3

ACCOUNT = "222222222222"
"""An access key of twelve digits names the account."""
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-us-east-1"
ORDER = (
    ("DisasterRecoveryStack", "us-west-2"),
    ("SecurityStack", "us-east-1"),
    ("NetworkingStack", "us-east-1"),
    ("DataStorageStack", "us-east-1"),
    ("DataIntegrationStack", "us-east-1"),
    ("WebAccessStack", "us-east-1"),
    ("MonitoringLoggingStack", "us-east-1"),
)
LEFT_OUT = {
    "AWS::Backup::BackupSelection",
    "AWS::Budgets::Budget",
    "AWS::CloudTrail::Trail",
    "AWS::Config::ConfigRule",
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::DeliveryChannel",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::NetworkAclEntry",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::Glue::DataCatalogEncryptionSettings",
    "AWS::Glue::SecurityConfiguration",
    "AWS::GuardDuty::Detector",
    "AWS::Macie::Session",
    "AWS::Redshift::Cluster",
    "AWS::Redshift::ClusterParameterGroup",
    "AWS::Redshift::ClusterSubnetGroup",
    "AWS::Redshift::SnapshotCopyGrant",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACLAssociation",
}
"""What ministack cannot take. It may shrink; a type that is not here and fails, fails the tests."""

PATIENCE_SECONDS = 180
TIME_SCALE = "0.02"
"""Of the workflow's pauses: a minute becomes 1.2 seconds."""


class Emulator:
    """A running ministack."""

    def __init__(self, port):
        self._port = port

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._port}"

    def client(self, service, region="us-east-1"):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="emulated",  # noqa: S106
        )


def until(condition, what):
    """Ask until something is true, and say what was awaited when it never was."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{what} within {PATIENCE_SECONDS} s")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(port):
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def emulator(tools, folder, environment, mocks):
    """Run ministack on a port of its own, for this machine only."""
    port = free_port()
    file = folder / "mocks.json"
    file.write_text(json.dumps(mocks))
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFN_MOCK_CONFIG": str(file),
        "SFN_WAIT_SCALE": TIME_SCALE,
        "TMPDIR": str(folder),
    }
    with (folder / "ministack.log").open("w") as log:
        process = subprocess.Popen(
            [tools / "ministack"],
            env={**environment, **settings},
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        until(lambda: answers(port), "ministack answers")
        yield Emulator(port)
    finally:
        process.terminate()
        process.wait()


def deploy(emulated, templates):
    """Create the stacks in order; returns how each ended, and what was left out of it."""
    s3 = emulated.client("s3")
    s3.create_bucket(Bucket=ASSETS)
    for asset in templates.glob("asset.*"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file in asset.iterdir():
                archive.write(file, file.name)
        s3.put_object(Bucket=ASSETS, Key=f"{asset.name[6:]}.zip", Body=packed.getvalue())
    return {
        stack: _deploy(
            emulated,
            s3,
            region,
            json.loads((templates / f"{stack}.template.json").read_text()),
            stack,
        )
        for stack, region in ORDER
    }


def _deploy(emulated, s3, region, template, stack):
    resources = template["Resources"]
    gone = {name for name, raw in resources.items() if raw["Type"] in LEFT_OUT}
    left_out = sorted({resources[name]["Type"] for name in gone})
    # Only what rotation needs, which is left out.
    template.pop("Transform", None)
    kept = _without(
        {**template, "Resources": {n: r for n, r in resources.items() if n not in gone}}, gone
    )
    s3.put_object(Bucket=ASSETS, Key=f"{stack}.json", Body=json.dumps(kept))
    client = emulated.client("cloudformation", region)
    try:
        client.create_stack(
            StackName=stack,
            TemplateURL=f"{emulated.endpoint}/{ASSETS}/{stack}.json",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    except client.exceptions.ClientError as error:
        return {"status": str(error), "left_out": left_out, "created": 0}
    status = until(lambda: _status(client, stack), f"{stack} is created")
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in client.describe_stack_events(StackName=stack)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]
    return {
        "status": status if not reasons else f"{status}: {reasons}",
        "left_out": left_out,
        "created": len(kept["Resources"]),
    }


def _status(client, stack):
    status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return None if status.endswith("PROGRESS") else status


def _without(value, gone):
    """Drop dependencies on what is left out, and put a name in the place of references to it."""
    if isinstance(value, list):
        return [_without(part, gone) for part in value]
    if not isinstance(value, dict):
        return value
    target = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    if target in gone:
        return f"left-out-{target}"
    kept = {key: _without(part, gone) for key, part in value.items()}
    if "DependsOn" in kept:
        depends = kept["DependsOn"]
        depends = [depends] if isinstance(depends, str) else depends
        kept["DependsOn"] = [name for name in depends if name not in gone]
    return kept
