"""Each branch of each model is proved: without it, a unit test fails."""

from pathlib import Path

import pytest
import sqlglot
from dbt.contracts.graph.manifest import Manifest

from watershed_mutation import macros
from watershed_mutation.branches import DIALECT, branches, without
from watershed_mutation.survey import read_exceptions, survey
from watershed_mutation.unit_tests import UnitTest, UnitTestsError, collect, schema_copy

pytestmark = pytest.mark.model


GIVEN = (("given", "select * from (values (1), (2), (null)) as v(a)"),)


def small(query: str, expected: str, name: str = "m.t") -> UnitTest:
    """A unit test of a model on three numbers, one of them null."""
    return UnitTest(
        name=name,
        model=name.partition(".")[0],
        fixtures=GIVEN,
        query=sqlglot.parse_one(query, dialect=DIALECT),
        expected=expected,
    )


def survivors(*tests: UnitTest) -> list[str]:
    return [branch for _, branch, _ in survey(tests, {}).survivors]


def test_each_branch_of_staging_is_proved_or_excepted_with_a_reason(
    built_warehouse: Path, manifest: Manifest, project: Path, tmp_path: Path
) -> None:
    """`make mutate` asks the same of all models."""
    empty = schema_copy(built_warehouse, tmp_path)
    tests = collect(project, empty, tmp_path / "target", ("staging",), manifest)
    assert {test.model for test in tests} == {
        test.model for test in manifest.unit_tests.values() if test.fqn[1] == "staging"
    }
    found = survey(tests, read_exceptions(project / "unproved_branches.yml"))
    assert found.branches > len(tests)
    assert not found.survivors, "\n".join(map(str, found.survivors))
    assert not found.stale, "\n".join(map(str, found.stale))


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        (
            "select case when a = 1 then 'x' when a > 1 then 'y' else 'z' end as b from t",
            ["when 1: a = 1 then 'x'", "when 2: a > 1 then 'y'", "else: 'z'"],
        ),
        (
            "select case when a = 1 then a end as b from t",
            ["when 1: a = 1 then a", "no else: a = 1"],
        ),
        ("select a from t where a > 1 and a < 5", ["and: a > 1", "and: a < 5"]),
        ("select a from t where a > 1", ["where: a > 1"]),
        ("select a from t left join u on t.b = u.b", ["left join u becomes inner"]),
        ("select a from t inner join u on t.b = u.b", []),
        (
            "select row_number() over (partition by a order by b, c) as n from t",
            [f"ROW_NUMBER() {part}" for part in ("partition by: a", "order by: b", "order by: c")],
        ),
        ("select coalesce(a, b) as c from t", ["coalesce argument 1: a", "coalesce argument 2: b"]),
        ("select nullif(a, '') as b from t", ["nullif: ''"]),
        ("select distinct a from t", ["distinct"]),
        ("select count(*) filter (where a) as n from t", ["filter: a"]),
        ("select a from t group by a having count(*) > 1", ["having: COUNT(*) > 1"]),
    ],
)
def test_what_can_be_taken_out_of_a_query(query: str, texts: list[str]) -> None:
    tree = sqlglot.parse_one(f"select * from ({query}) as q", dialect=DIALECT)
    before = tree.sql(DIALECT)
    found = branches(tree)
    assert [branch.text for branch in found] == texts
    assert len({without(tree, branch) for branch in found} - {before}) == len(texts)
    assert tree.sql(DIALECT) == before


def test_a_branch_that_the_given_rows_never_reach_is_named() -> None:
    test = small("select a from given where a > 1 and a < 5", "select 2")
    assert survivors(test) == ["query: and: a < 5"]


def test_a_branch_is_proved_when_any_test_of_its_model_fails() -> None:
    low = small("select a from given where a > 1 and a < 5", "select 2", "m.low")
    high = UnitTest(
        name="m.high",
        model="m",
        fixtures=(("given", "select 7 as a"),),
        query=low.query,
        expected="select 1 where false",
    )
    assert survivors(low) == survivors(low, small("select 1", "select 1", "other.t"))
    assert survivors(low, high) == []


def test_what_a_macro_writes_into_many_models_is_proved_once() -> None:
    """Also where it was given something else; what a model writes around it is the model's own."""
    mapping = "/*<name_of*/case {} when 1 then 'one' when 2 then 'more' end/*>name_of*/"
    query = f"select coalesce({mapping.format('a')}, 'none') as b from given"
    told = "select * from (values ('one'), ('more'), ('none')) as v(b)"
    both = f"select {mapping.format('-a')} as b from (select -a as a from given where a = 1)"
    proves = UnitTest("m.t", "m", GIVEN, macros.parse(f"select * from ({query})"), told)
    other = UnitTest("n.t", "n", GIVEN, macros.parse(f"select * from ({both})"), "select 'one'")
    assert survivors(proves, other) == []
    assert survivors(other) == ["when 2 in case 1"]
    assert ("macro name_of", "when 2 in case 1", "when 2: 2 then 'more'") in survey(
        [other], {}
    ).survivors


def test_a_macro_that_writes_whole_queries_leaves_no_trace() -> None:
    tree = macros.parse(
        "with /*<passes*/p as (select 1 as a where true)/*>passes*/ select a from p"
    )
    assert [(branch.place, branch.text) for branch in branches(tree)] == [("p", "where: TRUE")]


def test_an_exception_is_counted_and_told_when_it_is_no_longer_one() -> None:
    test = small("select a from given where a > 1 and a < 5", "select 2")
    listed = {("m", "query: and: a < 5"): "why", ("m", "query: gone"): "why", ("n", "x"): "why"}
    found = survey([test], listed)
    assert (found.survivors, found.excepted, found.stale) == ((), 1, (("m", "query: gone"),))


def test_a_test_that_does_not_pass_as_it_is_proves_nothing() -> None:
    with pytest.raises(UnitTestsError, match="passes in dbt and fails here"):
        survey([small("select a from given", "select 9")], {})


def test_without_a_warehouse_it_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UnitTestsError, match="make demo"):
        schema_copy(tmp_path / "none.duckdb", tmp_path)
