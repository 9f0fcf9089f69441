"""Starts a job of the workflow: by hand, or when an event asks for it.

By hand: ``aws lambda invoke --function-name trigger_etl_jobs --payload '{"job": "all"}' out.json``.
By event: source ``watershed``, detail type ``Run requested``, detail ``{"job": "all"}``.
EventBridge delivers an event at least once; its id names the execution, so that a second delivery
starts none.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3


def handle(event: dict[str, Any], context: object) -> dict[str, str]:
    """Start the job that the event names and return its execution.

    Raises:
        ValueError: it names no job of the project.
    """
    job = event.get("detail", event).get("job")
    jobs = json.loads(os.environ["JOBS"])
    if job not in jobs:
        raise ValueError(f"event names job {job!r}: known are {', '.join(jobs)}")
    request = event.get("id") or getattr(context, "aws_request_id", None)
    client = boto3.client("stepfunctions")
    started = client.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"job": job}),
        **({"name": f"{job}-{request}"} if request else {}),
    )
    return {"execution": started["executionArn"]}
