"""Singer target for Redshift: each STATE commits rows, ledger and bookmark together."""

import watershed_lean_sdk  # noqa: F401  # before the SDK
