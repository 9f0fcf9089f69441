"""The Singer SDK's own tests of a tap, against a live server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watershed_tap.testing import pass_standard_tests
from watershed_tap_postgres.tap import TapPostgres

pytestmark = pytest.mark.extract

Execute = Callable[..., list[tuple[Any, ...]]]


def test_passes_every_standard_test(tap, execute: Execute, subtests: pytest.Subtests) -> None:
    execute((Path(__file__).parent / "standard_types.sql").read_text())
    pass_standard_tests(TapPostgres, dict(tap.config), subtests)
