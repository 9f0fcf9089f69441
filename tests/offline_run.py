"""Run what a schedule and a person run, and tell whether anything left this machine.

Usage: offline_run.py PROJECT [--own-network], the latter in a new network namespace. Reads command
lines from standard input. Prints one JSON object: what each of them said, and, of a network of its
own, how often the kernel had nowhere to send something to: before, after, and once something
outside was tried.
"""

# ruff: noqa: T201  # it speaks to the test through standard output

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
OUTSIDE = (("192.0.2.1", 443), ("2001:db8::1", 443))
NAME_OUTSIDE = "watershed.invalid"
"""Reserved for documentation and tests: nobody answers."""


def bring_up_loopback():
    """Do what `ip link set lo up` does; a new namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def unroutable():
    """Count what the kernel had no route for, or nobody at home for, since the namespace began."""
    counters = {}
    lines = Path("/proc/net/snmp").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        protocol = names.split()[0]
        fields = (protocol + name for name in names.split()[1:])
        counters |= zip(fields, values.split()[1:], strict=True)
    counters |= (line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    counted = ("Ip:OutNoRoutes", "Ip6OutNoRoutes", "Udp:NoPorts", "Udp6NoPorts")
    return {name: int(counters[name]) for name in counted}


def run(project, command):
    """Run a command line with what cron would give it, or less."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=project,
        env={
            "PATH": "/usr/bin:/bin",
            # Else Meltano writes into the home of who runs the tests.
            "XDG_STATE_HOME": str(project / "output" / "logs"),
            "OFFLINE_LOG": os.environ["OFFLINE_LOG"],
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return {"command": command, "code": done.returncode, "out": done.stdout, "err": done.stderr}


def reach_outside():
    """Try what must not happen, to show that it would be noticed."""
    for address in OUTSIDE:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            continue
    try:
        socket.getaddrinfo(NAME_OUTSIDE, 443)
    except OSError:
        return


def main():
    """Print what happened."""
    project = Path(sys.argv[1])
    has_own_network = "--own-network" in sys.argv
    count = unroutable if has_own_network else dict
    if has_own_network:
        bring_up_loopback()
    before = count()
    try:
        run(project, ".venv/bin/watershed-demo --project . up")
        said = [run(project, command.rstrip("\n")) for command in sys.stdin]
    finally:
        run(project, ".venv/bin/watershed-demo --project . down")
    after = count()
    reach_outside()
    print(json.dumps({"said": said, "before": before, "after": after, "tried": count()}))


main()
