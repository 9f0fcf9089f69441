"""Showing the documentation to a browser of this machine."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from watershed.exceptions import MissingFileError, WatershedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOOPBACK = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Answers for the files of one folder, in silence."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is theirs
        """Say nothing: the address is all that a person wants to see."""


def serve(folder: Path, *, port: int, announce: Callable[[str], None]) -> None:
    """Serve the pages until somebody interrupts.

    Args:
        folder: Where `watershed build` wrote them.
        port: 0 takes a free one.
        announce: Told the address.

    Raises:
        MissingFileError: there are no pages.
        WatershedError: the port is taken.
    """
    if not (folder / "index.html").is_file():
        raise MissingFileError(f"{folder} has no pages yet: `make docs` or `watershed build`")
    try:
        server = ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise WatershedError(f"port {port}: {error.strerror}; --port 0 takes a free one") from error
    with server:
        announce(f"http://{LOOPBACK}:{server.server_port}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            announce("stopped")
