"""Our target for Redshift, with a clock: ``timed_redshift.py SECONDS.json --config CONFIG``.

What takes time is told apart by who does it: the seconds of COPY, of S3, of statements by their
kind, and as ``planning`` what is left of the commits: reading and judging rows, writing files.
"""

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watershed_load_plan import LoadPlan
from watershed_redshift import RedshiftConnection
from watershed_target_redshift.staging import Staging
from watershed_target_redshift.target import main

KINDS = {
    "copy": "^copy ",
    "commit": "^(begin|commit|rollback|lock|set|select 1|(insert into|delete from) ops)",
    "rows": "^(insert|delete|update|create temp table watershed_changed|select count|analyze)",
}
"""What a statement does, by its beginning; all others make, alter and read the catalog (DDL)."""
SECONDS: dict[str, float] = defaultdict(float)
COPIES: list[str] = []


def timed(owner: type, method: str, kind_of: Callable[[Any], str]) -> None:
    """Let a method's time count for what its first argument says."""
    original = getattr(owner, method)

    def run(self: object, *arguments: Any) -> Any:  # noqa: ANN401  # whatever the method has
        began = time.monotonic()
        try:
            return original(self, *arguments)
        finally:
            SECONDS[kind_of(arguments[0] if arguments else None)] += time.monotonic() - began

    setattr(owner, method, run)


def kind_of_statement(sql: str) -> str:
    """Tell what a statement does."""
    kind = next((kind for kind, begins in KINDS.items() if re.match(begins, sql)), "ddl")
    if kind == "copy":
        COPIES.append(sql)
    return kind


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    timed(RedshiftConnection, "_run", kind_of_statement)
    timed(Staging, "upload", lambda _: "upload")
    timed(Staging, "remove", lambda _: "upload")
    timed(LoadPlan, "commit", lambda _: "all")
    timed(LoadPlan, "close", lambda _: "all")
    try:
        main()
    finally:
        whole = SECONDS.pop("all", 0.0)
        SECONDS["planning"] = whole - sum(SECONDS.values())
        file.write_text(json.dumps({"copies": len(COPIES), "seconds": SECONDS}))
