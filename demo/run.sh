#!/usr/bin/env bash
# Runs the sample company through the whole pipeline and says what came of it. Again: only what changed.
set -euo pipefail
cd "$(dirname "$0")/.."

times=()
step() {
    local name=$1 began=$EPOCHREALTIME
    shift
    printf '\n== %s\n' "$name"
    "$@"
    times+=("$(awk -v a="$began" -v b="$EPOCHREALTIME" -v n="$name" 'BEGIN {printf "  %-38s %6.1f s", n, b - a}')")
}
pipeline() {
    .venv/bin/watershed run all 2>&1
}
questions() {
    .venv/bin/watershed status
    echo
    echo 'Revenue by month, from the published warehouse:'
    .venv/bin/watershed query --file demo/revenue_by_month.sql
}

step 'Install' requirements/setup.sh pipeline
step 'Sample company' demo/install.sh
step 'Start and fill the sources' .venv/bin/watershed-demo up
step 'Extract, load, prove, build, test, publish' pipeline
step 'Ask' questions

printf '\nTook\n'
printf '%s\n' "${times[@]}"
cat <<'TEXT'

Where to look
  output/docs/index.html      the models, documented: open it in a browser
  output/published.duckdb     what readers see: .venv/bin/watershed query "select …"
  output/logs/runs/           all that each run said
  make demo-day, make demo    a day passes at the company; only what changed moves
TEXT
