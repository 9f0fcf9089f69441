"""What can go wrong between us and S3."""

from __future__ import annotations

from watershed_load_plan import LoadError


class StagingError(LoadError):
    """S3 does not take or give our files: bucket, rights or key must be mended."""
