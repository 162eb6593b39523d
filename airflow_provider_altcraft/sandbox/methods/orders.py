"""Orders of the market."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.contract.method import MATCHING
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, attempt, method, moment

LINE_STATUSES = {"delivered", "canceled", "refunded", "in_process"}
"""The types of custom line statuses (CONTRACT 11)."""


@method("market/orders/import")
def import_orders(call: ApiCall) -> Body:
    """CONTRACT 11. Whether a repeated order is a new one is not documented; here it is the same."""
    for status in call["custom_line_statuses"] or []:
        if not isinstance(status, dict) or str(status.get("type")) not in LINE_STATUSES:
            raise Refused(400, f"the type of a custom line status must be one of {', '.join(sorted(LINE_STATUSES))}")
    items = [attempt(_save, call, order) for order in call["data"]]
    return {"result": items} if call.behaviour.orders_answer == "items" else {}


def _save(call: ApiCall, order: Any) -> Body:
    if not isinstance(order, dict):
        raise Refused(400, text="An order must be an object")
    external_id = order.get("external_id")
    if external_id in (None, "") or not isinstance(external_id, str | int):
        raise Refused(400, text="No external_id")
    matching = str(order.get("matching") or "email")
    if matching not in MATCHING:
        raise Refused(400, text=f"Unknown matching: {matching}")
    if not isinstance(order.get("total_price", ""), str):
        raise Refused(400, text="total_price must be a string")
    if not isinstance(order.get("lines", []), list):
        raise Refused(400, text="lines must be an array")
    if "create_time" in order:
        moment(str(order["create_time"]))
    return {"id": call.world.save_order(str(external_id), order)}


@method("market/orders/get_status")
def order_status(call: ApiCall) -> Body:
    """CONTRACT 11: by ``id`` or ``external_id``; the payload is at the top."""
    if call["id"] is None and not call["external_id"]:
        raise Refused(400, "one of id and external_id is needed")
    for external_id, order in call.world.orders.items():
        if call["external_id"] == external_id or call["id"] == order.order_id:
            return {"result": {"endpoint": order.data.get("endpoint", ""), "status": order.data.get("status", "")}}
    raise Refused(404, text="Order not found")
