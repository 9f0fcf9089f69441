"""What must be true of every template: each check names the resources for which it is not.

These see what cdk-nag and cfn-lint do not: who reaches whom, which key, how a run may fail.
"""

from infra.checks import access, network, operations, runs, stores
from infra.checks.registry import CHECKS

__all__ = ["CHECKS", "access", "network", "operations", "runs", "stores"]
