#!/usr/bin/env bash
# Installs what the tests need and runs them, two at a time.
# Usage: tests/run.sh [extract|load|redshift|model|trust|demo|aws]
set -euo pipefail
cd "$(dirname "$0")/.."
requirements/setup.sh dev
demo/install.sh
tests/install.sh
requirements/infra.sh
unset PYTHONDONTWRITEBYTECODE # hundreds of processes import the same: let it be compiled once
selected=()
if [[ -n ${1:-} ]]; then selected=(-m "$1"); fi
exec .venv/bin/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder --quiet "${selected[@]}"
