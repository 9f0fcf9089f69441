"""The page: its words are written by hand, its tables by the tests."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from type_matrix.judged import Row, merged

PAGE = Path(__file__).parents[3] / "docs" / "types.md"
WRITE = "WATERSHED_WRITE_TYPES"
COMMAND = f"{WRITE}=1 .venv/bin/pytest extract/tests/test_type_matrix.py"
_HEAD = (
    "Parquet file | DuckDB | Redshift | in the column's range | outside it | "
    "set aside on Redshift alone"
)


def settle(source: str, rows: Iterable[Row]) -> None:
    """Make sure that the page says this of a source, or write it there if that is asked for."""
    head = f"| {source} | {_HEAD} |\n|{'---|' * 7}\n"
    table = head + "".join(f"{row}\n" for row in merged(rows))
    page = PAGE.read_text()
    begin, end = f"<!-- tests write: {source} -->\n", "<!-- until here -->"
    [(before, written, after)] = re.findall(
        f"(?s)^(.*{re.escape(begin)})(.*?)({end}.*)$", page
    ) or [("", "", "")]
    assert before, f"{PAGE.name} has no place for {source}"
    if os.environ.get(WRITE):
        PAGE.write_text(before + table + after)
    elif written != table:
        pytest.fail(f"docs/{PAGE.name} is not what was seen; write it anew: {COMMAND}\n{table}")
