"""No batch over either limit, no row lost, split or moved."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.protocol import Frame
from airflow_provider_altcraft.delivery.batching import Item, Limits, batches
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

FRAME = Frame(b'{"data":[', b"]}")
WRAP = (b'{"data":', b"}")


def body(batch):
    return FRAME.join([WRAP[0] + item.record + WRAP[1] for item in batch])


@given(
    records=st.lists(st.binary(max_size=40), max_size=60),
    items=st.integers(1, 20),
    body_bytes=st.integers(60, 400),
)
def test_batches_keep_both_limits_and_every_row_in_order(records, items, body_bytes):
    rows = [Item(number, record) for number, record in enumerate(records)]
    limits = Limits(items, body_bytes, FRAME.size, len(WRAP[0]) + len(WRAP[1]))
    cut = list(batches(rows, limits))
    assert [row for batch in cut for row in batch] == rows
    assert all(0 < len(batch) <= items and len(body(batch)) <= body_bytes for batch in cut)
    for batch, following in pairwise(cut):
        # As full as can be: the next row would not have fitted.
        assert len(batch) == items or len(body([*batch, following[0]])) > body_bytes


def test_a_row_that_fits_into_no_request_is_named():
    limits = Limits(10, 100, FRAME.size, 9)
    with pytest.raises(AltcraftConfigurationError, match=r"Row 2 .*cannot be split"):
        list(batches([Item(1, b"x"), Item(2, b"x" * 100)], limits))


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(AltcraftConfigurationError):
        Limits(0, 100, 0, 0)
