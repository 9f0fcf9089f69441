"""After a run: asks the ledger whether it is true, measures, tells; or explains why it failed.

The workflow sends one of two events:
``{"outcome": "succeeded", "job": "all", "sources": ["shop"], "started_at": "2026-11-25T…"}``
``{"outcome": "failed", "job": "all", "error": {"Error": "…", "Cause": "…"}}``
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
import explanation
import ledger


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do what the outcome asks for.

    Returns:
        After a failure ``{"line": …}``; after a success what the ledger says of each source.

    Raises:
        ValueError: the run says that it succeeded, and the ledger does not agree.
    """
    del context
    if event["outcome"] == "failed":
        line = explanation.explain(event["error"], os.environ["TASK_LOGS"])
        return {"line": f"job {event['job']}: {line}"}
    facts = ledger.read(
        boto3.client("redshift-data"),
        os.environ["CLUSTER"],
        os.environ["DATABASE"],
        event["started_at"],
    )
    now = datetime.now(UTC)
    _measure(facts, now)
    problems = ledger.problems(facts, event["sources"], datetime.fromisoformat(event["started_at"]))
    if problems:
        raise ValueError("; ".join(problems))
    if facts.quarantined or event["job"] in json.loads(os.environ["TOLD_JOBS"]):
        boto3.client("sns").publish(
            TopicArn=os.environ["TOPIC_ARN"],
            Subject=f"Data warehouse: {event['job']} is done",
            Message="\n".join(ledger.summary(facts, now)),
        )
    return {"sources": ledger.summary(facts, now)}


def _measure(facts: ledger.Facts, now: datetime) -> None:
    """Put the ledger's figures where alarms and the dashboard see them."""
    data: list[dict[str, Any]] = [
        {"MetricName": "BuildIsRed", "Value": float(facts.build != "green")},
        {"MetricName": "QuarantinedValues", "Value": float(sum(facts.quarantined.values()))},
    ]
    for source in json.loads(os.environ["SOURCES"]):
        dimensions = [{"Name": "Source", "Value": source}]
        values = {"RowsLoaded": (float(facts.rows.get(source, 0)), "Count")}
        if source in facts.loaded_at:
            age = (now - facts.loaded_at[source]).total_seconds()
            values["SourceAgeSeconds"] = (max(age, 0.0), "Seconds")
        data += [
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
            for name, (value, unit) in values.items()
        ]
    boto3.client("cloudwatch").put_metric_data(Namespace=os.environ["METRICS"], MetricData=data)
