"""The pages about AWS say what is so."""

import re

import pytest

from infra import costs
from infra.config import ENVIRONMENTS
from infra.tests.emulation import LEFT_OUT
from infra.tests.planted_constructs import FAULTS
from infra.tests.planted_faults import LINT_FAULTS, MUTATIONS


def rows(page, letters):
    return set(re.findall(rf"\b([{letters}]-\d)\b", page))


def test_the_way_from_a_requirement_to_its_construct_is_one_step(repository_file, prod):
    """Each N, D, I, S, M and X has a row that names a file and a construct that are there."""
    page = repository_file("docs/aws.md")
    found = re.findall(
        r"^\| ([NDISMX]-\d) \|.*?`(infra/[\w/.]+)`.*?`(\w+Stack/[\w/-]+)`", page, re.MULTILINE
    )
    wanted = {
        *(f"N-{n}" for n in (1, 2, 3)),
        *(f"D-{n}" for n in (1, 2, 3)),
        *(f"I-{n}" for n in (1, 2, 3, 4)),
        *(f"S-{n}" for n in (1, 2, 3, 4, 5)),
        *(f"M-{n}" for n in (1, 2, 3, 4, 5)),
        *(f"X-{n}" for n in (1, 2, 3)),
    }
    assert {number for number, _, _ in found} == wanted
    paths = [resource.path for resource in prod.all()]
    for number, file, construct in found:
        assert repository_file(file), number
        assert any(path.startswith(construct) for path in paths), f"{number}: {construct}"


def test_every_requirement_has_a_test_that_names_it(repository_file):
    page = repository_file("docs/aws.md")
    tests = "".join(
        repository_file(f"infra/tests/{name}.py")
        for name in (
            "test_requirements_network_and_storage",
            "test_requirements_integration",
            "test_requirements_security_and_operations",
        )
    )
    docstrings = " ".join(re.findall(r'"""(.*?)"""', tests, re.DOTALL))
    assert rows(page, "NDISMX") <= rows(docstrings, "NDISMX")


def test_the_figures_of_what_is_proved_are_so(repository_file, prod):
    page = repository_file("docs/aws.md")
    ours, theirs, lint = len(MUTATIONS), len(FAULTS), len(LINT_FAULTS)
    assert (
        f"{ours + theirs + lint} planted faults ({ours} for our checks, {theirs} for cdk-nag, "
        f"{lint} for cfn-lint)" in page
    )
    everything = prod.all()
    taken = [resource for resource in everything if resource.type not in LEFT_OUT]
    types = [len({resource.type for resource in some}) for some in (taken, everything)]
    assert (
        f"{len(taken)} of prod's {len(everything)} resources, of {types[0]} of its {types[1]} types"
        in page
    )


def test_the_cost_page_is_reckoned_from_the_configuration(repository_file):
    assert costs.page() in repository_file("docs/aws-costs.md")


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_budget_covers_what_is_reckoned(environment):
    assert sum(usd for _, _, usd in costs.monthly(environment)) < environment.monthly_budget_usd


def test_the_recovery_plan_names_what_is_there(repository_file, prod, failover):
    """X-1: its commands name stacks, buckets and switches that the templates have."""
    plan = repository_file("docs/runbooks/disaster-recovery.md")
    for stack in re.findall(r"\b\w+Stack\b", plan):
        assert stack in {*prod.by_stack, *failover.by_stack}
    for bucket in re.findall(r"s3://(company-[a-z-]+)-ACCOUNT", plan):
        names = [
            b.properties["BucketName"]
            for b in (*prod.all("AWS::S3::Bucket"), *failover.all("AWS::S3::Bucket"))
        ]
        assert any(re.fullmatch(rf"{bucket}-\d{{12}}-us-\w+-\d", name) for name in names), bucket
    assert "-c failover=true -c snapshot=" in plan
