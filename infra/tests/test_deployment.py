"""The templates deployed into an emulator, and the workflow run there: I-3 in motion."""

import json
from pathlib import Path

import pytest

from infra.tests.conftest import NOT_AWS, TOOLS, shared_folder
from infra.tests.emulation import LEFT_OUT, ORDER
from infra.tests.scenarios import LAST_WORDS, LOADS, MACHINE, emulate


@pytest.fixture(scope="session")
def record(synthesized, tmp_path_factory):
    """What happened; made once for all workers."""

    def make(folder):
        emulate(TOOLS, synthesized / "prod", folder, NOT_AWS)

    folder = shared_folder(tmp_path_factory, "emulated", make)
    return json.loads(Path(folder, "record.json").read_text())


def test_every_stack_is_created_in_order(record):
    assert {stack: found["status"] for stack, found in record["stacks"].items()} == {
        stack: "CREATE_COMPLETE" for stack, _ in ORDER
    }
    created = sum(found["created"] for found in record["stacks"].values())
    assert created >= 200


def test_nothing_is_left_out_but_what_the_emulator_cannot_take(record):
    left_out = {type_ for found in record["stacks"].values() for type_ in found["left_out"]}
    assert left_out == LEFT_OUT


def test_the_smoke_test_for_an_account_finds_what_is_left_out_and_nothing_else(record):
    smoke = record["smoke"]
    assert (smoke["code"], smoke["error"]) == (1, "")
    assert [line[:32] for line in smoke["lines"]] == ["the cluster cannot be described:"]


def test_schedules_start_the_workflow_with_their_job(record, project):
    for schedule in project.schedules:
        target = record["schedules"][f"data-warehouse-{schedule.name}"]
        assert target["Arn"] == MACHINE
        assert json.loads(target["Input"]) == {"job": schedule.job}


def test_a_run_that_meets_no_failure_runs_each_task_once_and_tells_nobody(record, project):
    run = record["success"]
    assert run["status"] == "SUCCEEDED"
    loads = [f"extract-data-from-{source.name}" for source in project.sources]
    later = ["transform-and-publish"] * 3  # reconcile, build, publish
    assert sorted(run["tasks"]) == sorted([*loads, *later])
    assert run["tasks"][-3:] == later
    assert [name for name in run["entered"] if "crawler" in name] == [
        "all: source_db_crawler",
        "all: transformed_data_crawler",
    ]
    assert run["entered"][-2:] == ["all: let go", "all: done"]
    assert run["told"] == []


def test_a_source_that_fails_once_is_tried_again_and_the_run_succeeds(record):
    run = record["retry"]
    assert run["status"] == "SUCCEEDED"
    assert run["failures"] >= 1
    assert "extract-data-from-shop-late" in run["tasks"]
    assert run["told"] == []


def test_a_source_that_stays_down_fails_the_run_after_three_attempts_and_people_read_why(record):
    run = record["failure"]
    assert (run["status"], run["failures"]) == ("FAILED", 3)
    assert run["told"] == [f"job all: shop: {' '.join(LAST_WORDS.split())}"]
    assert run["cause"] == run["told"][0]
    assert "all: watershed build" not in run["entered"]
    assert "Let go after the failure" in run["entered"]


def test_a_red_build_is_told_and_nothing_is_published(record):
    run = record["red"]
    assert (run["status"], run["failures"]) == ("FAILED", 2)
    assert len(run["told"]) == 1
    assert "all: watershed publish" not in run["entered"]


def test_a_job_that_is_none_is_told(record):
    assert record["unknown"]["status"] == "FAILED"
    assert record["unknown"]["told"] == ["job nothing: UnknownJob: no job nothing in orchestrate/"]


def test_a_second_run_ends_at_once_while_the_first_goes_on(record):
    second = record["second"]
    assert second["status"] == "SUCCEEDED"
    assert second["entered"][-1] == "Another run is in progress"
    assert not set(LOADS) & set(second["entered"])


def test_the_lease_of_a_run_that_was_killed_is_taken_over(record):
    third = record["third"]
    assert third["status"] == "SUCCEEDED"
    assert "Take the lease over" in third["entered"]
    assert third["entered"][-1] == "all: done"


def test_a_run_starts_by_hand_and_by_event_and_not_for_a_job_that_is_none(record):
    """I-2."""
    assert record["by_hand"] is True
    assert record["by_event"].startswith(MACHINE.replace("stateMachine", "execution"))
    assert "known are" in record["refused"]["errorMessage"]
