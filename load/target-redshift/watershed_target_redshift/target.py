"""Singer target for Redshift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from watershed_redshift import ConnectionSettings, RedshiftConnection
from watershed_target import SHARED_SETTINGS, LoadPlanTarget, run
from watershed_target_redshift.layouts import read_layouts
from watershed_target_redshift.settings import LoadSettings
from watershed_target_redshift.staging import Staging, StagingSettings
from watershed_target_redshift.warehouse import RedshiftWarehouse

if TYPE_CHECKING:
    from watershed_load_plan import LoadOptions, Warehouse
DEFAULT_PREFIX = "watershed"


class TargetRedshift(LoadPlanTarget):
    """Loads Singer streams into Redshift; each STATE commits rows, ledger and bookmark."""

    name = "watershed-target-redshift"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("host", th.StringType, description="Of the cluster or workgroup."),
        th.Property("port", th.IntegerType, default=5439, description="Its port."),
        th.Property("database", th.StringType, required=True, description="The database."),
        th.Property("user", th.StringType, description="The database user."),
        th.Property(
            "password",
            th.StringType,
            secret=True,
            description="Of the user. Without one temporary credentials come from IAM.",
        ),
        th.Property(
            "cluster_identifier", th.StringType, description="The cluster, for IAM credentials."
        ),
        th.Property(
            "workgroup", th.StringType, description="The serverless workgroup, for the same."
        ),
        th.Property("region", th.StringType, description="AWS region of Redshift and the bucket."),
        th.Property(
            "sslmode",
            th.StringType,
            default="verify-full",
            allowed_values=["verify-full", "verify-ca"],
            description="How Redshift's certificate is verified.",
        ),
        th.Property(
            "staging_bucket", th.StringType, required=True, description="S3 bucket of the files."
        ),
        th.Property(
            "staging_prefix",
            th.StringType,
            default=DEFAULT_PREFIX,
            description="Beginning of the files' keys; each run has a folder of its own below it.",
        ),
        th.Property(
            "staging_kms_key_id",
            th.StringType,
            description="KMS key of the files. Default: the account's key for S3.",
        ),
        th.Property(
            "copy_role",
            th.StringType,
            default="default",
            description="ARN of the role that COPY reads with; default: the cluster's own.",
        ),
        th.Property(
            "copy_with_keys",
            th.BooleanType,
            default=False,
            description="Let COPY read with the loader's own AWS credentials, without a role.",
        ),
        th.Property(
            "slices",
            th.IntegerType(minimum=1),
            default=4,
            description="Files that a large batch is written to: the cluster's slices.",
        ),
        th.Property(
            "stream_metadata",
            th.ObjectType(additional_properties=th.ObjectType()),
            description="The extractor's metadata by stream; redshift-distribution-key and "
            "redshift-sort-keys in them are how a new table's rows lie. Without, both are AUTO.",
        ),
        th.Property(
            "statement_timeout_seconds",
            th.NumberType,
            default=600,
            description="How long a statement may take, waiting for other transactions included.",
        ),
        th.Property(
            "vacuum", th.BooleanType, default=False, description="VACUUM what a run changed."
        ),
        th.Property(
            "spool_directory",
            th.StringType,
            default="output/batches",
            description="Where rows wait, as files, for their commit.",
        ),
        th.Property(
            "aws_endpoint_url",
            th.StringType,
            description="Address of S3 and of IAM credentials in the place of AWS's own.",
        ),
        *SHARED_SETTINGS,
    ).to_dict()

    def spool_directory(self) -> Path:
        """As configured."""
        return Path(self.config["spool_directory"]).absolute()

    def open_warehouse(self, options: LoadOptions) -> Warehouse:
        """Make the dialect of the database.

        Raises:
            LoadError: the settings do not say how to connect.
        """
        endpoint = self._given("aws_endpoint_url")
        connection = RedshiftConnection(
            ConnectionSettings(
                host=self._given("host"),
                port=self.config["port"],
                database=self.config["database"],
                user=self._given("user"),
                password=self._given("password"),
                cluster_identifier=self._given("cluster_identifier"),
                workgroup=self._given("workgroup"),
                region=self._given("region"),
                sslmode=self.config["sslmode"],
                iam_endpoint_url=endpoint,
            )
        )
        staging = Staging(
            StagingSettings(
                bucket=self.config["staging_bucket"],
                prefix=self._given("staging_prefix") or DEFAULT_PREFIX,
                region=self._given("region"),
                kms_key_id=self._given("staging_kms_key_id"),
                endpoint_url=endpoint,
                copy_role=(
                    None if self.config["copy_with_keys"] else self._given("copy_role") or "default"
                ),
            ),
            options.state_id,
            options.run_id,
        )
        settings = LoadSettings(
            slices=self.config["slices"],
            layouts=read_layouts(self.config.get("stream_metadata") or {}, options.target_schema),
            statement_timeout_seconds=float(self.config["statement_timeout_seconds"]),
            is_vacuumed=self.config["vacuum"],
        )
        folder = options.spool_directory / "stages"
        return RedshiftWarehouse(connection, staging, folder, settings)

    def _given(self, setting: str) -> str | None:
        """Read a setting; Meltano makes an empty text of a variable that is not set."""
        return self.config.get(setting) or None


def main() -> None:
    """Run the target; what a person can mend ends in one line and exit code 1."""
    run(TargetRedshift)
