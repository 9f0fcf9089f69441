"""Hands each test worker whole groups of tests, so that what they share is made once."""

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = ["tests/company", "transform", "infra", "orchestrate"]
"""Folders that are a group, in the order of their seconds: else the last worker would be busy long
after the others. Each other file is a group too."""


def group_of(test: str) -> str:
    """Tell the group of a test by its id, ``<file>::<name>``."""
    file = test.partition("::")[0]
    return next((folder for folder in LONGEST_FIRST if file.startswith(f"{folder}/")), file)


class WholeGroups(LoadScopeScheduling):
    """Gives a worker one group at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> WholeGroups:
    """Schedule so."""
    return WholeGroups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest groups first."""
    places = {group: place for place, group in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(group_of(item.nodeid), len(places)))
