"""What differs between environments: account, places, sizes, retention, and switches that cost.

One AWS account for each environment, so that names need no environment in them. Account numbers,
addresses and the certificate are the company's to fill in; everything else is decided here.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from dataclasses import dataclass

from infra.exceptions import InfraError

S3_PREFIX_LISTS = {"us-east-1": "pl-63a5400a", "us-west-2": "pl-68a54001"}
"""AWS's own lists of S3's addresses; `aws ec2 describe-prefix-lists` shows those of a region."""

RETIRED_NODE_TYPES = ("dc1.", "dc2.", "ds2.")
"""Redshift nodes that CloudFormation still accepts and AWS no longer starts."""


@dataclass(frozen=True)
class Place:
    """A region and the availability zones used in it."""

    region: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Switches:
    """What costs money or exists once in an account; docs/aws-costs.md has the price of each.

    Attributes:
        private_endpoints: AWS's APIs are reached inside the VPC; else through the NAT gateway.
        is_replicated: The archive is copied to the second region, and so are snapshots.
        object_lock: Nobody, not even root, deletes an archived object before its time.
        macie: Once in an account and region.
        guardduty: Once in an account and region.
        config_rules: AWS Config's recorder exists once in an account and region.
        cloudtrail: A second trail in an account is paid for.
        rotates_source_credentials: AWS changes the passwords of source users every 30 days; their
            databases must let them change it themselves.
        remediation_is_dry_run: Say what would be done about a finding, and do nothing.
    """

    private_endpoints: bool = True
    is_replicated: bool = True
    object_lock: bool = True
    macie: bool = True
    guardduty: bool = True
    config_rules: bool = True
    cloudtrail: bool = True
    rotates_source_credentials: bool = True
    remediation_is_dry_run: bool = True


@dataclass(frozen=True)
class Environment:
    """All that the stacks are told.

    Attributes:
        name: Of the environment; each is an account.
        nat_gateways: One in each public subnet, or a single one to save.
        company_network: Where the source databases are, as this VPC reaches them.
        concurrency_scaling_clusters: How many clusters Redshift may add under load.
        snapshot_days: How long automated snapshots stay, here and in the second region.
        staging_glacier_days: After which staged files leave for Glacier.
        archive_days: After which archived objects are deleted.
        log_days: Of application logs. One of those that CloudWatch Logs knows.
        audit_days: Of the audit trail.
        loader: Meltano's target.
        told_jobs: Whose success is told to people too; a failure always is.
        image_tag: Of the pipeline's image; tags are never moved.
        stop_seconds: Between SIGTERM and SIGKILL; Fargate allows 120 at most.
        web_domain: Of the web entry; the certificate is for this name.
        restored_from: Snapshot that the warehouse is made from; see the disaster recovery plan.
    """

    name: str
    account: str
    place: Place
    recovery_place: Place
    nat_gateways: int
    node_type: str
    nodes: int
    monthly_budget_usd: int
    alert_emails: tuple[str, ...]
    alert_phones: tuple[str, ...]
    web_domain: str
    certificate_id: str
    switches: Switches
    log_days: int
    audit_days: int
    archive_days: int
    concurrency_scaling_clusters: int = 1
    vpc_cidr: str = "10.0.0.0/16"
    company_network: str = "10.64.0.0/16"
    snapshot_days: int = 7
    staging_glacier_days: int = 30
    task_cpu: int = 1024
    task_memory_mib: int = 4096
    stop_seconds: int = 120
    loader: str = "target-redshift"
    told_jobs: tuple[str, ...] = ("build",)
    image_tag: str = "0.1.0"
    restored_from: str | None = None

    def __post_init__(self) -> None:
        for is_wrong, line in (
            (not re.fullmatch(r"\d{12}", self.account), "account has not 12 digits"),
            (
                any(
                    not zone.startswith(place.region)
                    for place in (self.place, self.recovery_place)
                    for zone in place.zones
                ),
                "an availability zone lies outside its region",
            ),
            (
                self.place.region == self.recovery_place.region,
                "the second region is the first one",
            ),
            (
                self.nat_gateways not in (1, len(self.place.zones)),
                "nat_gateways is neither 1 nor one for each zone",
            ),
            (
                self.node_type.startswith(RETIRED_NODE_TYPES),
                f"AWS has retired {self.node_type}: choose ra3",
            ),
            (self.nodes < 2, "a warehouse of one node has no second copy of its blocks"),  # noqa: PLR2004
            (
                self.place.region not in S3_PREFIX_LISTS,
                f"S3's prefix list of {self.place.region} is not in S3_PREFIX_LISTS",
            ),
            (
                ipaddress.ip_network(self.vpc_cidr).overlaps(
                    ipaddress.ip_network(self.company_network)
                ),
                "company_network overlaps the VPC: no route could tell them apart",
            ),
            (not 30 <= self.stop_seconds <= 120, "stop_seconds is not within 30 to 120"),  # noqa: PLR2004
        ):
            if is_wrong:
                raise InfraError(f"infra/config.py: environment {self.name}: {line}")

    @property
    def suffix(self) -> str:
        """What makes a name unique in all of AWS."""
        return f"{self.account}-{self.place.region}"

    @property
    def recovery_suffix(self) -> str:
        """The same in the second region."""
        return f"{self.account}-{self.recovery_place.region}"

    def failed_over(self, snapshot: str | None) -> Environment:
        """Return this environment as it is rebuilt in the second region, the first being lost.

        Args:
            snapshot: The copied snapshot to make the warehouse from; None makes it empty.
        """
        return dataclasses.replace(
            self,
            place=self.recovery_place,
            recovery_place=self.place,
            switches=dataclasses.replace(self.switches, is_replicated=False, cloudtrail=False),
            restored_from=snapshot,
        )


EAST = Place("us-east-1", ("us-east-1a", "us-east-1b", "us-east-1c"))
WEST = Place("us-west-2", ("us-west-2a", "us-west-2b", "us-west-2c"))

ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment(
            name="dev",
            account="111111111111",
            place=EAST,
            recovery_place=WEST,
            nat_gateways=1,
            node_type="ra3.large",
            nodes=2,
            concurrency_scaling_clusters=0,
            monthly_budget_usd=1200,
            alert_emails=("warehouse-dev@example.com",),
            alert_phones=(),
            web_domain="warehouse-dev.example.com",
            certificate_id="00000000-0000-4000-8000-000000000001",
            switches=Switches(
                private_endpoints=False,
                is_replicated=False,
                object_lock=False,
                macie=False,
                guardduty=False,
                config_rules=False,
                rotates_source_credentials=False,
            ),
            log_days=30,
            audit_days=90,
            archive_days=90,
        ),
        Environment(
            name="prod",
            account="222222222222",
            place=EAST,
            recovery_place=WEST,
            nat_gateways=3,
            node_type="ra3.large",
            nodes=2,
            monthly_budget_usd=2000,
            alert_emails=("warehouse@example.com", "security@example.com"),
            alert_phones=("+15555550100",),
            web_domain="warehouse.example.com",
            certificate_id="00000000-0000-4000-8000-000000000002",
            switches=Switches(),
            log_days=365,
            audit_days=2190,
            archive_days=365,
        ),
    )
}
