"""Record, in every Python process, each attempt to reach anything but this machine.

Imported by a `.pth` file of the environment that a test makes; `OFFLINE_LOG` names the record.
"""

import ipaddress
import os
import sys
from pathlib import Path

RESOLVING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
SENDING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOCAL_NAMES = {"localhost", "", None, "0.0.0.0", "::"}  # noqa: S104  # a name, bound by nobody


def is_local(host):
    """Tell whether a host, as given to the socket module, is this machine."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def record(event, arguments):
    """Write down the attempt; the kernel refuses it, or the network is not there."""
    if event in RESOLVING:
        host = arguments[0]
    elif event in SENDING:
        address = arguments[1]
        # A path is a Unix socket; None, a socket that is connected already.
        host = address[0] if isinstance(address, tuple) else None
    else:
        return
    if not is_local(host):
        with Path(os.environ["OFFLINE_LOG"]).open("a") as log:
            log.write(f"{event} {host} by {' '.join(sys.orig_argv)}\n")


if "OFFLINE_LOG" in os.environ:
    sys.addaudithook(record)
