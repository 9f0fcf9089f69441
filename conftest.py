"""Hands each test worker whole groups of tests, so that what they share is made once."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
LONGEST_FIRST = [ROOT / part for part in ("tests/company", "transform", "infra", "orchestrate")]
"""Else the last worker would be busy long after the others; each other file is a group too."""


@pytest.hookimpl(tryfirst=True)  # before xdist writes the groups into the tests' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests, and put the longest groups first."""
    places = {}
    for item in items:
        known = (path for path in LONGEST_FIRST if item.path.is_relative_to(path))
        group = next(known, item.path)
        places[item] = LONGEST_FIRST.index(group) if group in LONGEST_FIRST else len(LONGEST_FIRST)
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(ROOT))))
    items.sort(key=lambda item: places[item])
