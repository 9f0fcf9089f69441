"""Fixtures: real servers that tests of every package share."""
