"""Starts and stops real database servers on loopback, for the demo and the tests."""
