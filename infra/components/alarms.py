"""Alarms and the dashboard (M-1); each alarm says where to read what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration, aws_cloudwatch, aws_cloudwatch_actions
from constructs import Construct

from infra import names
from infra.components.functions import failure_queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_sns

    from infra.project import Project

RUNBOOK = "docs/runbooks/aws-alarms.md"
STALE_SECONDS = 3 * 3600
"""Age of a source's newest load; the hourly schedule missed twice."""
FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)
ABOVE = aws_cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
IGNORED = aws_cloudwatch.TreatMissingData.NOT_BREACHING
BREACHING = aws_cloudwatch.TreatMissingData.BREACHING


@dataclass(frozen=True)
class Condition:
    """When something is wrong.

    Attributes:
        name: Of the alarm, and of the section of its runbook.
        says: What is wrong, in words.
        threshold: In the metric's own unit.
        missing: What no data means.
    """

    name: str
    says: str
    metric: aws_cloudwatch.Metric
    threshold: float
    comparison: aws_cloudwatch.ComparisonOperator = ABOVE
    periods: int = 1
    missing: aws_cloudwatch.TreatMissingData = IGNORED
    runbook: str | None = None


def conditions(project: Project, state_machine_arn: str) -> list[Condition]:
    """Return all that is watched: the warehouse, the workflow, each source, functions, queues."""
    return [
        *_warehouse_conditions(),
        *_workflow_conditions(state_machine_arn),
        *(
            Condition(
                f"source-{source.name}-is-stale",
                f"No load of {source.name} was committed for {STALE_SECONDS // 3600} hours",
                _metric(names.METRICS, "SourceAgeSeconds", "Maximum", HOUR, Source=source.name),
                STALE_SECONDS,
                runbook="source-is-stale",
            )
            for source in project.sources
        ),
        *(
            Condition(
                f"function-{name}-errors",
                f"The function {name} failed",
                _metric("AWS/Lambda", "Errors", "Sum", FIVE_MINUTES, FunctionName=name),
                0,
                runbook="function-errors",
            )
            for name in names.FUNCTIONS
        ),
        *(
            Condition(
                f"queue-{name}-holds-messages",
                f"The queue {name} holds what could not be delivered or handled",
                _metric(
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    "Maximum",
                    FIVE_MINUTES,
                    QueueName=name,
                ),
                0,
                runbook="queue-holds-messages",
            )
            for name in (*map(failure_queue, names.FUNCTIONS), names.SCHEDULE_QUEUE)
        ),
    ]


def _warehouse_conditions() -> list[Condition]:
    def of_cluster(name: str, statistic: str = "Average") -> aws_cloudwatch.Metric:
        return _metric(
            "AWS/Redshift", name, statistic, FIVE_MINUTES, ClusterIdentifier=names.CLUSTER
        )

    return [
        Condition(
            "redshift-cpu",
            "Redshift's CPU is above 80 % for 5 minutes",
            of_cluster("CPUUtilization"),
            80,
        ),
        Condition(
            "redshift-storage",
            "Redshift's storage is more than 75 % full",
            of_cluster("PercentageDiskSpaceUsed", "Maximum"),
            75,
        ),
        Condition(
            "redshift-health",
            "Redshift does not answer",
            of_cluster("HealthStatus", "Minimum"),
            1,
            BELOW,
            periods=2,
            missing=BREACHING,
        ),
        Condition(
            "redshift-connections",
            "Redshift is near its limit of 500 connections",
            of_cluster("DatabaseConnections", "Maximum"),
            400,
        ),
        Condition(
            "redshift-queries",
            "Queries wait in Redshift's queues",
            _metric(
                "AWS/Redshift",
                "WLMQueueLength",
                "Maximum",
                FIVE_MINUTES,
                ClusterIdentifier=names.CLUSTER,
            ),
            20,
            periods=3,
        ),
    ]


def _workflow_conditions(state_machine_arn: str) -> list[Condition]:
    def of_runs(name: str) -> aws_cloudwatch.Metric:
        return _metric("AWS/States", name, "Sum", FIVE_MINUTES, StateMachineArn=state_machine_arn)

    def of_ledger(name: str) -> aws_cloudwatch.Metric:
        return _metric(names.METRICS, name, "Maximum", HOUR)

    return [
        Condition("run-failed", "A run of the workflow failed", of_runs("ExecutionsFailed"), 0),
        Condition(
            "run-timed-out",
            "A run of the workflow took 12 hours and was ended",
            of_runs("ExecutionsTimedOut"),
            0,
            runbook="run-failed",
        ),
        Condition(
            "task-failed",
            "A Fargate task of the pipeline ended with an error",
            _metric(names.METRICS, "TasksFailed", "Sum", FIVE_MINUTES),
            0,
        ),
        Condition(
            "build-is-not-green",
            "The last build of the models is not green",
            of_ledger("BuildIsRed"),
            0,
        ),
        Condition(
            "values-in-quarantine",
            "Values were set aside in the last day",
            of_ledger("QuarantinedValues"),
            1000,
        ),
        Condition(
            "failed-logins",
            "Ten logins to the AWS console failed within 15 minutes",
            _metric(names.METRICS, "FailedConsoleLogins", "Sum", Duration.minutes(15)),
            9,
        ),
    ]


def _metric(
    namespace: str, name: str, statistic: str, period: Duration, **dimensions: str
) -> aws_cloudwatch.Metric:
    return aws_cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        statistic=statistic,
        period=period,
        dimensions_map=dimensions or None,
    )


class Alarms(Construct):
    """An alarm for each condition, and one dashboard that shows the same metrics."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Sequence[Condition],
        topic: aws_sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        action = aws_cloudwatch_actions.SnsAction(topic)
        widgets: list[aws_cloudwatch.IWidget] = []
        for condition in watched:
            alarm = aws_cloudwatch.Alarm(
                self,
                condition.name,
                alarm_name=f"data-warehouse-{condition.name}",
                alarm_description=f"{condition.says}. What to do: "
                f"{RUNBOOK}#{condition.runbook or condition.name}",
                metric=condition.metric,
                threshold=condition.threshold,
                comparison_operator=condition.comparison,
                evaluation_periods=condition.periods,
                treat_missing_data=condition.missing,
            )
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
            widgets.append(
                aws_cloudwatch.GraphWidget(
                    title=condition.says,
                    left=[condition.metric],
                    left_annotations=[alarm.to_annotation()],
                    width=8,
                )
            )
        rows = [widgets[start : start + 3] for start in range(0, len(widgets), 3)]
        rows.append(
            [
                aws_cloudwatch.GraphWidget(
                    title="What the ledger says of each source",
                    width=24,
                    left=[
                        aws_cloudwatch.MathExpression(
                            expression=f"SEARCH('{{{names.METRICS},Source}} {name}', "
                            "'Maximum', 3600)",
                            label="",
                            using_metrics={},
                        )
                        for name in ("RowsLoaded", "SourceAgeSeconds")
                    ],
                )
            ]
        )
        aws_cloudwatch.Dashboard(self, "Dashboard", dashboard_name="data-warehouse", widgets=rows)
