"""The list of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.templates import Templates

CHECKS: dict[str, Callable[[Templates], list[str]]] = {}
"""By their names, which say what is true."""


def check(function: Callable[[Templates], Iterator[str]]) -> Callable[[Templates], list[str]]:
    """Enter a check into the list under its own name."""

    def run(templates: Templates) -> list[str]:
        return list(function(templates))

    CHECKS[function.__name__] = run
    return run
