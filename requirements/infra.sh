#!/usr/bin/env bash
# Creates .venv-infra, the environment of the AWS side, from its hashed lock; setup.sh comes first.
# Doing it again costs nothing while nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=requirements/infra.lock
wanted=$({ pwd; .venv/bin/python -c 'import sys; print(sys.version)'; cat "$lock"; } | sha256sum | cut -d' ' -f1)
stamp=.venv-infra/.watershed
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then exit 0; fi

if [[ ! -x .venv-infra/bin/python ]]; then .venv/bin/python -m venv --without-pip .venv-infra; fi
.venv/bin/uv pip install --quiet --python .venv-infra/bin/python --require-hashes -r "$lock"
echo "$wanted" >"$stamp"
