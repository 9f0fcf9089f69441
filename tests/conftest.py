"""The project itself, in a folder of its own, with a source of its own."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PARTS = ("meltano.yml", "environments", "transform")
PLUGIN_FILES = ("extract", "load", "orchestrate")
BARE_ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
"""What cron gives a job, at most."""


@dataclass(frozen=True)
class Pipeline:
    """A copy of the project; its output, bookmarks and logs are its own."""

    root: Path

    @property
    def bin(self):
        return self.root / ".venv" / "bin"

    def run(self, program, *arguments, prefix=(), check=True, **environment):
        """Run one of the project's programs as cron would: by its path, with a bare environment."""
        done = subprocess.run(
            [*prefix, self.bin / program, *arguments],
            cwd=self.root,
            env={
                **BARE_ENVIRONMENT,
                # Else Meltano writes into the home of who runs the tests.
                "XDG_STATE_HOME": str(self.root / "output" / "logs"),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(
                f"{program} {' '.join(arguments)} ended with {done.returncode}:\n"
                f"{done.stdout}\n{done.stderr}"
            )
        return done


def copy_project(root):
    """Copy what a job reads, and let it find the programs where it looks for them."""
    root.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("target", "logs", ".user.yml")
            shutil.copytree(source, root / part, ignore=ignored)
        else:
            shutil.copy(source, root / part)
    for folder in PLUGIN_FILES:
        (root / folder).mkdir()
        for file in (REPOSITORY / folder).glob("*.meltano.yml"):
            shutil.copy(file, root / folder)
    (root / "demo").mkdir()
    for question in (REPOSITORY / "demo").glob("*.sql"):
        shutil.copy(question, root / "demo")
    return root


@pytest.fixture(scope="session")
def repository():
    """Where this repository stands."""
    return REPOSITORY


@pytest.fixture
def pipeline(tmp_path):
    """The project with the programs of this environment and no source."""
    root = copy_project(tmp_path / "project")
    (root / ".venv").symlink_to(sys.prefix)
    return Pipeline(root)
