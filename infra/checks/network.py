"""Who reaches whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.checks.registry import check
from infra.templates import task_states, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.templates import Templates

ANYWHERE = ("0.0.0.0/0", "::/0")
WAREHOUSE_PORT = 5439
HTTPS_PORT = 443
PUBLIC_DOOR = "WebAccessStack/Entrance/Group"
ASKS_THE_WAREHOUSE = ("Groups/Etl", "Groups/Rotation")


def _ingress(templates: Templates) -> Iterator[tuple[str, dict[str, Any]]]:
    for group in templates.all("AWS::EC2::SecurityGroup"):
        for rule in group.properties.get("SecurityGroupIngress", ()):
            yield group.path, rule
    for rule in templates.all("AWS::EC2::SecurityGroupIngress"):
        yield rule.path, rule.properties


@check
def nothing_is_open_but_the_public_door(templates: Templates) -> Iterator[str]:
    for path, rule in _ingress(templates):
        is_anyone = rule.get("CidrIp") in ANYWHERE or rule.get("CidrIpv6") in ANYWHERE
        is_door = (
            path.startswith(PUBLIC_DOOR)
            and rule.get("FromPort") == rule.get("ToPort") == HTTPS_PORT
        )
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
        covers = rule.get("IpProtocol") == "-1" or first <= WAREHOUSE_PORT <= last
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
    for name, state in task_states(templates):
        network = state.get("Parameters", {}).get("NetworkConfiguration", {})
        configuration = network.get("AwsvpcConfiguration", {})
        if configuration.get("AssignPublicIp") == "ENABLED":
            yield f"{name} has a public address"
        for subnet in configuration.get("Subnets", ()):
            if "privateSubnet" not in subnet:
                yield f"{name} runs in {subnet}"
