"""Which branches could be taken out of which models without a unit test that fails."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import yaml

from watershed_mutation.branches import DIALECT, mutants
from watershed_mutation.unit_tests import UnitTestsError, given, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from watershed_mutation.unit_tests import UnitTest

Exceptions = dict[tuple[str, str], str]
"""Why a branch of a model, by its name, needs no unit test."""


@dataclass(frozen=True)
class Survey:
    """What a mutation run found.

    Attributes:
        branches: How many branches were taken out.
        survivors: Model and branch of each that no test misses and nobody excepts.
        excepted: How many are listed with a reason.
        stale: Exceptions for branches that a test proves, or that are gone.
    """

    branches: int
    survivors: tuple[tuple[str, str], ...]
    excepted: int
    stale: tuple[tuple[str, str], ...]


def read_exceptions(file: Path) -> Exceptions:
    """Read the branches that need no unit test: model, then branch, then the reason."""
    listed: Mapping[str, Mapping[str, str]] = yaml.safe_load(file.read_text()) or {}
    return {
        (model, branch): reason
        for model, branches in listed.items()
        for branch, reason in branches.items()
    }


def survey(tests: Iterable[UnitTest], exceptions: Exceptions) -> Survey:
    """Take out each branch of the tested models, and run their tests.

    A branch is proved when one test of the model fails without it. What a macro writes into many
    models is one branch: it is proved when a test of any of them fails.

    Raises:
        UnitTestsError: a test does not pass here though it does in dbt.
    """
    proved: dict[tuple[str, str], bool] = {}
    owners: dict[str, list[tuple[str, str]]] = defaultdict(list)
    models: set[str] = set()
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for test in tests:
            models.add(test.model)
            for name, shared_as, is_killed in _outcomes(connection, test, proved):
                branch = (test.model, name)
                if branch not in proved and shared_as:
                    owners[shared_as].append(branch)
                proved[branch] = proved.get(branch, False) or is_killed
    for same in owners.values():
        if any(proved[branch] for branch in same):
            proved.update(dict.fromkeys(same, True))
    unproved = {branch for branch, is_proved in proved.items() if not is_proved}
    return Survey(
        branches=len(proved),
        survivors=tuple(sorted(unproved - exceptions.keys())),
        excepted=len(unproved & exceptions.keys()),
        stale=tuple(sorted(b for b in exceptions.keys() - unproved if b[0] in models)),
    )


def _outcomes(
    connection: duckdb.DuckDBPyConnection,
    test: UnitTest,
    proved: Mapping[tuple[str, str], bool],
) -> Sequence[tuple[str, str | None, bool]]:
    """Return name, shared name and fate of each mutant that was not killed before."""
    outcomes = []
    with given(connection, test):
        expected = rows_of(connection, test.expected)
        if rows_of(connection, test.query.sql(DIALECT)) != expected:
            raise UnitTestsError(f"{test.name} passes in dbt and fails here")
        for mutant in mutants(test.query):
            if proved.get((test.model, mutant.name)):
                continue
            try:
                is_killed = rows_of(connection, mutant.tree.sql(DIALECT)) != expected
            except duckdb.Error:
                is_killed = True
            outcomes.append((mutant.name, mutant.shared_as, is_killed))
    return outcomes
