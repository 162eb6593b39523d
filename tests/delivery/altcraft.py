"""The other side of a delivery, as simple as can be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase
from airflow_provider_altcraft.delivery.pipeline import Delivery
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.exceptions import AltcraftRequestTooLarge


@dataclass
class Reply:
    data: Any = None
    task_id: str | None = None
    replayed: bool = False


class Sender:
    """Remembers nothing of earlier tries."""

    must_check = False

    def check(self, place, digest):
        return None

    def recall(self, batch):
        return None

    def settle(self, batch, verdict):
        pass

    def split(self, batch):
        pass

    def was_split(self, batch):
        return False


class Altcraft(Sender):
    """Takes bodies up to a size, refuses some rows, and remembers what it took."""

    def __init__(self, *, limit=10**9, refuses=()):
        self.limit, self.refuses = limit, set(refuses)
        self.bodies, self.taken = [], []

    def send(self, body, batch, **facts):
        rows = [item.get("data", item)["email"] for item in json.loads(body)["data"]]
        if len(body) > self.limit:
            raise AltcraftRequestTooLarge("profiles/import_batch", code=400, debug="http: request body too large")
        self.bodies.append(body)
        self.taken += [row for row in rows if row not in self.refuses]
        return Reply(
            [{"error": 400, "error_text": "no"} if row in self.refuses else {"profile_id": row} for row in rows]
        )


def delivery(altcraft, *, destination=None, rejects=None, batch_size=3, in_flight=1, limit=10**6):
    return Delivery(
        destination or ProfileDatabase(1),
        frame=Frame(b'{"data":[', b"]}"),
        sender=altcraft,
        batch_size=batch_size,
        max_body_bytes=limit,
        max_in_flight=in_flight,
        rejects=rejects or Rejects(None),
    )
