"""Starts and stops real database servers on loopback, for the demo and the tests."""

from watershed_servers.documents import DocumentDatabase, DocumentServer
from watershed_servers.exceptions import (
    ProgramsMissingError,
    ServerError,
    ServerStartError,
    ServerStopError,
)
from watershed_servers.loopback import LoopbackServer
from watershed_servers.mariadb import MariaDBDatabase, MariaDBServer
from watershed_servers.postgres import PostgresDatabase, PostgresServer

__all__ = [
    "DocumentDatabase",
    "DocumentServer",
    "LoopbackServer",
    "MariaDBDatabase",
    "MariaDBServer",
    "PostgresDatabase",
    "PostgresServer",
    "ProgramsMissingError",
    "ServerError",
    "ServerStartError",
    "ServerStopError",
]
