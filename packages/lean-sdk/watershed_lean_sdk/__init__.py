"""Import this before ``singer_sdk``, and joblib waits until somebody calls it.

The SDK imports joblib, and that NumPy, into each tap and target, half of what importing it costs;
only sinks that drain side by side use it, and ours do not. A run of three sources starts nine of
these processes.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_USED_BY_THE_SDK = ("Parallel", "delayed", "parallel_config")


def _joblib() -> ModuleType:
    """Load joblib itself, in the place of what stands in for it."""
    if isinstance(sys.modules.get("joblib"), _Joblib):
        del sys.modules["joblib"]
    return importlib.import_module("joblib")


def _later(name: str) -> Any:  # noqa: ANN401  # what joblib calls so
    def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  # as above
        return getattr(_joblib(), name)(*arguments, **options)

    return call


class _Joblib(ModuleType):
    """Stands in for joblib until something of it is called, or asked for that the SDK does not."""

    def __init__(self) -> None:
        super().__init__("joblib")
        for name in _USED_BY_THE_SDK:
            setattr(self, name, _later(name))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # as above
        if name.startswith("__"):  # the import system asks for such
            raise AttributeError(name)
        return getattr(_joblib(), name)


if "joblib" not in sys.modules:
    sys.modules["joblib"] = _Joblib()
