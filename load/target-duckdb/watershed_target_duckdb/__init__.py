"""Singer target for DuckDB: each STATE commits rows, ledger and bookmark together."""
