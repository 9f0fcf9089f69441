"""Every check passes on what would be deployed, and none of them sleeps through a fault."""

import json
import subprocess
from pathlib import Path

import pytest

from infra.checks import CHECKS
from infra.nag_acknowledgements import unacknowledged, unused
from infra.templates import Templates, states
from infra.tests.planted_constructs import FAULTS
from infra.tests.planted_faults import LINT_FAULTS, MUTATIONS, set_state

REPOSITORY = Path(__file__).parents[2]
CFN_LINT = REPOSITORY / ".venv-infra" / "bin" / "cfn-lint"


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("environment", ["prod", "dev", "failover"])
def test_check(environment, name, synthesized):
    assert CHECKS[name](Templates.read(synthesized / environment)) == []


def test_cdk_nag_finds_nothing_that_is_not_acknowledged_with_its_reason(findings):
    for environment in ("prod", "dev"):
        assert findings[environment], "cdk-nag looked at nothing"
        assert unacknowledged(findings[environment]) == []


def test_every_acknowledgement_has_its_finding(findings):
    assert unused(findings["prod"] + findings["dev"]) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0])
def test_cdk_nag_finds_a_planted_fault(fault, findings):
    _, path, _, _, rule = fault
    assert (rule, path) in findings["planted"]
    assert (rule, path) not in findings["prod"]


def lint(paths):
    """Run cfn-lint and return its findings: pairs of file and rule."""
    done = subprocess.run(
        [
            CFN_LINT,
            "--format",
            "json",
            "--ignore-checks",
            REDUNDANT,
            *(["--template"] if paths else []),
            *paths,
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert not done.stderr, done.stderr
    return {
        (Path(found["Filename"]).parent.name, found["Rule"]["Id"], found["Message"])
        for found in json.loads(done.stdout)
    }


REDUNDANT = "W3005"
"""The CDK states dependencies that references imply already."""


def test_cfn_lint_finds_nothing_and_all_planted_faults(synthesized, tmp_path):
    """One run of it, which costs more than its templates."""
    paths = [
        path for name in ("prod", "dev") for path in (synthesized / name).glob("*.template.json")
    ]
    for number, (_, stack, type_, change, _) in enumerate(LINT_FAULTS):
        template = json.loads((synthesized / "prod" / f"{stack}.template.json").read_text())
        change(next(r["Properties"] for r in template["Resources"].values() if r["Type"] == type_))
        planted = tmp_path / f"planted-{number}" / f"{stack}.template.json"
        planted.parent.mkdir()
        planted.write_text(json.dumps(template))
        paths.append(planted)
    found = lint(paths)
    assert [line for line in found if not line[0].startswith("planted")] == []
    for number, (name, _, _, _, rule) in enumerate(LINT_FAULTS):
        assert rule in {r for folder, r, _ in found if folder == f"planted-{number}"}, name


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation[0])
def test_a_planted_fault_is_found_by_its_check(mutation, prod):
    _, mutate, name = mutation
    mutate(prod)
    assert CHECKS[name](prod)


def test_no_check_is_without_a_planted_fault():
    assert {name for _, _, name in MUTATIONS} == set(CHECKS)


def test_a_mutated_workflow_is_still_read_whole(prod):
    """So that a check that finds nothing there looked at all of it."""
    before = set(states(prod.one("AWS::StepFunctions::StateMachine")))
    set_state("all: watershed build", Catch=[])(prod)
    assert set(states(prod.one("AWS::StepFunctions::StateMachine"))) == before
