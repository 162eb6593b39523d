"""What the methods do, a module for each noun. Importing them registers them."""

from airflow_provider_altcraft.sandbox.methods import (
    campaigns,
    databases,
    mailings,
    orders,
    promocodes,
    scenarios,
    suppresses,
    tasks,
)
from airflow_provider_altcraft.sandbox.methods.call import METHODS, Act

__all__ = [
    "METHODS",
    "Act",
    "campaigns",
    "databases",
    "mailings",
    "orders",
    "promocodes",
    "scenarios",
    "suppresses",
    "tasks",
]
