"""Proof of replication: the raw tables and their sources hold the same rows."""
