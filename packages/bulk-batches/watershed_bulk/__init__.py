"""Arrow record batches become Parquet files, which travel as Singer BATCH messages."""

ROW_GROUP = 122_880
"""Rows that Parquet files, and DuckDB's own, hold together: one begun is written again later."""
