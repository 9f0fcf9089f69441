"""Files on their way through S3: uploaded in parts side by side, listed in a manifest, removed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # it ships no types
from boto3.s3.transfer import TransferConfig, create_transfer_manager  # type: ignore[import-untyped]  # as above
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # as above

from watershed_load_plan.duckdb_types import literal
from watershed_target_redshift.exceptions import StagingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST_STAY = dt.timedelta(days=1)
"""Files of a run on another machine that are older were left by one that was killed."""
KEYS_PER_DELETE = 1000
UPLOADS_AT_ONCE = min(10, 2 * (os.cpu_count() or 1))
"""Parts of files; with more than two on a processor they wait for each other."""


@dataclass(frozen=True)
class StagingSettings:
    """Where files wait for their COPY, and with what right Redshift reads them.

    Attributes:
        bucket: The bucket, in Redshift's region.
        prefix: Beginning of every key of ours.
        region: AWS region of the bucket; None takes the environment's.
        kms_key_id: KMS key to encrypt with; None takes the account's key for S3.
        endpoint_url: S3's address; None is AWS itself.
        copy_role: ARN of the role that COPY assumes, or ``default``; None sends our own
            credentials in the statement, as they are at that moment.
    """

    bucket: str
    prefix: str
    region: str | None
    kms_key_id: str | None
    endpoint_url: str | None
    copy_role: str | None


class Staging:
    """The folder of one run in S3.

    Args:
        settings: Where and how.
        state_id: Whose run it is: what a killed run of the same left is removed by the next.
        run_id: Names the run.
    """

    def __init__(self, settings: StagingSettings, state_id: str, run_id: str) -> None:
        self._settings = settings
        self._prefix = f"{settings.prefix.strip('/')}/".lstrip("/")
        self._pipeline = f"{self._prefix}{_plain(state_id)}/"
        self._run = f"{self._pipeline}{_plain(socket.gethostname())}+{os.getpid()}+{run_id}/"
        self._session = boto3.Session(region_name=settings.region)
        self._client: Any = None
        self._uploads = 0
        self._keys: list[str] = []
        self._fetched: dict[Path, str] = {}
        self._is_broken_off = False
        self._is_swept = False
        self._secrets: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where all files of this run begin."""
        return f"s3://{self._settings.bucket}/{self._run}"

    def fetch(self, url: str, folder: Path) -> Path:
        """Download a file that somebody else left in the bucket, to judge what is in it.

        Under our prefix it is ours to delete in the end.

        Raises:
            StagingError: it is in another bucket, or S3 refuses.
        """
        bucket, _, key = url.removeprefix("s3://").partition("/")
        if bucket != self._settings.bucket:
            raise StagingError(
                f"BATCH file {url} is not in the staging bucket {self._settings.bucket}: let the "
                "tap write there, or to local files"
            )
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(self._fetched)}-{Path(key).name}"
        with self._refusals():
            self._s3.download_file(bucket, key, str(path))
        self._fetched[path] = url
        if key.startswith(self._prefix):
            self._keys.append(key)
        return path

    def upload(self, files: Sequence[Path]) -> str:
        """Upload files, side by side, large ones in parts, and a manifest of them.

        What was fetched is there already.

        Returns:
            The manifest's address.

        Raises:
            StagingError: S3 refuses.
        """
        self._uploads += 1
        folder = f"{self._run}{self._uploads}/"
        entries = [
            {
                "url": self._fetched.get(file, f"s3://{self._settings.bucket}/{folder}{file.name}"),
                "mandatory": True,
                "meta": {"content_length": file.stat().st_size},
            }
            for file in files
        ]
        files = [file for file in files if file not in self._fetched]
        with self._refusals():
            self._sweep()
            self._keys += [*(f"{folder}{file.name}" for file in files), f"{folder}manifest"]
            self._is_broken_off = True
            self._transfer(folder, files)
            self._is_broken_off = False
            self._s3.put_object(
                Bucket=self._settings.bucket,
                Key=f"{folder}manifest",
                Body=json.dumps({"entries": entries}).encode(),
                **self._encryption,
            )
        return f"s3://{self._settings.bucket}/{folder}manifest"

    def remove(self) -> None:
        """Delete all that this run uploaded, parts of broken uploads too.

        Raises:
            StagingError: S3 refuses.
        """
        with self._refusals():
            self._delete(self._keys)
            self._keys, self._fetched = [], {}
            if self._is_broken_off:
                self._abort_uploads(lambda key: key.startswith(self._run))
                self._is_broken_off = False

    def close(self) -> None:
        """Close the connections to S3."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def authorization(self) -> str:
        """Write the words by which COPY may read; never log them."""
        role = self._settings.copy_role
        if role == "default":
            return "iam_role default"
        if role is not None:
            return f"iam_role {literal(role)}"
        credentials = self._session.get_credentials()
        if credentials is None:
            raise StagingError("COPY needs AWS credentials, and none were found: set copy_role")
        keys = credentials.get_frozen_credentials()
        self._secrets = (keys.secret_key, *filter(None, [keys.token]))
        token = f" session_token {literal(keys.token)}" if keys.token else ""
        return (
            f"access_key_id {literal(keys.access_key)} "
            f"secret_access_key {literal(keys.secret_key)}{token}"
        )

    def hidden(self, text: str) -> str:
        """Take out of a text of the server's what `authorization` gave away."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    @property
    def _s3(self) -> Any:  # noqa: ANN401  # boto3's client has no type
        if self._client is None:
            self._client = self._session.client("s3", endpoint_url=self._settings.endpoint_url)
        return self._client

    @property
    def _encryption(self) -> dict[str, str]:
        key = self._settings.kms_key_id
        return {"ServerSideEncryption": "aws:kms", **({"SSEKMSKeyId": key} if key else {})}

    def _transfer(self, folder: str, files: Sequence[Path]) -> None:
        config = TransferConfig(max_concurrency=UPLOADS_AT_ONCE)
        with create_transfer_manager(self._s3, config) as manager:
            uploads = [
                manager.upload(
                    str(file),
                    self._settings.bucket,
                    f"{folder}{file.name}",
                    extra_args=self._encryption,
                )
                for file in files
            ]
            for upload in uploads:
                upload.result()

    def _sweep(self) -> None:
        """Remove what killed runs of this pipeline left: once in a run, before its first upload."""
        if self._is_swept:
            return
        self._is_swept = True
        now = dt.datetime.now(dt.UTC)
        dead = [
            item["Key"]
            for item in self._objects(self._pipeline)
            if self._is_dead(item["Key"]) or now - item["LastModified"] > LONGEST_STAY
        ]
        self._delete(dead)
        self._abort_uploads(self._is_dead)

    def _is_dead(self, key: str) -> bool:
        """Whether a file is of a process of this machine that has ended."""
        host, _, rest = key.removeprefix(self._pipeline).partition("+")
        pid = rest.partition("+")[0]
        is_here = host == _plain(socket.gethostname()) and pid.isdecimal()
        return is_here and not Path("/proc", pid).exists()

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=prefix):
            yield from page.get("Contents", ())

    def _delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), KEYS_PER_DELETE):
            chunk = keys[start : start + KEYS_PER_DELETE]
            answer = self._s3.delete_objects(
                Bucket=self._settings.bucket,
                Delete={"Objects": [{"Key": key} for key in chunk], "Quiet": True},
            )
            if failed := answer.get("Errors"):
                raise StagingError(
                    f"{failed[0]['Key']} cannot be deleted from bucket {self._settings.bucket}: "
                    f"{failed[0]['Message']}: the loader needs s3:DeleteObject there"
                )

    def _abort_uploads(self, is_broken_off: Callable[[str], bool]) -> None:
        pages = self._s3.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=self._pipeline):
            for upload in page.get("Uploads", ()):
                if is_broken_off(upload["Key"]):
                    self._s3.abort_multipart_upload(
                        Bucket=self._settings.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """Make one line of what S3 says."""
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            text = " ".join(str(error).split())
            raise StagingError(
                f"staging bucket {self._settings.bucket} refuses: {text}: check that it exists, "
                "its region, and that the loader may list, put and delete there"
            ) from None


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)
