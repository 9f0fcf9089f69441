"""What our Singer targets share; each is its settings, its `Warehouse` and its name.

The load plan decides what messages do. Here they are read, and handed to it.
"""

import watershed_lean_sdk  # noqa: F401  # before the SDK
from watershed_target.command_line import run
from watershed_target.target import SHARED_SETTINGS, LoadPlanTarget

__all__ = ["SHARED_SETTINGS", "LoadPlanTarget", "run"]
