"""I of the requirements, on parsed values; and that all of it comes from the Meltano project."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from infra.exceptions import InfraError
from infra.project import read_project
from infra.schedule_expression import to_schedule_expression
from infra.templates import definition, states, text

REPOSITORY = Path(__file__).parents[2]


def container(task):
    (found,) = task.properties["ContainerDefinitions"]
    return found


def command(state):
    (override,) = state["Parameters"]["Overrides"]["ContainerOverrides"]
    return override["Command"]


@pytest.fixture
def workflow(prod):
    return states(prod.one("AWS::StepFunctions::StateMachine"))


def test_i_1_each_source_has_a_task_with_its_own_secret_and_role(prod, project):
    """I-1, S-1, S-3."""
    secrets = {
        secret.properties["Name"]: secret.logical_id
        for secret in prod.all("AWS::SecretsManager::Secret")
    }
    roles = set()
    for source in project.sources:
        task = prod.one("AWS::ECS::TaskDefinition", f"Extract-{source.name}/")
        assert task.properties["Family"] == f"extract-data-from-{source.name}"
        given = {secret["Name"]: text(secret["ValueFrom"]) for secret in container(task)["Secrets"]}
        assert set(given) == set(source.credentials)
        own = secrets[f"source_{source.name}/credentials"]
        for variable, reference in given.items():
            assert own in reference
            assert reference.endswith(f":{source.credentials[variable]}::")
        roles |= {text(task.properties[name]) for name in ("TaskRoleArn", "ExecutionRoleArn")}
        policy = prod.one("AWS::IAM::Policy", f"Extract-{source.name}/Definition/ExecutionRole")
        read = [
            text(statement["Resource"])
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if "secretsmanager:GetSecretValue" in statement["Action"]
        ]
        assert len(read) == 1
        assert own in read[0]
    assert len(roles) == 2 * len(project.sources)


def test_i_1_schedules_are_those_of_the_project(prod, project):
    """I-1."""
    found = {
        schedule.properties["Name"]: (
            schedule.properties["ScheduleExpression"],
            json.loads(text(schedule.properties["Target"]["Input"])),
        )
        for schedule in prod.all("AWS::Scheduler::Schedule")
        if "/Schedules/" in schedule.path
    }
    assert found == {
        f"data-warehouse-{schedule.name}": (schedule.expression, {"job": schedule.job})
        for schedule in project.schedules
    }
    assert found["data-warehouse-hourly"] == ("cron(0 * * * ? *)", {"job": "all"})


def test_i_2_functions_are_started_by_events_and_by_the_workflow(prod, workflow):
    """I-2."""
    functions = {f.properties["FunctionName"]: f for f in prod.all("AWS::Lambda::Function")}
    assert {"trigger_etl_jobs", "post_processing_tasks"} <= set(functions)
    rule = prod.one("AWS::Events::Rule", "Functions/Requests")
    trigger = functions["trigger_etl_jobs"].logical_id
    assert text(rule.properties["Targets"][0]["Arn"]) == f"<{trigger}.Arn>"
    assert {name for name in workflow if name.endswith("post_processing_tasks")} == {
        f"{job}: post_processing_tasks" for job in ("all", "build", "el")
    }


def walk(machine, first):
    """Follow the way of a run that meets no failure, through to its end."""
    name, way = first, []
    while name:
        way.append(name)
        state = machine[name]
        name = state["Default"] if state["Type"] == "Choice" else state.get("Next")
    return way


def test_i_3_a_run_loads_each_source_then_does_the_jobs_steps_then_crawls_and_looks(
    workflow, project
):
    """I-3, I-4."""
    (job,) = (job for job in project.jobs if job.name == "all")
    steps = [f"all: {s.task.replace(':', ' ')}" for s in job.steps if not s.sources]
    assert steps[-1] == "all: watershed publish"
    assert walk(workflow, "all: load") == [
        "all: load",
        "all: all sources loaded?",
        "all: source_db_crawler",
        *steps,
        "all: transformed_data_crawler",
        "all: post_processing_tasks",
        "all: let go",
        "all: done",
    ]
    loaded = [branch["StartAt"] for branch in workflow["all: load"]["Branches"]]
    assert loaded == [f"all: extract-data-from-{source.name}" for source in project.sources]
    assert command(workflow["all: extract-data-from-shop"]) == [
        "watershed",
        "load",
        "shop",
        "--loader",
        "target-redshift",
    ]
    assert command(workflow["all: watershed publish"]) == ["meltano", "run", "watershed:publish"]


def test_i_3_loads_are_tried_three_times_with_growing_pauses_and_have_a_limit(workflow):
    """I-3."""
    state = workflow["all: extract-data-from-shop"]
    (retry,) = state["Retry"]
    assert (retry["MaxAttempts"], retry["IntervalSeconds"], retry["BackoffRate"]) == (2, 120, 3)
    assert retry["JitterStrategy"] == "FULL"
    assert state["TimeoutSeconds"] == 4 * 3600
    assert state["Resource"].endswith(":ecs:runTask.sync")


def test_i_3_one_run_at_a_time(prod, workflow):
    """I-3: the first state takes the lease, and every end of a job lets it go."""
    machine = definition(prod.one("AWS::StepFunctions::StateMachine"))
    assert machine["StartAt"] == "Take the lease"
    assert workflow["Take the lease"]["Parameters"]["ConditionExpression"]
    assert workflow["Does it still run?"]["Choices"][0]["Next"] == "Another run is in progress"
    for job in ("all", "build", "el"):
        assert workflow[f"{job}: let go"]["Resource"].endswith("dynamodb:deleteItem")
    assert workflow["Let go after the failure"]["Next"] == "Failed"


def test_i_3_runs_are_logged(prod):
    """I-3."""
    machine = prod.one("AWS::StepFunctions::StateMachine").properties
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_i_4_crawlers_read_staging_and_archive_into_the_catalog(prod):
    """I-4."""
    for name, bucket in (
        ("source_db_crawler", "Staging"),
        ("transformed_data_crawler", "Archival"),
    ):
        crawler = prod.one("AWS::Glue::Crawler", f"/{name}/").properties
        assert crawler["Name"] == name
        assert crawler["DatabaseName"] == "company_data_catalog"
        (target,) = crawler["Targets"]["S3Targets"]
        assert bucket in text(target["Path"])


def copy(root, change):
    """Copy what declares the project, with a change to it."""
    main = yaml.safe_load((REPOSITORY / "meltano.yml").read_text())
    for pattern in ("meltano.yml", *main["include_paths"]):
        for path in REPOSITORY.glob(pattern):
            copied = root / path.relative_to(REPOSITORY)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)
    (root / "extract" / "added.meltano.yml").write_text(yaml.safe_dump(change))
    return read_project(root)


NEW_SOURCE = {
    "plugins": {
        "extractors": [
            {
                "name": "tap-postgres--stock",
                "inherit_from": "tap-postgres",
                "config": {
                    "host": "$STOCK_HOST",
                    "user": "$STOCK_USER",
                    "password": "$STOCK_PASSWORD",
                },
                "annotations": {"watershed": {"time_limit_minutes": 30}},
            }
        ]
    },
    "jobs": [
        {"name": "stock", "tasks": ["tap-postgres--stock target-duckdb", "watershed:reconcile"]}
    ],
    "schedules": [
        {
            "name": "stock",
            "job": "stock",
            "interval": "*/15 * * * *",
            "annotations": {"watershed": {"time_zone": "Europe/Berlin"}},
        }
    ],
}


def test_what_is_added_to_the_meltano_project_is_added_here(tmp_path):
    """I-1: one truth. What the stacks make of it is tested on the sources that there are."""
    found = copy(tmp_path, NEW_SOURCE)
    source = {source.name: source for source in found.sources}["stock"]
    assert source.port == 5432
    assert source.credentials == {
        "STOCK_HOST": "host",
        "STOCK_USER": "username",
        "STOCK_PASSWORD": "password",
    }
    assert source.time_limit.total_seconds() == 1800
    job = {job.name: job for job in found.jobs}["stock"]
    assert [(step.task, [s.name for s in step.sources]) for step in job.steps] == [
        ("tap-postgres--stock target-duckdb", ["stock"]),
        ("watershed:reconcile", []),
    ]
    (all_job,) = (job for job in found.jobs if job.name == "all")
    assert source in all_job.steps[0].sources
    assert ("stock", "cron(0/15 * * * ? *)", "Europe/Berlin") in [
        (schedule.name, schedule.expression, schedule.time_zone) for schedule in found.schedules
    ]


@pytest.mark.parametrize(
    ("interval", "expression"),
    [
        ("30 4 * * *", "cron(30 4 * * ? *)"),
        ("0 6 * * 1-5", "cron(0 6 ? * MON,TUE,WED,THU,FRI *)"),
        ("0 6 * * 5-7", "cron(0 6 ? * FRI,SAT,SUN *)"),
        ("0 6 * * fri-sun", "cron(0 6 ? * FRI,SAT,SUN *)"),
        ("0 0 1 */3 *", "cron(0 0 1 1/3 ? *)"),
        ("@weekly", "cron(0 0 ? * SUN *)"),
    ],
)
def test_cron_becomes_eventbridges_own(interval, expression):
    assert to_schedule_expression("x", interval) == expression


@pytest.mark.parametrize("interval", ["every hour", "0 0 1 * 1", "0 0 * * 9", "* * * *"])
def test_a_schedule_that_eventbridge_cannot_keep_is_refused_in_one_line(interval):
    with pytest.raises(InfraError, match=r"^schedule x: .+$") as caught:
        to_schedule_expression("x", interval)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schedules": [{"name": "x", "job": "none", "interval": "@daily"}]}, "which is no job"),
        (
            {"plugins": {"extractors": [{"name": "tap-z--q", "inherit_from": "tap-z"}]}},
            "which is not declared",
        ),
        ({"jobs": [{"name": "empty", "tasks": []}]}, "has no tasks"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(tmp_path, change, says):
    with pytest.raises(InfraError, match=says):
        copy(tmp_path, change)
