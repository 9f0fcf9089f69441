"""Arrow record batches become Parquet files, which travel as Singer BATCH messages."""
