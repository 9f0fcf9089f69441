"""Sessions of Amazon Redshift, for whatever loads, builds, publishes or reads there."""

from watershed_redshift.connection import ConnectionSettings, RedshiftConnection
from watershed_redshift.environment import ADDRESS, read_environment
from watershed_redshift.exceptions import ConflictError, ConnectionLostError, RedshiftError

__all__ = [
    "ADDRESS",
    "ConflictError",
    "ConnectionLostError",
    "ConnectionSettings",
    "RedshiftConnection",
    "RedshiftError",
    "read_environment",
]
