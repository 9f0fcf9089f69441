"""The sample company: real servers, deterministic data, deterministic days of change."""

from watershed_demo.crm.days import apply_crm_day
from watershed_demo.crm.history import generate_crm
from watershed_demo.exceptions import DemoError
from watershed_demo.shop.days import apply_day
from watershed_demo.shop.history import TABLES, ShopSize, generate_shop
from watershed_demo.timeline import DEFAULT_SEED, Changes
from watershed_demo.web.days import apply_web_day
from watershed_demo.web.history import generate_web

__all__ = [
    "DEFAULT_SEED",
    "TABLES",
    "Changes",
    "DemoError",
    "ShopSize",
    "apply_crm_day",
    "apply_day",
    "apply_web_day",
    "generate_crm",
    "generate_shop",
    "generate_web",
]
