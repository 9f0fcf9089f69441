#!/usr/bin/env bash
# Recompiles every lock, those of bench/ too, from its .in file: names, versions and hashes for Python 3.11 to 3.13, no download address.
set -euo pipefail
cd "$(dirname "$0")"
for source in *.in ../bench/requirements/*.in; do
    instead=()
    if [[ -f ${source%.in}.overrides ]]; then instead=(--overrides "${source%.in}.overrides"); fi
    ../.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --custom-compile-command 'requirements/lock.sh' \
        "${instead[@]}" "$@" "$source" --output-file "${source%.in}.lock"
done
