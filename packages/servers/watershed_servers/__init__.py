"""Starts and stops real database servers on loopback, for the demo and the tests."""

from watershed_servers.exceptions import (
    ProgramsMissingError,
    ServerError,
    ServerStartError,
    ServerStopError,
)
from watershed_servers.postgres import PostgresDatabase, PostgresServer

__all__ = [
    "PostgresDatabase",
    "PostgresServer",
    "ProgramsMissingError",
    "ServerError",
    "ServerStartError",
    "ServerStopError",
]
