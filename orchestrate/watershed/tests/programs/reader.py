"""Open the published file again and again, until standard input ends, and say what was seen.

Prints one JSON object: how often it was opened, and every set of builds that one opening saw.
"""

# ruff: noqa: T201  # it speaks to the test through standard output

import json
import select
import sys

import duckdb

SEEN_SQL = """
    select
        (select list(distinct built_by) from marts.fct_orders),
        (select list(distinct built_by) from marts.dim_customers),
        (select list(distinct built_by) from ops.fct_loads),
        (select build_id from ops.publications order by publication_id desc limit 1)
"""

PAUSE_SECONDS = 0.005
"""So that readers do not take the processors from who publishes."""

opened = 0
seen = []
print("ready", flush=True)
while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        row = list(connection.execute(SEEN_SQL).fetchone())
    opened += 1
    if not seen or seen[-1] != row:
        seen.append(row)
print(json.dumps({"opened": opened, "seen": seen}))
