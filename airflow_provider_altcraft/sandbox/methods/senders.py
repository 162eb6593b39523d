"""Senders, and virtual ones."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, page


@method("senders/list")
def senders(call: ApiCall) -> Body:
    """CONTRACT 11."""
    return page(
        call,
        (
            {"id": one.sender_id, "name": one.name, "channel": one.channel, "type": one.kind}
            for one in call.world.senders.values()
            if not one.is_virtual
        ),
    )


@method("vsenders/list")
def virtual_senders(call: ApiCall) -> Body:
    """Its answer is cut; here it is a page of what every list shows."""
    everything = call.world.senders.values()
    return page(call, ({"id": one.sender_id, "name": one.name} for one in everything if one.is_virtual))
