"""What can go wrong with a server, by what one can do about it."""


class ServerError(Exception):
    """A server cannot do what was asked; the text is one line that says what to do."""


class ProgramsMissingError(ServerError):
    """The server's programs are not installed."""


class ServerStartError(ServerError):
    """The server did not come up; the text ends with what its log says."""


class ServerStopError(ServerError):
    """The server did not go down in time."""
