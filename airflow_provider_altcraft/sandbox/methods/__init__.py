"""What the methods do, one module per noun. Importing a module registers its methods."""

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
