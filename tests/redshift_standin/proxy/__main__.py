"""Runs the proxy: ``python -m redshift_standin.proxy SETTINGS``, a file that `server` writes."""

import asyncio
import functools
import json
import ssl
import sys
from pathlib import Path
from typing import Any

from redshift_standin.object_store import connect
from redshift_standin.proxy.jobs import Resources
from redshift_standin.proxy.session import BYTES_A_TIME, Backend, serve


async def main(settings: dict[str, Any]) -> None:
    """Serve until the process is ended."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(settings["certificate"], settings["key"])
    resources = Resources(connect(settings["s3"]), settings["administrator"])
    backend = Backend(settings["backend_host"], settings["backend_port"], resources)
    handler = functools.partial(serve, backend, tls)
    server = await asyncio.start_server(
        handler, settings["host"], settings["port"], limit=BYTES_A_TIME
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
