"""How root runs a program as an ordinary user, which database servers insist on."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from watershed_servers.exceptions import ServerError


@dataclass(frozen=True)
class OrdinaryUser:
    """The account a server runs under.

    Attributes:
        prefix: what to put before a command line, e.g. ``("unshare", "--user")``.
        owner: who must own the server's files; None when that is whoever we are.
    """

    prefix: tuple[str, ...]
    owner: str | None = None

    def own(self, folder: Path) -> None:
        """Give ``folder`` and all that is in it to the account, where that is somebody else.

        Raises:
            ServerError: the account cannot get there, because a folder above keeps it out.
        """
        if self.owner is None:
            return
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, self.owner, self.owner)
        if not _can_run((*self.prefix, "test", "-x", str(folder))):
            raise ServerError(
                f"the account {self.owner}, which must run the server where user namespaces are "
                f"forbidden, cannot enter {folder}: move the project to where it can"
            )


def find_ordinary_user() -> OrdinaryUser:
    """Find an account that is not root.

    Root becomes another user inside a user namespace: there its own files stay its own, so a
    folder that only root may enter is no obstacle. Where namespaces are forbidden (in many
    containers), the account ``postgres`` serves, which must be able to reach the folder.

    Raises:
        ServerError: we are root, and neither way is open.
    """
    if os.geteuid() != 0:
        return OrdinaryUser(())
    accounts = {account.pw_name for account in pwd.getpwall()}
    # initdb looks its user up by number, so the number must be that of an account.
    name = next((name for name in ("postgres", "nobody") if name in accounts), "1000")
    namespace = ("unshare", "--user", f"--map-user={name}")
    if _can_run((*namespace, "true")):
        return OrdinaryUser(namespace)
    identity = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    if _can_run((*identity, "true")):
        return OrdinaryUser(identity, owner="postgres")
    raise ServerError(
        "a database server does not run as root, and neither `unshare --user` nor an account "
        "`postgres` is there to use instead: run as an ordinary user, or install PostgreSQL"
    )


def _can_run(command: tuple[str, ...]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
