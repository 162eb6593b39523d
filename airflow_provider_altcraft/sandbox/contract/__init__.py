"""Which methods there are, what they take and whether they change anything, as documented."""

from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.sandbox.contract import (
    campaigns,
    checking,
    databases,
    files,
    loyalty,
    mailings,
    orders,
    profiles,
    reports,
    suppresses,
)
from airflow_provider_altcraft.sandbox.contract.method import Documented, Method, Refused
from airflow_provider_altcraft.sandbox.contract.not_emulated import NOT_EMULATED

__all__ = ["METHODS", "NOT_EMULATED", "UNKNOWN", "Documented", "Method", "Refused", "checked"]

METHODS: dict[str, Method] = {
    **files.METHODS,
    **databases.METHODS,
    **profiles.METHODS,
    **suppresses.METHODS,
    **loyalty.METHODS,
    **orders.METHODS,
    **mailings.METHODS,
    **campaigns.METHODS,
    **reports.METHODS,
}
"""Every emulated method, by its path below ``/api/v1.1/``, or else below ``/api/``.

A new one needs a row in a table here and a function in ``methods``.
"""

UNKNOWN = Method({})
"""What stands for a method that is not emulated, until its call is refused."""


def checked(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call, as their types.

    :raises Refused: for a method that does not exist or is not emulated, and for wrong parameters.
    """
    if name in NOT_EMULATED:
        raise Refused(404, f"{name}: {NOT_EMULATED[name]}", f"{name} is not emulated")
    if name not in METHODS:
        raise Refused(404, f"there is no method {name}", "Not found")
    return checking.checked(METHODS[name], body)
