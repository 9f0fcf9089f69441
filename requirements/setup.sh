#!/usr/bin/env bash
# Creates .venv from the hashed locks and installs this repository's packages into it.
# Usage: requirements/setup.sh [pipeline|dev]. Doing it again costs nothing while nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=requirements/${1:-pipeline}.lock
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
    echo "setup: $("$python" --version 2>&1) found; Watershed needs Python 3.11 to 3.13: set PYTHON=/path/to/python" >&2
    exit 1
}
packages=(packages/*/ extract/*/ load/*/ orchestrate/watershed/ demo/)
projects=()
for folder in "${packages[@]}"; do
    if [[ -f $folder/pyproject.toml ]]; then projects+=("$folder"); fi
done
wanted=$({ "$python" -c 'import sys; print(sys.version)'; pwd; cat "$lock"; for p in "${projects[@]}"; do cat "$p/pyproject.toml"; done; } | sha256sum | cut -d' ' -f1)
stamp=.venv/.watershed-${1:-pipeline}
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then exit 0; fi

if [[ ! -x .venv/bin/python ]]; then "$python" -m venv .venv; fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
editable=()
for folder in "${projects[@]}"; do editable+=(-e "./$folder"); done
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation "${editable[@]}"
echo "$wanted" >"$stamp"
