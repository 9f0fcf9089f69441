"""The concurrency guard: one run at a time, whoever starts it.

The lease is a row that names its execution. A run that finds the row asks Step Functions whether
that execution still runs; if it does, this run ends at once, and if it was aborted without letting
go, this run takes the row over. Both writes are conditional, so two can never hold it, and no clock
decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack, aws_dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra import names

if TYPE_CHECKING:
    from aws_cdk import aws_kms

TAKEN = ["DynamoDB.ConditionalCheckFailedException"]
LIMIT = sfn.Timeout.duration(Duration.minutes(1))
OWN = "$$.Execution.Id"


class Lease(Construct):
    """Holds the row, and makes the states that take it and let it go."""

    def __init__(self, scope: Construct, construct_id: str, *, key: aws_kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._table = aws_dynamodb.Table(
            self,
            "Table",
            table_name="data-warehouse-lease",
            partition_key=aws_dynamodb.Attribute(
                name="name", type=aws_dynamodb.AttributeType.STRING
            ),
            billing_mode=aws_dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=aws_dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=aws_dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def guard(self, run: sfn.IChainable, failure: sfn.IChainable) -> sfn.IChainable:
        """Return the states that lead to ``run`` when this execution is the only one."""
        busy = sfn.Succeed(self, "Another run is in progress")
        take = self._put("Take the lease", "attribute_not_exists(#name)", {})
        read = tasks.DynamoGetItem(
            self,
            "Who has the lease?",
            table=self._table,
            key=self._row,
            consistent_read=True,
            task_timeout=LIMIT,
            result_path="$.holder",
        )
        describe = tasks.CallAwsService(
            self,
            "How is the holder?",
            service="sfn",
            action="describeExecution",
            parameters={"ExecutionArn": sfn.JsonPath.string_at("$.holder.Item.execution.S")},
            iam_resources=[
                Stack.of(self).format_arn(
                    service="states",
                    resource="execution",
                    resource_name=f"{names.STATE_MACHINE}:*",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            task_timeout=LIMIT,
            result_selector={"Status.$": "$.Status"},
            result_path="$.held",
        )
        take_over = self._put(
            "Take the lease over",
            "execution = :old",
            {":old": _text("$.holder.Item.execution.S")},
        )
        for state in (take, read, describe, take_over):
            self._retry(state)
        take.add_catch(read, errors=TAKEN, result_path="$.taken")
        take_over.add_catch(busy, errors=TAKEN, result_path="$.taken")
        for state in (take, read, describe, take_over):
            state.add_catch(failure, result_path="$.error")
        take.next(run)
        read.next(
            sfn.Choice(self, "Was it let go?")
            .when(sfn.Condition.is_present("$.holder.Item"), describe)
            .otherwise(take)
        )
        describe.next(
            sfn.Choice(self, "Does it still run?")
            .when(sfn.Condition.string_equals("$.held.Status", "RUNNING"), busy)
            .otherwise(take_over)
        )
        take_over.next(run)
        return take

    def release(self, name: str, then: sfn.State) -> sfn.IChainable:
        """Return the state that lets go of the lease, if this execution has it, and goes on."""
        release = tasks.DynamoDeleteItem(
            self,
            name,
            table=self._table,
            key=self._row,
            condition_expression="execution = :own",
            expression_attribute_values={":own": _text(OWN)},
            task_timeout=LIMIT,
            result_path=sfn.JsonPath.DISCARD,
        )
        self._retry(release)
        # The next run sees that this one has ended and takes it over.
        release.add_catch(then, result_path=sfn.JsonPath.DISCARD)
        release.next(then)
        return release

    @property
    def _row(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {"name": tasks.DynamoAttributeValue.from_string(names.STATE_MACHINE)}

    def _put(
        self, name: str, condition: str, values: dict[str, tasks.DynamoAttributeValue]
    ) -> tasks.DynamoPutItem:
        return tasks.DynamoPutItem(
            self,
            name,
            table=self._table,
            item={**self._row, "execution": _text(OWN)},
            condition_expression=condition,
            expression_attribute_names=None if values else {"#name": "name"},
            expression_attribute_values=values or None,
            task_timeout=LIMIT,
            result_path=sfn.JsonPath.DISCARD,
        )

    def _retry(self, state: sfn.TaskStateBase) -> None:
        state.add_retry(errors=TAKEN, max_attempts=0)
        state.add_retry(
            errors=["States.TaskFailed"],
            max_attempts=3,
            interval=Duration.seconds(2),
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )


def _text(path: str) -> tasks.DynamoAttributeValue:
    return tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at(path))
