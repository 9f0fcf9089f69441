"""Where the servers' programs are, and which processes belong to a server."""

import shutil
from pathlib import Path

from watershed_servers.exceptions import ProgramsMissingError

# Debian and Ubuntu, then Red Hat and its kin, keep the server's programs out of PATH.
FOLDERS_OUT_OF_PATH = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/libexec"


def find_program_folder() -> Path:
    """Find the folder with ``initdb`` and ``postgres``; of several versions, the newest.

    Raises:
        ProgramsMissingError: PostgreSQL's server is not installed.
    """
    found = shutil.which("initdb")
    if found and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    folders = [folder for pattern in FOLDERS_OUT_OF_PATH for folder in Path("/").glob(pattern)]
    folders = [folder for folder in folders if (folder / "initdb").exists()]
    if not folders:
        raise ProgramsMissingError(
            "PostgreSQL's server programs (initdb, postgres) are neither in PATH nor in "
            "/usr/lib/postgresql/*/bin: install them (Debian and Ubuntu: apt-get install "
            "postgresql) or start the server of demo/compose.yml"
        )
    return max(folders, key=_version)


def find_program(name: str) -> Path:
    """Find a program of MariaDB's server, which Debian keeps out of an ordinary user's PATH.

    Raises:
        ProgramsMissingError: MariaDB's server is not installed.
    """
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
    if found is None:
        raise ProgramsMissingError(
            f"MariaDB's server program {name} is neither in PATH nor in {SYSTEM_FOLDERS}: install "
            "it (Debian and Ubuntu: apt-get install mariadb-server-core mariadb-client-core) or "
            "start the server of demo/compose.yml"
        )
    return Path(found)


def _version(folder: Path) -> int:
    digits = "".join(filter(str.isdigit, folder.parent.name))
    return int(digits or 0)


def command_line(pid: int) -> str:
    """The command line of a process; empty when it is gone, or dead and not yet waited for."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except (FileNotFoundError, ProcessLookupError):
        return ""


def processes_named(text: str) -> list[int]:
    """The processes whose command line contains ``text``."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if text in command_line(pid)]
