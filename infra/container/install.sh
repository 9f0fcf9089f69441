#!/usr/bin/env bash
# Puts the pipeline into a folder, from this repository and the hashed locks: the image's install step.
# Usage: infra/container/install.sh TARGET
set -euo pipefail
if [[ $# -ne 1 || -e ${1:-}/meltano.yml ]]; then
    echo "install: usage: infra/container/install.sh TARGET, a folder that holds no pipeline" >&2
    exit 2
fi
target=$1
cd "$(dirname "$0")/../.."
mkdir -p "$target"
tar --create --exclude='*/tests' --exclude=__pycache__ --exclude='*.egg-info' --exclude=transform/target \
    --exclude=transform/logs --exclude=transform/.user.yml \
    meltano.yml environments extract load orchestrate packages transform requirements infra/container \
    | tar --extract --directory "$target"
"$target/requirements/setup.sh" pipeline
mkdir -p "$target/output" "$target/.meltano" "$target/transform/target"
