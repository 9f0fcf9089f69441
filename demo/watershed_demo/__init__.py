"""The sample company: real servers, deterministic data, deterministic days of change."""

from watershed_demo.days import Changes, apply_day
from watershed_demo.exceptions import DemoError
from watershed_demo.shop import DEFAULT_SEED, TABLES, ShopSize, generate_shop

__all__ = [
    "DEFAULT_SEED",
    "TABLES",
    "Changes",
    "DemoError",
    "ShopSize",
    "apply_day",
    "generate_shop",
]
