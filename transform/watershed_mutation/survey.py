"""Which branches could be taken out of which models without a unit test that fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import yaml

from watershed_mutation.branches import DIALECT, branches, without
from watershed_mutation.unit_tests import UnitTestsError, given, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from watershed_mutation.branches import Branch
    from watershed_mutation.unit_tests import Rows, UnitTest

Exceptions = dict[tuple[str, str], str]
"""Why a branch, by its model (or macro) and its name there, needs no unit test."""


@dataclass(frozen=True)
class Survey:
    """What a mutation run found.

    Attributes:
        branches: How many branches were taken out.
        survivors: Model (or macro), name and text of each that no test misses and nobody excepts.
        excepted: How many are listed with a reason.
        stale: Exceptions for branches that a test proves, or that are gone.
    """

    branches: int
    survivors: tuple[tuple[str, str, str], ...]
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
    texts: dict[tuple[str, str], str] = {}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for test in tests:
            with given(connection, test):
                expected = rows_of(connection, test.expected)
                original = test.query.sql(DIALECT)
                if rows_of(connection, original) != expected:
                    raise UnitTestsError(f"{test.name} passes in dbt and fails here")
                for branch in branches(test.query):
                    known = _identity(test, branch)
                    if proved.get(known) or (sql := without(test.query, branch)) == original:
                        continue
                    texts.setdefault(known, branch.text)
                    proved[known] = _fails(connection, sql, expected)
    unproved = {branch for branch, is_proved in proved.items() if not is_proved}
    owners = {owner for owner, _ in proved}
    return Survey(
        branches=len(proved),
        survivors=tuple((*b, texts[b]) for b in sorted(unproved - exceptions.keys())),
        excepted=len(unproved & exceptions.keys()),
        stale=tuple(sorted(b for b in exceptions.keys() - unproved if b[0] in owners)),
    )


def _identity(test: UnitTest, branch: Branch) -> tuple[str, str]:
    """Name a branch among those of all models: who owns it, and what it is called there."""
    if branch.is_of_macro:
        return branch.place, branch.name
    return test.model, f"{branch.place}: {branch.name}"


def _fails(connection: duckdb.DuckDBPyConnection, sql: str, expected: Rows) -> bool:
    try:
        return rows_of(connection, sql) != expected
    except duckdb.Error:
        return True
