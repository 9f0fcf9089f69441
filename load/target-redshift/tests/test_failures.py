"""A load that fails, is refused or killed leaves the tables as before or loaded, and S3 empty."""

import json
import logging
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from botocore.awsrequest import AWSResponse

from redshift_standin.standin import EXPIRED_TOKEN, REFUSED_ROLE
from watershed_load_plan import LoadError
from watershed_redshift import ConflictError, ConnectionLostError, RedshiftError
from watershed_target_redshift.exceptions import StagingError

pytestmark = pytest.mark.redshift

INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}
BEFORE = [(1, "old"), (2, "same")]
AFTER = [(1, "new"), (2, "same"), (3, "added")]
BOUNDARIES = [
    ("before", "begin"),
    ("before", "lock"),
    ("after", "copy"),
    ("after", "delete from"),
    ("after", "insert into ops.loads"),
    ("after", "insert into ops.bookmarks"),
    ("before", "commit"),
    ("after", "commit"),
]


def messages(singer, rows, bookmark):
    return [
        singer.schema("shop-orders", id=INTEGER, name=TEXT),
        singer.schema("shop-log", keys=(), id=INTEGER, name=TEXT),
        *(singer.record("shop-orders", id=number, name=name) for number, name in rows),
        *(singer.record("shop-log", id=number, name=name) for number, name in rows),
        singer.state(**{name: {"at": bookmark} for name in ("shop-orders", "shop-log")}),
    ]


def found(loader):
    """Rows of both tables, the ledger's count of rows, the bookmarks."""
    return (
        loader.rows("select id, name from {raw}.orders order by id"),
        loader.one("select count(*) from {raw}.log"),
        loader.one("select count(*) from ops.loads where {mine}"),
        sorted(
            {text for (text,) in loader.rows("select bookmark from ops.bookmarks where {mine}")}
        ),
    )


AS_BEFORE = (BEFORE, 2, 2, ['{"at": 1}'])
LOADED = (AFTER, 5, 4, ['{"at": 2}'])


@pytest.fixture
def filled(loader, singer):
    loader.load(*messages(singer, BEFORE, 1))
    return loader


def raising(error):
    def action(_):
        raise error

    return action


def losing(connection):
    connection.close()
    raise ConnectionLostError("the connection to Redshift was lost")


@pytest.mark.parametrize("boundary", BOUNDARIES[:-1], ids=" ".join)
def test_a_load_refused_at_a_boundary_leaves_all_as_before(filled, singer, interfere, boundary):
    when, beginning = boundary
    refusal = raising(RedshiftError("Redshift refuses: no", "XX000"))
    interfere(beginning, refusal, after=when == "after")
    with pytest.raises(RedshiftError, match="refuses: no"):
        filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


@pytest.fixture(scope="module")
def killable(standin):  # noqa: ARG001  # its environment
    """Run a load in a process of its own; return its exit code."""
    script = Path(__file__).parent / "killable_load.py"
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:

        def ask(config, lines, when="", beginning=""):
            server.stdin.write(json.dumps([config, lines, when, beginning]) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield ask
        server.stdin.close()


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=" ".join)
def test_a_load_killed_at_a_boundary_is_made_whole_by_the_next(filled, singer, killable, boundary):
    lines = messages(singer, AFTER, 2)
    assert killable(filled.config, lines, *boundary) == -signal.SIGKILL
    is_committed = boundary == ("after", "commit")
    assert found(filled) == (LOADED if is_committed else AS_BEFORE)
    if not is_committed:
        assert killable(filled.config, lines) == 0
        assert found(filled) == LOADED
    else:
        filled.load(singer.schema("shop-more", id=INTEGER), singer.record("shop-more", id=1))
    assert filled.staged() == [], "the next run removes what the killed one left"


@pytest.mark.parametrize(
    ("beginning", "after"), [("copy", False), ("insert into ops.loads", True), ("commit", False)]
)
def test_a_lost_connection_is_had_again(filled, singer, interfere, beginning, after):
    interfere(beginning, losing, after=after)
    filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == LOADED


def test_a_connection_lost_after_the_commit_doubles_nothing(filled, singer, interfere):
    interfere("commit", losing, after=True)
    filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == LOADED
    assert filled.one("select sum(rows_inserted) from ops.loads where {mine}") == 2 + 2 + 1 + 3


def test_a_serialization_failure_is_tried_again(filled, singer, interfere):
    conflict = ConflictError("1023: serializable isolation violation", "XX000")
    interfere("insert into", raising(conflict), times=2)
    filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == LOADED


@pytest.mark.standin_only("its list of refused roles")
@pytest.mark.parametrize("role", ["arn:aws:iam::1:role/none", REFUSED_ROLE])
def test_a_wrong_role_is_one_line(filled, singer, role):
    with pytest.raises(
        RedshiftError, match=r"COPY into .* failed: .*(ARN|not authorized)"
    ) as raised:
        filled.load(*messages(singer, AFTER, 2), copy_role=role)
    assert "\n" not in str(raised.value)
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


@pytest.mark.standin_only("its list of expired tokens")
def test_a_token_that_expired_before_its_copy_is_one_line(filled, singer, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", EXPIRED_TOKEN)
    with pytest.raises(RedshiftError, match=r"COPY into .* failed: .*token has expired") as raised:
        filled.load(*messages(singer, AFTER, 2), copy_with_keys=True)
    assert EXPIRED_TOKEN not in str(raised.value)
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


def test_a_token_that_expires_during_an_upload_is_one_line(filled, singer, monkeypatch):
    original = boto3.Session.client

    def client(session, *names, **options):
        made = original(session, *names, **options)
        made.meta.events.register("before-send.s3.PutObject", expired)
        return made

    monkeypatch.setattr(boto3.Session, "client", client)
    with pytest.raises(StagingError, match=r"staging bucket .* refuses: .*ExpiredToken") as raised:
        filled.load(*messages(singer, AFTER, 2))
    assert "\n" not in str(raised.value)
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


def expired(request, **_):
    """What S3 answers then."""
    body = b"<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>"
    answer = AWSResponse(request.url, 400, {}, None)
    answer._content = body
    return answer


def test_a_missing_bucket_is_one_line(filled, singer):
    with pytest.raises(StagingError, match=r"staging bucket nowhere refuses: .*NoSuchBucket"):
        filled.load(*messages(singer, AFTER, 2), staging_bucket="nowhere")
    assert found(filled) == AS_BEFORE


def data_files(loader):
    return [key for key in loader.staged() if not key.endswith("manifest")]


def test_an_object_deleted_before_its_copy_is_one_line(filled, singer, interfere):
    def delete(_):
        for key in data_files(filled):
            filled.s3.delete_object(Bucket=filled.bucket, Key=key)

    interfere("copy", delete)
    with pytest.raises(RedshiftError, match=r"COPY into .* failed"):
        filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


def test_a_corrupt_parquet_file_is_one_line(filled, singer, interfere):
    def corrupt(_):
        for key in data_files(filled):
            body = filled.s3.get_object(Bucket=filled.bucket, Key=key)["Body"].read()
            filled.s3.put_object(Bucket=filled.bucket, Key=key, Body=b"BAD!" + body[4:-4] + b"BAD!")

    interfere("copy", corrupt)
    with pytest.raises(RedshiftError, match=r"COPY into .* failed: .*\.parquet"):
        filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


def test_an_error_in_a_file_names_file_line_and_column(filled, singer, interfere):
    documents = [
        singer.schema("shop-docs", id=INTEGER, doc={"type": "object"}),
        singer.record("shop-docs", id=1, doc={}),
    ]
    filled.load(*documents)

    def spoil(_):
        for key in data_files(filled):
            packed = filled.s3.get_object(Bucket=filled.bucket, Key=key)["Body"].read()
            body = pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read()
            spoilt = pa.compress(body.replace(b"{}", b"{]"), "zstd", asbytes=True)
            filled.s3.put_object(Bucket=filled.bucket, Key=key, Body=spoilt)
            manifest = f"{key.rpartition('/')[0]}/manifest"
            entry = {"url": f"s3://{filled.bucket}/{key}", "meta": {"content_length": len(spoilt)}}
            listed = json.dumps({"entries": [entry]})
            filled.s3.put_object(Bucket=filled.bucket, Key=manifest, Body=listed.encode())

    interfere("copy", spoil)
    with pytest.raises(RedshiftError) as raised:
        filled.load(*documents)
    assert re.search(
        r"COPY into raw_\w+\.docs failed: s3://.*\.csv\.zst, line 1, column doc: ",
        str(raised.value),
    )
    assert "stream shop-docs" in raised.value.__notes__
    assert filled.staged() == []


def drop_name(loader):
    loader.rows('alter table "{raw}".orders drop column name')


def test_a_column_dropped_by_hand_comes_back_with_the_rows_that_come(filled, singer):
    drop_name(filled)
    filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == LOADED


def test_a_column_dropped_while_a_load_is_under_way_is_one_line(filled, singer, interfere):
    interfere("begin", lambda _: drop_name(filled))
    with pytest.raises(RedshiftError, match="name") as raised:
        filled.load(*messages(singer, AFTER, 2))
    assert "\n" not in str(raised.value)
    assert filled.one("select count(*) from {raw}.log") == 2
    assert filled.staged() == []
    filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == LOADED


@pytest.mark.parametrize(
    ("first", "then", "value"),
    [(TEXT, TEXT, "x" * 300), (INTEGER, {"type": "object"}, {"a": 1})],
    ids=["a longer text", "another type"],
)
def test_a_bound_view_on_a_column_that_must_widen_is_one_line(loader, singer, first, then, value):
    loader.load(singer.schema("shop-orders", id=INTEGER, x=first))
    loader.rows("create view {raw}.seen as select x from {raw}.orders")
    with pytest.raises(RedshiftError, match=r"view|depend") as raised:
        loader.load(
            singer.schema("shop-orders", id=INTEGER, x=then),
            singer.record("shop-orders", id=1, x=value),
        )
    assert "\n" not in str(raised.value)
    assert "stream shop-orders" in raised.value.__notes__
    assert loader.one("select count(*) from {raw}.orders") == 0
    assert loader.staged() == []


def test_a_bound_view_is_no_obstacle_to_rows(filled, singer):
    filled.rows("create view {raw}.names as select name from {raw}.orders")
    filled.load(*messages(singer, AFTER, 2))
    assert found(filled) == LOADED
    assert filled.one("select count(*) from {raw}.names") == 3


def side_by_side(load):
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_runs_of_a_stream_at_once_double_nothing(filled, singer):
    errors = []
    lines = [
        singer.schema("shop-orders", id=INTEGER, name=TEXT),
        singer.schema("shop-log", keys=(), id=INTEGER, name=TEXT),
        *(singer.record("shop-orders", id=number, name="both") for number in range(10, 60)),
        *(singer.record("shop-log", id=number, name="both") for number in range(10, 60)),
        singer.state(**{name: {"at": 2} for name in ("shop-orders", "shop-log")}),
    ]

    def load():
        try:
            filled.load(*lines)
        except LoadError as error:
            errors.append(error)

    side_by_side(load)
    assert errors == []
    assert filled.one("select count(*), count(distinct id) from {raw}.orders") == (52, 52)
    assert filled.staged() == []


def test_a_table_that_a_long_query_holds_is_waited_for_no_longer_than_configured(filled, singer):
    with filled.connect() as holder, holder.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(f"lock table {filled.schema}.orders")
        with pytest.raises(RedshiftError, match="timeout"):
            filled.load(*messages(singer, AFTER, 2), statement_timeout_seconds=1)
        cursor.execute("rollback")
    assert found(filled) == AS_BEFORE
    assert filled.staged() == []


def test_keys_are_in_no_message_log_or_error(filled, singer, caplog, interfere):
    caplog.set_level(logging.DEBUG)
    secret = filled.secret_key
    interfere("copy", raising(RedshiftError(f"Redshift refuses: error near '{secret}'", "42601")))
    with pytest.raises(LoadError, match=r"error near '\*\*\*'") as raised:
        filled.load(*messages(singer, AFTER, 2), copy_with_keys=True)
    assert raised.value.__cause__ is None
    said = " ".join(caplog.messages)
    assert secret not in said
    assert filled.standin.password not in said


def test_temporary_keys_are_taken_as_they_are_at_each_copy(filled, singer, asked):
    filled.load(*messages(singer, AFTER, 2), copy_with_keys=True)
    copies = [sql for sql in asked if sql.startswith("copy")]
    assert len(copies) == 2
    assert all(f"secret_access_key '{filled.secret_key}'" in sql for sql in copies)
    assert found(filled) == LOADED
