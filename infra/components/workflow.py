"""The state machine that runs Meltano's jobs on Fargate (I-3).

Each job of ``orchestrate/`` is a branch of it. A job's ``watershed:load`` becomes one task for each
source, side by side; every other task of the job is run as it is written there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Stack, aws_logs
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra import names
from infra.components.lease import Lease
from infra.components.retention import retention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms, aws_lambda, aws_sns

    from infra.components.tasks import MeltanoTask
    from infra.config import Environment
    from infra.project import Job, Project, Source, Step

LOAD_ATTEMPTS = 2
"""Further attempts of a source that fails: it may be down for a moment."""
STEP_ATTEMPTS = 1
"""Of what fails for reasons of ours, or because Fargate lost a machine."""
RETRY_INTERVAL = Duration.minutes(2)
BACKOFF_RATE = 3.0
STEP_LIMIT = Duration.hours(4)
RUN_LIMIT = Duration.hours(12)


@dataclass(frozen=True)
class WorkflowParts:
    """What the workflow calls."""

    cluster: ecs.ICluster
    group: ec2.ISecurityGroup
    source_tasks: Mapping[str, MeltanoTask]
    step_task: MeltanoTask
    post_processing: aws_lambda.IFunction
    topic: aws_sns.ITopic
    key: aws_kms.IKey


class Workflow(Construct):
    """Guard → job → crawlers → post-processing; a failure is explained, told, and ends the run."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        project: Project,
        parts: WorkflowParts,
    ) -> None:
        super().__init__(scope, construct_id)
        self._parts = parts
        self._loader = environment.loader
        self._lease = Lease(self, "Lease", key=parts.key)
        self._failure = self._failure_path()
        jobs = sfn.Choice(
            self,
            "Which job?",
            comment="The schedules of orchestrate/ name one; so does who starts it by hand",
        )
        for job in project.jobs:
            jobs.when(sfn.Condition.string_equals("$.job", job.name), self._job(job))
        unknown = sfn.Pass(
            self,
            "Unknown job",
            parameters={
                "Error": "UnknownJob",
                "Cause.$": "States.Format('no job {} in orchestrate/', $.job)",
            },
            result_path="$.error",
        )
        jobs.otherwise(unknown.next(self._failure))
        log_group = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/vendedlogs/states/{names.STATE_MACHINE}",
            encryption_key=parts.key,
            retention=retention(environment.log_days),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=names.STATE_MACHINE,
            definition_body=sfn.DefinitionBody.from_chainable(
                self._lease.guard(jobs, self._failure)
            ),
            timeout=RUN_LIMIT,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True
            ),
        )

    def _job(self, job: Job) -> sfn.IChainable:
        states: list[sfn.IChainable] = []
        for step in job.steps:
            if step.sources:
                states += [self._load(job, step), self._crawl(job, names.SOURCE_CRAWLER)]
            else:
                states.append(self._step(job, step))
        states.append(self._crawl(job, names.TRANSFORMED_CRAWLER))
        states.append(self._post_process(job))
        chain = sfn.Chain.start(states[0])
        for state in states[1:]:
            chain = chain.next(state)
        done = sfn.Succeed(self, f"{job.name}: done")
        return chain.next(self._lease.release(f"{job.name}: let go", done))

    def _load(self, job: Job, step: Step) -> sfn.IChainable:
        """Load sources side by side; one that fails stops no other, and then fails the job."""
        parallel = sfn.Parallel(
            self, f"{job.name}: load", result_path="$.loads", comment=f"Meltano's task {step.task}"
        )
        for source in step.sources:
            name = f"{job.name}: extract-data-from-{source.name}"
            run = self._run_task(
                name,
                self._parts.source_tasks[source.name],
                self._load_command(source),
                Duration.seconds(int(source.time_limit.total_seconds())),
                LOAD_ATTEMPTS,
                result_selector={"source": source.name},
            )
            failed = sfn.Pass(
                self,
                f"{name} failed",
                parameters={
                    "source": source.name,
                    "Error.$": "$.error.Error",
                    "Cause.$": "$.error.Cause",
                },
            )
            run.add_catch(failed, result_path="$.error")
            parallel.branch(run)
        parallel.add_catch(self._failure, result_path="$.error")
        all_failed = sfn.Pass(
            self,
            f"{job.name}: name the failed sources",
            parameters={"Error": "SourcesFailed", "Cause.$": "States.JsonToString($.loads)"},
            result_path="$.error",
        )
        all_failed.next(self._failure)
        choice = sfn.Choice(self, f"{job.name}: all sources loaded?")
        for number, _ in enumerate(step.sources):
            choice.when(sfn.Condition.is_present(f"$.loads[{number}].Error"), all_failed)
        return parallel.next(choice.afterwards(include_otherwise=True))

    def _load_command(self, source: Source) -> list[str]:
        return ["watershed", "load", source.name, "--loader", self._loader]

    def _step(self, job: Job, step: Step) -> tasks.EcsRunTask:
        run = self._run_task(
            f"{job.name}: {step.task.replace(':', ' ')}",
            self._parts.step_task,
            ["meltano", "run", *step.task.split()],
            STEP_LIMIT,
            STEP_ATTEMPTS,
        )
        run.add_catch(self._failure, result_path="$.error")
        return run

    def _run_task(
        self,
        name: str,
        task: MeltanoTask,
        command: list[str],
        limit: Duration,
        attempts: int,
        *,
        result_selector: Mapping[str, str] | None = None,
    ) -> tasks.EcsRunTask:
        run = tasks.EcsRunTask(
            self,
            name,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            cluster=self._parts.cluster,
            task_definition=task.definition,
            launch_target=tasks.EcsFargateLaunchTarget(
                platform_version=ecs.FargatePlatformVersion.LATEST
            ),
            security_groups=[self._parts.group],
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            container_overrides=[
                tasks.ContainerOverride(container_definition=task.container, command=command)
            ],
            task_timeout=sfn.Timeout.duration(limit),
            result_selector=dict(result_selector) if result_selector else None,
            result_path=sfn.JsonPath.DISCARD if result_selector is None else "$",
        )
        # Not a timeout: what took too long once takes too long twice.
        run.add_retry(
            errors=["States.TaskFailed"],
            max_attempts=attempts,
            interval=RETRY_INTERVAL,
            backoff_rate=BACKOFF_RATE,
            jitter_strategy=sfn.JitterType.FULL,
        )
        return run

    def _crawl(self, job: Job, crawler: str) -> sfn.Chain:
        arn = Stack.of(self).format_arn(service="glue", resource="crawler", resource_name=crawler)
        start = tasks.CallAwsService(
            self,
            f"{job.name}: {crawler}",
            service="glue",
            action="startCrawler",
            parameters={"Name": crawler},
            iam_resources=[arn],
            task_timeout=sfn.Timeout.duration(Duration.minutes(5)),
            result_path=sfn.JsonPath.DISCARD,
        )
        start.add_retry(
            errors=[
                "Glue.GlueException",
                "Glue.OperationTimeoutException",
                "Glue.SdkClientException",
            ],
            max_attempts=2,
            interval=Duration.seconds(30),
            backoff_rate=2,
        )
        # It still runs for the run before: what is new is found the next time.
        running = sfn.Pass(self, f"{job.name}: {crawler} is busy")
        start.add_catch(
            running, errors=["Glue.CrawlerRunningException"], result_path=sfn.JsonPath.DISCARD
        )
        start.add_catch(self._failure, result_path="$.error")
        return sfn.Chain.custom(start, [start, running], running)

    def _post_process(self, job: Job) -> tasks.LambdaInvoke:
        invoke = tasks.LambdaInvoke(
            self,
            f"{job.name}: post_processing_tasks",
            lambda_function=self._parts.post_processing,
            payload=sfn.TaskInput.from_object(
                {
                    "outcome": "succeeded",
                    "job": job.name,
                    "sources": [source.name for step in job.steps for source in step.sources],
                    "execution": sfn.JsonPath.string_at("$$.Execution.Name"),
                    "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
                }
            ),
            task_timeout=sfn.Timeout.duration(Duration.minutes(15)),
            result_path=sfn.JsonPath.DISCARD,
        )
        invoke.add_catch(self._failure, result_path="$.error")
        return invoke

    def _failure_path(self) -> sfn.IChainable:
        """Reduce the error to one line, tell it, let go of the lease, fail."""
        explain = tasks.LambdaInvoke(
            self,
            "Explain the failure",
            lambda_function=self._parts.post_processing,
            payload=sfn.TaskInput.from_object(
                {
                    "outcome": "failed",
                    "job": sfn.JsonPath.string_at("$.job"),
                    "execution": sfn.JsonPath.string_at("$$.Execution.Name"),
                    "error": sfn.JsonPath.object_at("$.error"),
                }
            ),
            task_timeout=sfn.Timeout.duration(Duration.minutes(2)),
            result_selector={"line.$": "$.Payload.line"},
            result_path="$.explanation",
        )
        raw = sfn.Pass(
            self,
            "Take the error as it is",
            parameters={"line.$": "States.Format('{}: {}', $.error.Error, $.error.Cause)"},
            result_path="$.explanation",
        )
        explain.add_catch(raw, result_path=sfn.JsonPath.DISCARD)
        notify = tasks.SnsPublish(
            self,
            "Tell of the failure",
            topic=self._parts.topic,
            subject="Data warehouse: run failed",
            message=sfn.TaskInput.from_json_path_at("$.explanation.line"),
            task_timeout=sfn.Timeout.duration(Duration.minutes(2)),
            result_path=sfn.JsonPath.DISCARD,
        )
        notify.add_retry(max_attempts=3, interval=Duration.seconds(5), backoff_rate=2)
        end = sfn.Fail(self, "Failed", error="RunFailed", cause_path="$.explanation.line")
        release = self._lease.release("Let go after the failure", end)
        # Whom the topic does not reach, the alarm on failed runs does.
        notify.add_catch(release, result_path=sfn.JsonPath.DISCARD)
        notify.next(release)
        raw.next(notify)
        explain.next(notify)
        return explain
