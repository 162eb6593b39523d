"""Where rows can go. A destination knows its endpoint, the form of its rows and their keys, and reads the answers."""

from airflow_provider_altcraft.delivery.destinations.base import Destination
from airflow_provider_altcraft.delivery.destinations.orders import Orders
from airflow_provider_altcraft.delivery.destinations.profiles import ProfileDatabase, Scenario, TriggerMailing
from airflow_provider_altcraft.delivery.destinations.promocodes import PromoCodes
from airflow_provider_altcraft.delivery.destinations.suppresses import SuppressionList

__all__ = [
    "Destination",
    "Orders",
    "ProfileDatabase",
    "PromoCodes",
    "Scenario",
    "SuppressionList",
    "TriggerMailing",
]
