"""How Singer messages become warehouse tables: types, evolution, merge, swap, ledger, quarantine.

A target makes a `LoadPlan` over its own `Warehouse` and hands it the messages in their order.
Nothing here knows which warehouse it is.
"""

from watershed_load_plan.exceptions import (
    LoadError,
    QuarantineLimitError,
    RecordError,
    SchemaError,
)
from watershed_load_plan.plan import LoadPlan
from watershed_load_plan.streams import LoadOptions
from watershed_load_plan.warehouse import Changes, Warehouse

__all__ = [
    "Changes",
    "LoadError",
    "LoadOptions",
    "LoadPlan",
    "QuarantineLimitError",
    "RecordError",
    "SchemaError",
    "Warehouse",
]
