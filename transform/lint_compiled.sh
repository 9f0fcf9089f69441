#!/usr/bin/env bash
# Compiles the models for each engine, of which none is asked, and lints what came of it in that dialect.
set -euo pipefail
cd "$(dirname "$0")"
export DO_NOT_TRACK=1
for engine in duckdb:dev redshift:prod; do
    dialect=${engine%:*} folder=$PWD/../output/compiled/${engine%:*}
    rm -rf "$folder"
    env WATERSHED_REDSHIFT_{HOST,USER,PASSWORD,DATABASE}=none \
        ../.venv/bin/dbt --quiet compile --profiles-dir profiles --target "${engine#*:}" \
        --no-introspect --no-populate-cache --select resource_type:model --target-path "$folder"
    find "$folder/compiled" -path "*/models/*.sql" -not -path "*.yml/*" -print0 \
        | xargs -0 ../.venv/bin/sqlfluff lint \
            --disable-progress-bar --ignore-local-config --config compiled.sqlfluff --dialect "$dialect"
done
