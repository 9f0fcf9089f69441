"""Singer tap for PostgreSQL: exact types, verified TLS."""

import watershed_lean_sdk  # noqa: F401  # before the SDK
