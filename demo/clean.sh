#!/usr/bin/env bash
# Stops the sample company's servers, then deletes what was generated and installed.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -x .venv/bin/watershed-demo ]]; then .venv/bin/watershed-demo down; fi
if [[ -d output/redshift ]]; then make --no-print-directory redshift-down; fi
rm -rf output .meltano plugins .venv .venv-documents .venv-infra .env transform/target
