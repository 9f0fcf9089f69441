"""Measures ways to bring a table from a source into DuckDB; see docs/benchmarks.md."""
