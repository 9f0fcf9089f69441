"""The sample company: real servers, deterministic data, deterministic days of change."""
