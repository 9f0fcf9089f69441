"""Meltano state that lives in the warehouse, in the transaction of the rows it speaks of."""

from watershed_state_backend.duckdb_store import DuckDBStateStoreManager
from watershed_state_backend.environment import store_of_environment
from watershed_state_backend.redshift_store import RedshiftStateStoreManager

__all__ = ["DuckDBStateStoreManager", "RedshiftStateStoreManager", "store_of_environment"]
