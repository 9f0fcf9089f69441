#!/usr/bin/env bash
# Runs one program of the pipeline in the image: `entrypoint.sh watershed load shop --loader target-redshift`.
set -euo pipefail
cd "$(dirname "$0")/../.."
for folder in output .meltano transform/target; do
    if [[ ! -w $folder ]]; then
        echo "entrypoint: $PWD/$folder cannot be written: mount a volume that user $(id -u) owns there" >&2
        exit 1
    fi
done
if [[ $# -eq 0 || ! -x .venv/bin/${1:-} ]]; then
    echo "entrypoint: '${1:-}' is no program of the pipeline: name one of .venv/bin, such as watershed or meltano" >&2
    exit 2
fi
program=$PWD/.venv/bin/$1
shift
# All else is read-only: caches, logs and bytecode may go nowhere but here.
export HOME=$PWD/output XDG_STATE_HOME=$PWD/output/logs XDG_CACHE_HOME=$PWD/output/cache
export DBT_LOG_PATH=$PWD/output/logs PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# In this shell's place, so that a signal reaches the program.
exec "$program" "$@"
