"""Senders, and virtual ones."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, page


@method("senders/list")
def senders(act: Act) -> Body:
    """CONTRACT 11."""
    return page(
        act,
        (
            {"id": one.sender_id, "name": one.name, "channel": one.channel, "type": one.kind}
            for one in act.world.senders.values()
            if not one.is_virtual
        ),
    )


@method("vsenders/list")
def virtual_senders(act: Act) -> Body:
    """Its answer is cut: a page of what every list shows."""
    everything = act.world.senders.values()
    return page(act, ({"id": one.sender_id, "name": one.name} for one in everything if one.is_virtual))
