"""What an environment costs a month: `python -m infra.costs` prints docs/aws-costs.md's table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.config import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.config import Environment

HOURS = 730
"""Of a month, as AWS reckons."""
TASK_HOURS = 600
"""Assumed: 24 runs a day, each three loads and two steps of ten minutes."""
PRIVATE_APIS = 8
SOURCES = 3
STORED_GB = 500
"""Assumed: half in the warehouse, half in buckets."""


@dataclass(frozen=True)
class Price:
    """A price on demand in us-east-1, in US dollars.

    Attributes:
        page: Of AWS, where it stands; under https://aws.amazon.com/.
    """

    usd: float
    unit: str
    page: str


PRICES = {
    "ra3.large": Price(0.543, "node hour", "redshift/pricing/"),
    "managed storage": Price(0.024, "GB month", "redshift/pricing/"),
    "NAT gateway": Price(0.045, "hour, and GB", "vpc/pricing/"),
    "interface endpoint": Price(0.01, "zone hour", "privatelink/pricing/"),
    "Fargate vCPU": Price(0.04048, "hour", "fargate/pricing/"),
    "Fargate memory": Price(0.004445, "GB hour", "fargate/pricing/"),
    "load balancer": Price(0.0225, "hour", "elasticloadbalancing/pricing/"),
    "S3 Standard": Price(0.023, "GB month", "s3/pricing/"),
    "firewall": Price(5.0, "list, and 1 a rule", "waf/pricing/"),
    "key": Price(1.0, "month", "kms/pricing/"),
    "secret": Price(0.40, "month", "secrets-manager/pricing/"),
}


def monthly(environment: Environment) -> Iterator[tuple[str, str, float]]:
    """Yield what is paid for, how much of it, and its price a month in US dollars."""
    zones = len(environment.place.zones)
    memory = environment.task_memory_mib / 1024
    vcpus = environment.task_cpu / 1024
    yield _line("ra3.large", f"{environment.nodes} nodes", environment.nodes * HOURS)
    yield _line("managed storage", f"{STORED_GB / 2:g} GB", STORED_GB / 2)
    yield _line("NAT gateway", f"{environment.nat_gateways}", environment.nat_gateways * HOURS)
    if environment.switches.private_endpoints:
        hours = PRIVATE_APIS * zones * HOURS
        yield _line("interface endpoint", f"{PRIVATE_APIS} in {zones} zones", hours)
    yield _line("Fargate vCPU", f"{TASK_HOURS} task hours", TASK_HOURS * vcpus)
    yield _line("Fargate memory", f"{memory:g} GB each", TASK_HOURS * memory)
    yield _line("load balancer", "1", HOURS)
    copies = 2 if environment.switches.is_replicated else 1
    yield _line("S3 Standard", f"{STORED_GB / 2:g} GB, {copies} times", STORED_GB / 2 * copies)
    yield ("firewall", "1 list, 5 rules", PRICES["firewall"].usd + 5)
    yield _line("key", f"{copies}", copies)
    yield _line("secret", f"{SOURCES + 1}", SOURCES + 1)


def _line(what: str, amount: str, units: float) -> tuple[str, str, float]:
    return what, amount, units * PRICES[what].usd


def page() -> str:
    """Write the tables."""
    names = list(ENVIRONMENTS)
    rows = {name: {w: (a, usd) for w, a, usd in monthly(ENVIRONMENTS[name])} for name in names}
    lines = [
        "| What | Price, USD | Source | " + " | ".join(names) + " |",
        "|---|---|---|" + "---|" * len(names),
    ]
    for what, price in PRICES.items():
        link = f"[{price.page.split('/')[0]}](https://aws.amazon.com/{price.page})"
        cells = [
            f"{rows[n][what][0]}: {rows[n][what][1]:.0f}" if what in rows[n] else "-" for n in names
        ]
        lines.append(f"| {what} | {price.usd:g} per {price.unit} | {link} | {' | '.join(cells)} |")
    sums = [f"**{sum(usd for _, usd in rows[name].values()):.0f}**" for name in names]
    lines.append(f"| **Sum** | | | {' | '.join(sums)} |")
    budgets = [f"{ENVIRONMENTS[name].monthly_budget_usd}" for name in names]
    lines.append(f"| Budget, warned at 80 % and 100 % | | | {' | '.join(budgets)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
