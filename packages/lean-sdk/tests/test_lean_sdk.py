"""Plugins start without joblib, and who calls it has it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.extract

PLUGINS = (
    "watershed_tap_postgres.tap",
    "watershed_tap_mysql.tap",
    "watershed_tap_mongodb.tap",
    "watershed_target_duckdb.target",
    "watershed_target_redshift.target",
)


def said_by(*lines: str) -> str:
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_starts_without_joblib(plugin: str) -> None:
    loaded = said_by(
        "import importlib, sys",
        f"importlib.import_module({plugin!r})",
        "print(*(name for name in sys.modules if name.startswith('joblib.')))",
    )
    assert loaded == ""


def test_what_the_sdk_does_with_joblib_works_as_before() -> None:
    found = said_by(
        "import watershed_lean_sdk",
        "from singer_sdk.target_base import Parallel, delayed, parallel_config",
        "with parallel_config(backend='threading', n_jobs=2):",
        "    print(Parallel()(delayed(pow)(n, 2) for n in range(4)))",
    )
    assert found == "[0, 1, 4, 9]"


@pytest.mark.parametrize("asked", ["import joblib; joblib.Memory", "from joblib import Memory"])
def test_whatever_else_is_asked_of_joblib_is_joblibs_own(asked: str) -> None:
    assert said_by("import watershed_lean_sdk", "import singer_sdk", asked, "print('found')") == (
        "found"
    )
