"""Opens the embedded warehouse: one file, one writer, a lock that is waited for."""

from watershed_duckdb.file import (
    WarehouseError,
    WarehouseLockedError,
    WarehouseMissingError,
    connect,
)

__all__ = ["WarehouseError", "WarehouseLockedError", "WarehouseMissingError", "connect"]
