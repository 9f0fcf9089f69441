"""Who watches, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.checks.registry import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.templates import Templates


@check
def the_trail_sees_every_region_and_cannot_be_forged(templates: Templates) -> Iterator[str]:
    for trail in templates.all("AWS::CloudTrail::Trail"):
        for name in ("IsMultiRegionTrail", "EnableLogFileValidation", "IsLogging"):
            if trail.properties.get(name) is not True:
                yield f"{trail.path}: {name} is not true"


@check
def alarms_reach_people_and_name_a_runbook(templates: Templates) -> Iterator[str]:
    for alarm in templates.all("AWS::CloudWatch::Alarm"):
        if not alarm.properties.get("AlarmActions"):
            yield f"{alarm.path} tells nobody"
        if "docs/runbooks/" not in alarm.properties.get("AlarmDescription", ""):
            yield f"{alarm.path} does not say what to do"
    if not templates.all("AWS::SNS::Subscription"):
        yield "nobody has subscribed to the topic"


@check
def functions_are_bounded_and_lose_nothing(templates: Templates) -> Iterator[str]:
    for function in templates.all("AWS::Lambda::Function"):
        for name in ("DeadLetterConfig", "ReservedConcurrentExecutions"):
            if not function.properties.get(name):
                yield f"{function.path} has no {name}"
