"""Reduces what Step Functions says of a failure, pages of JSON, to the line that a person needs."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3

CONTAINER = "meltano"
LINES = 200
"""Of the end of a task's log, in which its cause is looked for."""
LONGEST = 500
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")
TELLING = re.compile(r"error:|\bFAILED\b|^watershed: ")


def explain(error: dict[str, str], log_group: str) -> str:
    """Return one line: for a task of ours the one that its log ends with, else what AWS says."""
    if error["Error"] == "SourcesFailed":
        failed = [load for load in json.loads(error["Cause"]) if "Error" in load]
        return "; ".join(f"{load['source']}: {_cause(load, log_group)}" for load in failed)
    return _cause(error, log_group)


def _cause(error: dict[str, str], log_group: str) -> str:
    cause = error.get("Cause", "")
    if error["Error"] == "States.Timeout":
        return "not done within its time limit"
    try:
        task = json.loads(cause)
    except ValueError:
        return _one_line(f"{error['Error']}: {cause}" if cause else error["Error"])
    if not isinstance(task, dict):
        return _one_line(f"{error['Error']}: {cause}")
    if "errorMessage" in task:  # a Lambda function of ours
        return _one_line(task["errorMessage"])
    return _one_line(_last_words(task, log_group) or _stop_reason(task) or error["Error"])


def _stop_reason(task: dict[str, Any]) -> str:
    container: dict[str, Any] = next(iter(task.get("Containers") or [{}]))
    reason = container.get("Reason") or task.get("StoppedReason") or "stopped"
    code = container.get("ExitCode")
    return reason if code is None else f"{reason} (exit code {code})"


def _last_words(task: dict[str, Any], log_group: str) -> str | None:
    """Find the cause in the log of a task that ran; None: it never did, or said nothing."""
    try:
        family = task["TaskDefinitionArn"].rpartition("/")[2].partition(":")[0]
        task_id = task["TaskArn"].rpartition("/")[2]
    except KeyError:
        return None
    client = boto3.client("logs")
    try:
        events = client.get_log_events(
            logGroupName=log_group,
            logStreamName=f"{family}/{CONTAINER}/{task_id}",
            startFromHead=False,
            limit=LINES,
        )["events"]
    except client.exceptions.ResourceNotFoundException:
        return None
    lines = [TERMINAL_CODES.sub("", event["message"]).strip() for event in events]
    lines = [line for line in lines if line]
    telling = [line for line in lines if TELLING.search(line)]
    return (telling or lines or [None])[-1]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
