"""What the methods do, a module for each noun. Importing them registers them."""

from airflow_provider_altcraft.sandbox.methods import (
    campaigns,
    counters,
    databases,
    exports,
    files,
    goals,
    mailings,
    orders,
    profiles,
    promocodes,
    quick_import,
    reports,
    scenarios,
    segments,
    senders,
    subscriptions,
    suppresses,
    tasks,
    triggers,
)
from airflow_provider_altcraft.sandbox.methods.call import METHODS, ApiCall

__all__ = [
    "METHODS", "ApiCall", "campaigns", "counters", "databases", "exports", "files", "goals", "mailings", "orders",
    "profiles", "promocodes", "quick_import", "reports", "scenarios", "segments", "senders", "subscriptions",
    "suppresses", "tasks", "triggers",
]  # fmt: skip
