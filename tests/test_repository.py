"""What a newcomer sees of this repository, and what must never be in it."""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name]


def test_the_readme_is_short_and_shows_the_two_commands():
    readme = (REPOSITORY / "README.md").read_text()
    assert len(readme.splitlines()) <= 120
    assert {"make demo", "make test"} <= set(readme.splitlines())


def test_ci_runs_the_readmes_test_command_and_nothing_else():
    lines = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]


def test_every_command_of_the_makefile_says_what_it_does():
    done = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    shown = set(re.findall(r"make ([a-z-]+)", done.stdout))
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert targets == shown
    assert len((REPOSITORY / "Makefile").read_text().splitlines()) <= 80


def test_the_top_level_is_a_table_of_contents(files):
    top = {path.relative_to(REPOSITORY).parts[0] for path in files}
    assert len(top) <= 25


def test_no_module_holds_two_ideas(files):
    too_long = [
        path.name
        for path in files
        if path.suffix == ".py" and path.exists() and len(path.read_text().splitlines()) > 400
    ]
    assert too_long == []


def test_locks_hold_names_versions_and_hashes_for_every_python_and_no_address(files):
    locks = [path for path in files if path.suffix == ".lock"]
    assert len(locks) >= 3
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text, lock.name
        for requirement in re.findall(r"^\S.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL):
            if not requirement.startswith("#"):
                assert "==" in requirement, requirement
                assert "--hash=sha256:" in requirement, requirement


def test_links_in_the_documents_lead_somewhere(files):
    for document in (path for path in files if path.suffix == ".md" and path.exists()):
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text()):
            if "models/docs" in str(document) and target.endswith(".html"):
                continue  # a page of the generated site, which a browser opens in its test
            assert (document.parent / target).exists(), f"{document.name}: {target}"
