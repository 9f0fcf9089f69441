"""The Singer SDK's own tests of a tap, against a live server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner

from watershed_tap.testing import Runner
from watershed_tap_mysql.tap import TapMySQL

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]


def test_passes_every_standard_test(
    tap: Runner, execute: Execute, subtests: pytest.Subtests
) -> None:
    script = (Path(__file__).parent / "standard_types.sql").read_text()
    execute(*script.strip().removesuffix(";").split(";\n"))
    suite = SuiteConfig()
    # The class that the SDK makes for pytest needs the server when tests are collected, which is
    # before fixtures start it; so its tests are run from here.
    standard = get_tap_test_class(TapMySQL, config=dict(tap.config), suite_config=suite)
    runner = TapTestRunner(TapMySQL, dict(tap.config), suite, parse_env_config=False)
    runner.sync_all()
    names = [name for name in vars(standard) if name.startswith("test_")]
    assert len(names) > 10
    for name in names:
        run = getattr(standard, name)
        for parameters in standard.params.get(name) or [None]:
            values = parameters.values._asdict() if parameters else {}
            with subtests.test(name, case=parameters.id if parameters else ""):
                run(config=suite, resource=None, runner=runner, **values)
