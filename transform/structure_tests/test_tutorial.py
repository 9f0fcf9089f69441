"""R-8.6: the tutorial's files and commands, as they stand on its page, lead to a tested mart."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest

pytestmark = pytest.mark.model

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def analyst(
    built_warehouse: Path, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The project as somebody has it after `make demo`: built, published, and its build kept."""
    root = tmp_path_factory.mktemp("tutorial")
    for name in ("meltano.yml", ".sqlfluff", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, root)
    ignored = shutil.ignore_patterns("target", "logs", "structure_tests")
    shutil.copytree(REPOSITORY / "transform", root / "transform", ignore=ignored)
    (root / ".venv").symlink_to(sys.prefix)
    kept = root / "output" / "last_build"
    kept.mkdir(parents=True)
    shutil.copy(built_warehouse, root / "output" / "warehouse.duckdb")
    manifest.write(str(kept / "manifest.json"))
    shutil.copy(REPOSITORY / "transform" / "dbt_project.yml", kept)
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        ((build_id,),) = connection.execute("select build_id from ops.builds").fetchall()
    memory = {"build_id": build_id, "sources": "as they are"}
    (root / "output" / "last_build.json").write_text(json.dumps(memory))
    run(root, ".venv/bin/watershed publish")
    return root


def run(root: Path, command: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def said(analyst: Path) -> dict[str, str]:
    """What each command of the page said, after the files above it were written."""
    answers: dict[str, str] = {}
    for language, path, text in BLOCK.findall(PAGE.read_text()):
        if path:
            (analyst / path).write_text(text)
        else:
            assert language == "sh"
            answers[text.strip()] = run(analyst, text)
    return answers


def answer_of(said: dict[str, str], words: str) -> str:
    (answer,) = [text for command, text in said.items() if words in command]
    return answer


def test_the_new_mart_is_green_and_compared_with_nothing(said: dict[str, str]) -> None:
    verdict, *lines = answer_of(said, "build-changed --name").splitlines()
    assert verdict.startswith("green: 1 models and 6 tests in ")
    assert lines[0] == "  rpt_payment_methods: new, 3 rows"


def test_its_rows_answer_the_question(said: dict[str, str], analyst: Path) -> None:
    shown = answer_of(said, "changed_me_marts")
    with duckdb.connect(str(analyst / "output" / "warehouse.duckdb"), read_only=True) as connection:
        expected: list[Any] = connection.execute("""
            select payment_method, count(*), count(*) filter (where payment_status = 'failed')
            from marts.fct_payments where payment_status <> 'pending' group by 1
        """).fetchall()
    assert expected
    for row in expected:
        assert re.search(r"\s+".join(f"{cell}" for cell in row), shown), shown


def test_its_unit_test_proves_each_branch(said: dict[str, str]) -> None:
    verdict = answer_of(said, "watershed_mutation").splitlines()[-1]
    assert re.match(r"[3-9] branches, 1 unit tests, \d+ s: 0 unproved", verdict), verdict


def test_the_readers_warehouse_is_what_it_was(said: dict[str, str], analyst: Path) -> None:
    assert said
    with duckdb.connect(str(analyst / "output" / "published.duckdb"), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
    assert ("fct_payments",) in names
    assert ("rpt_payment_methods",) not in names
