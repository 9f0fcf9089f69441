"""What holds for every command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from watershed.exceptions import WatershedError
from watershed.settings import Settings

pytestmark = pytest.mark.trust

COMMANDS = [
    "status",
    "query",
    "load",
    "run",
    "refresh",
    "reconcile",
    "drift",
    "quarantine list",
    "quarantine show",
    "quarantine replay",
    "quarantine discard",
    "build",
    "publish",
    "notify",
    "notify test",
    "schedule list",
    "schedule next",
    "schedule render",
    "schedule run",
]
SLOW_PACKAGES = {
    "apprise",
    "duckdb",
    "dbt",
    "rich",
    "pyarrow",
    "meltano",
    "singer_sdk",
    "sqlalchemy",
}
IMPORTED = """
import sys
from watershed.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [[], *(command.split() for command in COMMANDS)])
def test_help_imports_nothing_that_is_slow(arguments):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: watershed")
    imported = set(done.stderr.split())
    assert "click" in imported
    assert not imported & SLOW_PACKAGES


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_in_json_too(project, command):
    assert "--json" in project.run(*command.split(), "--help").stdout


def test_a_wrong_command_is_one_line_and_exit_code_2(project):
    done = project.run("pubish")
    assert done.returncode == 2
    assert done.stderr == (
        "watershed: No such command 'pubish'. Did you mean 'publish'? (see watershed --help)\n"
    )


def test_no_command_at_all_shows_the_help_and_is_wrong_usage(project):
    done = project.run()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


def test_outside_a_project_it_says_where_it_looked(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "watershed", "status"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"watershed: no meltano.yml in {tmp_path} or above it")


def test_an_error_nobody_foresaw_is_one_line_and_a_traceback_when_asked_for(loaded):
    with loaded.warehouse() as connection:
        connection.execute("alter table ops.bookmarks rename column stream to table_name")
    done = loaded.run("status")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("watershed: BinderException: ")
    assert line.endswith("(WATERSHED_TRACEBACK=1 shows where)")
    asked = loaded.run("status", WATERSHED_TRACEBACK="1")
    assert asked.returncode == 1
    assert "Traceback" in asked.stderr


def test_a_warehouse_that_is_no_duckdb_file_is_one_line(project):
    project.settings.output.mkdir()
    project.settings.warehouse.write_text("not a database, and long enough to be looked into" * 99)
    for command in ("status", "publish", "build"):
        done = project.run(command)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert str(project.settings.warehouse) in line


def test_settings_come_from_the_environment_or_the_folder(project, tmp_path):
    root = project.root
    deep = root / "transform" / "models"
    deep.mkdir(parents=True)
    assert Settings.read({}, deep) == Settings(
        project_root=root,
        warehouse=root / "output/warehouse.duckdb",
        published=root / "output/published.duckdb",
        system_database=root / ".meltano/meltano.db",
    )
    named = {
        "WATERSHED_PROJECT_ROOT": str(root),
        "MELTANO_PROJECT_ROOT": "/nowhere",
        "WATERSHED_WAREHOUSE": "/elsewhere/w.duckdb",
        "WATERSHED_PUBLISHED": "served/p.duckdb",
        "MELTANO_SYS_DIR_ROOT": "/elsewhere/meltano",
    }
    assert Settings.read(named, tmp_path) == Settings(
        project_root=root,
        warehouse=Path("/elsewhere/w.duckdb"),
        published=root / "served/p.duckdb",
        system_database=Path("/elsewhere/meltano/meltano.db"),
    )
    with pytest.raises(WatershedError, match="has no meltano"):
        Settings.read({"MELTANO_PROJECT_ROOT": str(tmp_path)}, root)
