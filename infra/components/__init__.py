"""Constructs that the stacks compose; each takes what it needs by keyword."""
