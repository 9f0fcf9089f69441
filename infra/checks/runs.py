"""How a run goes, and how it may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.checks.registry import check
from infra.templates import definition, states, task_states, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.templates import Templates

STOP_SECONDS = (30, 120)


@check
def containers_are_confined(templates: Templates) -> Iterator[str]:
    for task in templates.all("AWS::ECS::TaskDefinition"):
        for container in task.properties["ContainerDefinitions"]:
            first, last = STOP_SECONDS
            for is_wrong, line in (
                (container.get("ReadonlyRootFilesystem") is not True, "writes where it likes"),
                (container.get("User", "0").split(":")[0] in ("0", "root"), "runs as root"),
                (container.get("Privileged"), "is privileged"),
                (
                    not first <= container.get("StopTimeout", 0) <= last,
                    "has no time to end at a commit",
                ),
                (
                    not container.get("LinuxParameters", {}).get("InitProcessEnabled"),
                    "does not get SIGTERM",
                ),
                (text(container["Image"]).endswith(":latest"), "runs whatever is newest"),
            ):
                if is_wrong:
                    yield f"{task.path} {line}"


@check
def every_task_is_retried_limited_and_caught(templates: Templates) -> Iterator[str]:
    for name, state in task_states(templates):
        retries = state.get("Retry", [])
        if not any(retry.get("MaxAttempts", 3) for retry in retries):
            yield f"state {name} is not tried again"
        if any(retry.get("BackoffRate", 2) < 2 for retry in retries if retry.get("MaxAttempts", 3)):  # noqa: PLR2004
            yield f"state {name} is tried again without back-off"
        if not state.get("TimeoutSeconds"):
            yield f"state {name} has no time limit"
        caught = [error for catch in state.get("Catch", []) for error in catch["ErrorEquals"]]
        if "States.ALL" not in caught:
            yield f"the failure of state {name} is not caught"


@check
def failures_are_told(templates: Templates) -> Iterator[str]:
    """No way from the start leads to a Fail state past every state that publishes."""
    for machine in templates.all("AWS::StepFunctions::StateMachine"):
        found = states(machine)
        before, seen = [definition(machine)["StartAt"]], set()
        while before:
            name = before.pop()
            state = found[name]
            if name in seen or "sns:publish" in str(state.get("Resource")):
                continue
            seen.add(name)
            if state["Type"] == "Fail":
                yield f"state {name} is reached without telling anybody"
            before += [state[key] for key in ("Next", "Default") if key in state]
            before += [way["Next"] for key in ("Catch", "Choices") for way in state.get(key, ())]


@check
def runs_are_logged_and_limited(templates: Templates) -> Iterator[str]:
    for machine in templates.all("AWS::StepFunctions::StateMachine"):
        if machine.properties.get("LoggingConfiguration", {}).get("Level") != "ALL":
            yield f"{machine.path} is not logged"
        if (
            "TimeoutSeconds"
            not in text(machine.properties["DefinitionString"]).split('"States"')[-1]
        ):
            yield f"{machine.path} has no time limit"
