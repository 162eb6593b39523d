"""No batch over either limit, no row lost, split or moved."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.batching import BatchLimits, Rows, batches
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

RECORDS = st.binary(max_size=40).map(lambda value: value.replace(b"\n", b""))
FRAME = Frame(b'{"data":[', b"]}")
WRAP = (b'{"data":', b"}")


def body(batch):
    return FRAME.join([WRAP[0] + record + WRAP[1] for record in batch.records])


def size(record):
    return len(FRAME.join([WRAP[0] + record + WRAP[1]]))


def plus_the_first_of(batch, following):
    together = Rows([*batch.numbers], batch.records)
    together.extend(following.slice(0, 1))
    return together


@given(
    chunks=st.lists(st.lists(RECORDS, max_size=25), max_size=6),
    items=st.integers(1, 20),
    body_bytes=st.integers(40, 400),
)
def test_batches_keep_both_limits_and_every_row_in_order(chunks, items, body_bytes):
    records = [record for chunk in chunks for record in chunk]
    numbers = iter(range(len(records)))
    rows = [
        Rows([next(numbers) for _ in chunk], JsonLines.of(chunk), [len(record) for record in chunk]) for chunk in chunks
    ]
    limits = BatchLimits(items, body_bytes, FRAME.size, len(WRAP[0]) + len(WRAP[1]))
    refused = {}
    cut = list(batches(rows, limits, lambda rows, size: refused.update({rows.numbers[0]: size})))
    assert refused == {number: alone for number, record in enumerate(records) if (alone := size(record)) > body_bytes}
    fitting = [number for number in range(len(records)) if number not in refused]
    assert [record for batch in cut for record in batch.records] == [records[number] for number in fitting]
    assert [number for batch in cut for number in batch.numbers] == fitting
    watermarks = [watermark for batch in cut for watermark in batch.safe_watermarks]
    assert watermarks == [len(records[number]) for number in fitting]
    assert all(0 < len(batch) <= items and len(body(batch)) <= body_bytes for batch in cut)
    for batch, following in pairwise(cut):
        # As full as can be: the next row would not have fitted.
        assert len(batch) == items or len(body(plus_the_first_of(batch, following))) > body_bytes


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(AltcraftConfigurationError):
        BatchLimits(0, 100, 0, 0)
