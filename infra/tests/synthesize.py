"""Makes, in one process, all the templates that the tests look at: `python synthesize.py FOLDER`.

`prod` and `dev` as they would be deployed, judged by cdk-nag; `planted`, prod with the faults of
planted_constructs.py, judged too; `failover`, prod in its second region.
"""

import sys
from pathlib import Path

import aws_cdk
import cdk_nag

from infra.app import REPOSITORY, add_stacks, make_app
from infra.config import ENVIRONMENTS
from infra.project import read_project
from infra.tests.planted_constructs import plant

PACKS = (cdk_nag.AwsSolutionsChecks, cdk_nag.HIPAASecurityChecks)


def synthesize(environment, outdir, *, is_judged=True, is_planted=False):
    """Write an environment's templates and, with them, cdk-nag's report."""
    app = make_app(environment, outdir)
    add_stacks(app, environment, read_project(REPOSITORY))
    if is_planted:
        plant(app)
    if is_judged:
        for pack in PACKS:
            aws_cdk.Validations.of(app).add_plugins(pack(app))
    try:
        app.synth()
    except RuntimeError as error:
        # Findings end a synthesis, after everything is written; the report holds them.
        if "ValidationFailed" not in str(error) or not (outdir / "validation-report.json").exists():
            raise


def main():
    folder = Path(sys.argv[1])
    prod = ENVIRONMENTS["prod"]
    synthesize(prod, folder / "prod")
    synthesize(ENVIRONMENTS["dev"], folder / "dev")
    synthesize(prod, folder / "planted", is_planted=True)
    synthesize(prod.failed_over("prod-2026-11-25"), folder / "failover", is_judged=False)


if __name__ == "__main__":
    main()
