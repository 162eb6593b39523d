"""A loopback Altcraft, written from the contract alone.

It shares no code with the client, so that a mistake in one cannot hide in the other.
``python -m airflow_provider_altcraft.sandbox`` starts one and prints how to connect. Tests use ``Sandbox()``, or the
pytest fixture ``altcraft_sandbox``.
"""

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.faults import Fault
from airflow_provider_altcraft.sandbox.sandbox import Sandbox

__all__ = ["Behaviour", "Fault", "Sandbox"]
