"""Programs that run in a peer's environment, by their path."""
