#!/usr/bin/env bash
# Lets one deterministic day pass at the sample company, starting its servers if they are down.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements/setup.sh pipeline
demo/install.sh
.venv/bin/watershed-demo up
.venv/bin/watershed-demo day
