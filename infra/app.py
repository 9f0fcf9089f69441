"""The CDK app: `python -m infra.app [ENVIRONMENT ...]` writes templates to `output/cdk/`.

No account, no network, no AWS variable. Called by the CDK's own command it writes where that says,
for the one environment of `-c environment=prod`; `-c failover=true` (and `-c snapshot=NAME`) makes
the stacks of the second region.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import aws_cdk
from aws_cdk import App, DefaultStackSynthesizer, Tags

from infra.config import ENVIRONMENTS, Environment
from infra.exceptions import InfraError
from infra.project import Project, read_project
from infra.stacks.data_integration_stack import DataIntegrationStack
from infra.stacks.data_storage_stack import DataStorageStack
from infra.stacks.disaster_recovery_stack import DisasterRecoveryStack
from infra.stacks.monitoring_logging_stack import MonitoringLoggingStack
from infra.stacks.networking_stack import NetworkingStack
from infra.stacks.security_stack import SecurityStack
from infra.stacks.web_access_stack import WebAccessStack

REPOSITORY = Path(__file__).resolve().parents[1]
OUTPUT = REPOSITORY / "output" / "cdk"


def make_app(environment: Environment, outdir: Path | None) -> App:
    """Make an app that knows the zones, so that it never asks AWS for them."""
    context = json.loads((REPOSITORY / "infra" / "cdk.json").read_text())["context"]
    context["aws:cdk:enable-path-metadata"] = True
    for place in (environment.place, environment.recovery_place):
        key = f"availability-zones:account={environment.account}:region={place.region}"
        context[key] = list(place.zones)
    return App(
        outdir=None if outdir is None else str(outdir),
        context=context,
        analytics_reporting=False,
    )


def add_stacks(app: App, environment: Environment, project: Project) -> None:
    """Add the stacks in the order in which they are deployed."""

    def options(region: str) -> dict[str, object]:
        return {
            "env": aws_cdk.Environment(account=environment.account, region=region),
            "termination_protection": True,
            # Else each template asks Parameter Store how the account was prepared.
            "synthesizer": DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        }

    region = environment.place.region
    recovery = None
    if environment.switches.is_replicated:
        recovery = DisasterRecoveryStack(
            app,
            "DisasterRecoveryStack",
            environment=environment,
            **options(environment.recovery_place.region),
        )
    security = SecurityStack(
        app, "SecurityStack", environment=environment, project=project, **options(region)
    )
    key_arn = security.key.key_arn
    network = NetworkingStack(
        app,
        "NetworkingStack",
        environment=environment,
        project=project,
        key_arn=key_arn,
        **options(region),
    )
    storage = DataStorageStack(
        app,
        "DataStorageStack",
        environment=environment,
        vpc=network.vpc,
        groups=network.groups,
        key_arn=key_arn,
        warehouse_secret_arn=security.warehouse_secret.secret_arn,
        **options(region),
    )
    if recovery is not None:
        storage.add_stack_dependency(recovery)
    integration = DataIntegrationStack(
        app,
        "DataIntegrationStack",
        environment=environment,
        project=project,
        network=network,
        storage=storage,
        key_arn=key_arn,
        source_secret_arns={
            name: secret.secret_arn for name, secret in security.source_secrets.items()
        },
        **options(region),
    )
    WebAccessStack(
        app,
        "WebAccessStack",
        environment=environment,
        vpc=network.vpc,
        logs=storage.logs,
        firewall_arn=security.firewall.attr_arn,
        **options(region),
    )
    MonitoringLoggingStack(
        app,
        "MonitoringLoggingStack",
        environment=environment,
        project=project,
        network=network,
        storage=storage,
        integration=integration,
        key_arn=key_arn,
        **options(region),
    )
    Tags.of(app).add("project", "data-warehouse")
    Tags.of(app).add("environment", environment.name)


def main() -> None:
    """Write the templates of the environments that are asked for."""
    try:
        project = read_project(REPOSITORY)
        if "CDK_OUTDIR" in os.environ:
            context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
            environment = _named(context.get("environment", "(none: -c environment=...)"))
            if context.get("failover") == "true":
                environment = environment.failed_over(context.get("snapshot"))
            app = make_app(environment, None)
            add_stacks(app, environment, project)
            app.synth()
            return
        for environment in map(_named, sys.argv[1:] or ENVIRONMENTS):
            app = make_app(environment, OUTPUT / environment.name)
            add_stacks(app, environment, project)
            app.synth()
            sys.stdout.write(f"{environment.name}: output/cdk/{environment.name}\n")
    except InfraError as error:
        sys.exit(f"synth: {error}")


def _named(name: str) -> Environment:
    if name not in ENVIRONMENTS:
        known = ", ".join(ENVIRONMENTS)
        raise InfraError(f"environment {name} is not in infra/config.py: known are {known}")
    return ENVIRONMENTS[name]


if __name__ == "__main__":
    main()
