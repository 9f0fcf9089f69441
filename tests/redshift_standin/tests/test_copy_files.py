"""Which files a COPY loads, and how it reaches them."""

import bz2
import gzip
import socket
import tracemalloc

import boto3
import pyarrow as pa
import pytest
from botocore.config import Config

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import TargetColumn, parse_copy, read_copy
from redshift_standin.transfer.authorization import REFUSED_VARIABLE
from redshift_standin.transfer.copying import CHUNK_BYTES

pytestmark = pytest.mark.redshift

NUMBER = {"id": "integer"}
ROLE = "arn:aws:iam::123456789012:role/loader"


def compress_zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


def test_all_files_of_a_prefix_are_loaded(bucket, copied):
    bucket.put("orders/1.csv", "1\n")
    bucket.put("orders/more/2.csv", "2\n3")
    bucket.put("other.csv", "4\n")
    assert copied("orders", "csv", NUMBER) == [(1,), (2,), (3,)]


def test_an_object_is_a_prefix_too(bucket, copied):
    bucket.put("a.csv", "1\n")
    bucket.put("a.csv.bak", "2\n")
    assert copied("a.csv", "csv", NUMBER) == [(1,), (2,)]


def test_an_empty_file_has_no_rows(bucket, copied):
    bucket.put("a/1", "")
    bucket.put("a/2", "1\n")
    assert copied("a/", "csv", NUMBER) == [(1,)]


def test_a_prefix_without_files_is_an_error(bucket):
    with pytest.raises(RedshiftError, match="The specified S3 prefix 'a/' does not exist"):
        bucket.copy("a/", "csv", NUMBER)


def test_a_bucket_that_is_not_there_is_an_error(s3):
    copy = parse_copy("copy t from 's3://nobody-has-this/a' iam_role default csv")
    with pytest.raises(RedshiftError, match=r"S3ServiceException:.*bucket does not exist") as error:
        read_copy(copy, [TargetColumn("id", "integer")], s3)
    assert "Status 404,Error NoSuchBucket" in error.value.message


def test_an_s3_that_is_down_is_an_error(bucket):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        bucket.s3 = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="emulated",
            aws_secret_access_key="hush",  # noqa: S106
            config=Config(retries={"max_attempts": 0}, connect_timeout=2),
        )
        with pytest.raises(RedshiftError, match="S3ServiceException:Could not connect") as error:
            bucket.copy("a", "csv", NUMBER)
        assert "hush" not in error.value.message
        bucket.s3.close()


def test_an_object_deleted_after_the_listing_is_an_error(bucket):
    bucket.put("a.csv", "1\n")
    rows = bucket.read("a.csv", "csv", NUMBER)
    bucket.s3.delete_object(Bucket=bucket.name, Key="a.csv")
    with pytest.raises(RedshiftError, match="Status 404,Error NoSuchKey"):
        list(rows)


def test_a_manifest_names_the_files_and_their_order(bucket, copied):
    second = bucket.put("b", "2\n")
    first = bucket.put("a", "1\n")
    bucket.put("c", "3\n")
    bucket.put_manifest("manifest", {"url": second, "mandatory": True}, {"url": first})
    assert copied("manifest", "csv manifest", NUMBER) == [(2,), (1,)]


def test_a_file_that_a_manifest_names_twice_is_loaded_twice(bucket, copied):
    url = bucket.put("a", "1\n")
    bucket.put_manifest("manifest", {"url": url}, {"url": url})
    assert copied("manifest", "csv manifest", NUMBER) == [(1,), (1,)]


def test_only_a_mandatory_file_must_be_there(bucket, copied):
    there, gone = {"url": bucket.put("a", "1\n")}, {"url": bucket.url("gone")}
    bucket.put_manifest("manifest", there, {**gone, "mandatory": False}, gone)
    assert copied("manifest", "csv manifest", NUMBER) == [(1,)]
    bucket.put_manifest("manifest", there, {**gone, "mandatory": True})
    with pytest.raises(RedshiftError, match=f"key does not exist.*{gone['url']}"):
        bucket.copy("manifest", "csv manifest", NUMBER)


def test_a_manifest_without_any_file_is_an_error(bucket):
    bucket.put_manifest("manifest", {"url": bucket.url("gone")})
    with pytest.raises(RedshiftError, match="No valid files"):
        bucket.copy("manifest", "csv manifest", NUMBER)


@pytest.mark.parametrize(
    "text",
    ["1\n2\n", "{}", '{"entries": [{}]}', '{"entries": 1}', '[{"url": "s3://b/k"}]', "\xff"],
)
def test_what_is_no_manifest_is_an_error(bucket, text):
    bucket.put("a.csv", text.encode("latin-1"))
    with pytest.raises(RedshiftError, match="Problem reading manifest file"):
        bucket.copy("a.csv", "csv manifest", NUMBER)


def test_a_manifest_is_one_object_and_no_prefix(bucket):
    bucket.put_manifest("folder/manifest", {"url": bucket.put("a", "1\n")})
    with pytest.raises(RedshiftError, match="requires full path of an S3 object"):
        bucket.copy("folder/", "csv manifest", NUMBER)
    with pytest.raises(RedshiftError, match="Error NoSuchKey"):
        bucket.copy("folder/manif", "csv manifest", NUMBER)


def test_a_columnar_manifest_states_each_file_s_length(bucket, copied):
    url = bucket.put_parquet("a", {"id": pa.array([1, 2], pa.int32())})
    size = len(bucket.get("a"))
    bucket.put_manifest("manifest", {"url": url, "meta": {"content_length": size}})
    assert copied("manifest", "parquet manifest", NUMBER) == [(1,), (2,)]


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({}, "File entry does not have 'meta' key"),
        ({"meta": {}}, "does not have 'content_length'"),
        ({"meta": {"content_length": 10}}, "is not of the content_length 10"),
        ({"meta": {"content_length": 10**6}}, "416 Message: InvalidRange"),
    ],
)
def test_a_wrong_or_missing_length_is_an_error(bucket, meta, message):
    url = bucket.put_parquet("a", {"id": pa.array([1], pa.int32())})
    bucket.put_manifest("manifest", {"url": url, **meta})
    with pytest.raises(RedshiftError, match=message):
        bucket.copy("manifest", "parquet manifest", NUMBER)


@pytest.mark.parametrize(
    ("option", "compress"),
    [("gzip", gzip.compress), ("bzip2", bz2.compress), ("zstd", compress_zstd)],
)
def test_compressed_files_are_unpacked_also_those_put_together_of_several(
    bucket, copied, option, compress
):
    bucket.put("a", compress(b"1\n") + compress(b"2\n"))
    assert copied("a", f"csv {option}", NUMBER) == [(1,), (2,)]


@pytest.mark.parametrize("option", ["gzip", "bzip2", "zstd"])
def test_a_file_that_is_not_compressed_so_is_an_error(bucket, option):
    bucket.put("a.csv", "1\n2\n3\n4\n5\n")
    with pytest.raises(RedshiftError, match=r"a\.csv cannot be decompressed"):
        bucket.copy("a.csv", f"csv {option}", NUMBER)


def test_half_a_compressed_file_is_an_error(bucket):
    body = gzip.compress("".join(f"{number}\n" for number in range(10_000)).encode())
    bucket.put("a.csv.gz", body[: len(body) // 2])
    with pytest.raises(RedshiftError, match="cannot be decompressed"):
        bucket.copy("a.csv.gz", "csv gzip", NUMBER)


def test_rows_come_in_pieces_of_a_bounded_size(bucket):
    line = "x" * 1000
    bucket.put("a", f"{line}\n" * 5000)
    pieces = list(bucket.read("a", "csv", {"line": "text"}))
    assert max(map(len, pieces)) < CHUNK_BYTES + 2000
    assert sum(piece.count(b"\n") for piece in pieces) == 5000


@pytest.mark.parametrize(
    ("options", "line"), [("csv gzip", "x" * 4000), ("json gzip", '{"line": "' + "x" * 3985 + '"}')]
)
def test_memory_does_not_grow_with_the_file(bucket, options, line):
    bucket.put("a", gzip.compress(f"{line}\n".encode() * 8_000, compresslevel=1))
    tracemalloc.start()
    size = sum(map(len, bucket.read("a", options, {"line": "text"})))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 30_000_000
    assert peak < 12_000_000


@pytest.mark.parametrize(
    ("right", "refused", "message"),
    [
        (
            f"iam_role '{ROLE}'",
            ROLE,
            f"User arn:aws:redshift:.* is not authorized to assume IAM Role {ROLE}",
        ),
        ("iam_role default", "default", "is not authorized to assume IAM Role default"),
        ("access_key_id 'AKIA' secret_access_key 'hush'", "AKIA", "Error InvalidAccessKeyId"),
        (
            "access_key_id 'A' secret_access_key 'hush' session_token 'old'",
            "old",
            "Error ExpiredToken",
        ),
    ],
)
def test_a_right_that_the_environment_refuses_is_refused(
    bucket, monkeypatch, right, refused, message
):
    bucket.put("a", "1\n")
    assert bucket.copy("a", f"{right} csv", NUMBER) == b'"1"\n'
    monkeypatch.setenv(REFUSED_VARIABLE, f"someone,{refused}")
    with pytest.raises(RedshiftError, match=message) as error:
        bucket.read("a", f"{right} csv", NUMBER)
    assert "hush" not in error.value.message


def test_a_column_list_chooses_columns_and_their_order(bucket, load):
    bucket.put("a", "x,1\n")
    columns = {"id": "integer", "skipped": "date", "name": "text"}
    lines = bucket.copy("a", "(Name, id) csv", columns)
    assert load(lines, {"name": "text", "id": "integer"}) == [("x", 1)]


def test_a_column_that_the_table_lacks_is_an_error(bucket):
    with pytest.raises(RedshiftError, match='"total" of relation "loaded" does not') as error:
        bucket.read("a", "(total) csv", NUMBER)
    assert error.value.code == "42703"
