#!/usr/bin/env bash
# Creates .venv-documents, the environment of the document server, from its hashed lock; setup.sh comes first.
# Doing it again costs nothing while nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=requirements/document-server.lock
wanted=$({ pwd; .venv/bin/python -c 'import sys; print(sys.version)'; cat "$lock"; } | sha256sum | cut -d' ' -f1)
stamp=.venv-documents/.watershed
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then exit 0; fi

if [[ ! -x .venv-documents/bin/python ]]; then .venv/bin/python -m venv --without-pip .venv-documents; fi
.venv/bin/uv pip install --quiet --python .venv-documents/bin/python --require-hashes -r "$lock"
echo "$wanted" >"$stamp"
