"""The Singer SDK's own tests of a tap, against a live server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watershed_tap.testing import Runner, pass_standard_tests
from watershed_tap_mysql.tap import TapMySQL

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]


def test_passes_every_standard_test(
    tap: Runner, execute: Execute, subtests: pytest.Subtests
) -> None:
    script = (Path(__file__).parent / "standard_types.sql").read_text()
    execute(*script.strip().removesuffix(";").split(";\n"))
    pass_standard_tests(TapMySQL, dict(tap.config), subtests)
