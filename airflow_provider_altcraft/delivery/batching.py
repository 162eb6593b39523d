"""Encoded rows become batches: closed by count and by exact bytes, in order, none lost, none split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow_provider_altcraft.delivery.ledger.prints import Print
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Item(NamedTuple):
    """One row, ready to send. A tuple, since there is one for each row.

    :param row: its number in the source, from 1.
    :param record: the profile as JSON.
    :param floor: the watermark if this row is not accepted.
    :param print: of its key and content, for the ledger.
    """

    row: int
    record: bytes
    floor: Any = None
    print: Print | None = None

    def __repr__(self) -> str:
        return f"Item(row={self.row})"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold.

    :param items: rows.
    :param body_bytes: bytes of the whole body.
    :param frame_bytes: bytes of the body around the items.
    :param wrap_bytes: bytes around each item.
    """

    items: int
    body_bytes: int
    frame_bytes: int
    wrap_bytes: int

    def __post_init__(self) -> None:
        if self.items < 1:
            raise AltcraftConfigurationError(f"batch_size must be at least 1, not {self.items}.")


def batches(items: Iterable[Item], limits: Limits) -> Iterator[list[Item]]:
    """Cut a stream of rows into batches, each as full as the limits allow.

    :raises AltcraftConfigurationError: for a row that does not fit into a request of its own. The batches
        before it have been handed out by then.
    """
    batch: list[Item] = []
    size = limits.frame_bytes
    for item in items:
        weight = len(item.record) + limits.wrap_bytes
        if limits.frame_bytes + weight > limits.body_bytes:
            raise AltcraftConfigurationError(
                f"Row {item.row} alone makes a request of {limits.frame_bytes + weight:,} bytes, over the limit of"
                f" {limits.body_bytes:,} (max_body_bytes in the connection's extra), and a row cannot be split."
            )
        comma = 1 if batch else 0
        if batch and (len(batch) >= limits.items or size + comma + weight > limits.body_bytes):
            yield batch
            batch, size, comma = [], limits.frame_bytes, 0
        batch.append(item)
        size += comma + weight
    if batch:
        yield batch
