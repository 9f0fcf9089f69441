"""Files on their way through S3."""

import json
import os

import pytest

from watershed_target_redshift.exceptions import StagingError
from watershed_target_redshift.staging import Staging, StagingSettings

pytestmark = [
    pytest.mark.redshift,
    pytest.mark.standin_only("its KMS key is of no account"),
]

MEGABYTE = 2**20


@pytest.fixture
def settings(loader):
    return StagingSettings(
        bucket=loader.bucket,
        prefix="watershed",
        region="us-east-1",
        kms_key_id="arn:aws:kms:us-east-1:123456789012:key/one",
        endpoint_url=loader.standin.s3_endpoint,
        copy_role="default",
    )


@pytest.fixture
def files(tmp_path):
    small, large = tmp_path / "small.parquet", tmp_path / "large.parquet"
    small.write_bytes(b"few")
    large.write_bytes(b"x" * (20 * MEGABYTE))
    return [small, large]


def read(loader, key):
    return loader.s3.get_object(Bucket=loader.bucket, Key=key)


def test_a_manifest_lists_each_file_with_its_length(loader, settings, files):
    staging = Staging(settings, "prod:shop", "run1")
    manifest = staging.upload(files)
    assert manifest.startswith(staging.url)
    key = manifest.removeprefix(f"s3://{loader.bucket}/")
    entries = json.loads(read(loader, key)["Body"].read())["entries"]
    assert [entry["meta"]["content_length"] for entry in entries] == [3, 20 * MEGABYTE]
    assert all(entry["mandatory"] for entry in entries)
    assert {entry["url"] for entry in entries} | {manifest} == {
        f"s3://{loader.bucket}/{key}" for key in loader.staged()
    }
    staging.remove()
    assert loader.staged() == []


def test_large_files_travel_in_parts_and_all_are_encrypted(loader, settings, files):
    staging = Staging(settings, "prod:shop", "run1")
    staging.upload(files)
    for key in loader.staged():
        found = read(loader, key)
        assert found["ServerSideEncryption"] == "aws:kms"
        assert found["SSEKMSKeyId"] == settings.kms_key_id
        assert ("-" in found["ETag"]) == key.endswith("large.parquet"), "the mark of parts"
    staging.remove()


def test_two_runs_share_no_folder_and_remove_their_own(loader, settings, files):
    first, second = (Staging(settings, "prod:shop", run) for run in ("run1", "run2"))
    first.upload(files[:1])
    second.upload(files[:1])
    first.remove()
    assert len(loader.staged()) == 2
    assert all("run2" in key for key in loader.staged())
    second.remove()
    assert loader.staged() == []


def test_an_upload_that_breaks_off_leaves_nothing(loader, settings, files, tmp_path):
    staging = Staging(settings, "prod:shop", "run1")
    with pytest.raises(FileNotFoundError):
        staging.upload([*files, tmp_path / "missing.parquet"])
    staging.remove()
    assert loader.staged() == []


def test_what_a_killed_run_left_goes_with_the_next_broken_uploads_too(loader, settings, files):
    ours = Staging(settings, "prod:shop", "run2")
    here = ours.url.removeprefix(f"s3://{loader.bucket}/").partition("+")[0]
    dead, alive = f"{here}+0+run1/1/x", f"{here}+{os.getpid()}+run3/1/x"  # no process is number 0
    for key in (dead, alive):
        loader.s3.put_object(Bucket=loader.bucket, Key=key, Body=b"")
        loader.s3.create_multipart_upload(Bucket=loader.bucket, Key=f"{key}-large")
    ours.upload(files[:1])
    ours.remove()
    ours.close()
    assert loader.staged() == [alive]
    uploads = loader.s3.list_multipart_uploads(Bucket=loader.bucket)["Uploads"]
    assert [upload["Key"] for upload in uploads] == [f"{alive}-large"]


def test_a_bucket_that_does_not_exist_is_one_line_with_a_cure(settings, files):
    elsewhere = StagingSettings(**{**vars(settings), "bucket": "nowhere"})
    with pytest.raises(StagingError, match="check that it exists") as raised:
        Staging(elsewhere, "prod:shop", "run1").upload(files)
    assert "\n" not in str(raised.value)


def test_a_role_is_the_default_and_no_key_is_in_its_words(settings):
    assert Staging(settings, "s", "r").authorization() == "iam_role default"
    role = "arn:aws:iam::123456789012:role/loader"
    named = StagingSettings(**{**vars(settings), "copy_role": role})
    assert Staging(named, "s", "r").authorization() == f"iam_role '{role}'"
