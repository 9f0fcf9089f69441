"""Meltano state that lives in the warehouse, in the transaction of the rows it speaks of."""

from watershed_state_backend.duckdb_store import DuckDBStateStoreManager

__all__ = ["DuckDBStateStoreManager"]
