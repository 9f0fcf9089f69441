"""Runs loads that are killed before or after a statement; `test_failures.py` asks for them.

A process that has imported everything forks for each request, so that a load takes no start-up.
A request is a line of JSON, ``[config, messages, when, beginning of the statement]``, when being
``before``, ``after`` or empty; the answer is the load's exit status.
"""

import contextlib
import io
import json
import os
import signal
import sys

import boto3
import botocore.loaders
import botocore.session
import pyarrow.parquet  # noqa: F401  # else each load imports it

from watershed_redshift import RedshiftConnection
from watershed_target_redshift.target import TargetRedshift


def run(config, messages, when, beginning):
    original = RedshiftConnection._run

    def killing(connection, sql, parameters):
        is_chosen = bool(when) and sql.startswith(beginning)
        if is_chosen and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(connection, sql, parameters)
        if is_chosen:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    RedshiftConnection._run = killing
    text = "".join(json.dumps(message) + "\n" for message in messages)
    with contextlib.redirect_stdout(io.StringIO()):
        TargetRedshift(config=config).listen(io.StringIO(text))


def serve():
    shared = botocore.loaders.Loader()
    botocore.session.create_loader = lambda _: shared
    boto3.client("s3").close()  # it has read AWS's description of S3, once for all loads
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(*request)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
