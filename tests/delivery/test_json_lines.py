"""Records that are held together come apart as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.json_lines import JsonLines, Packed

RECORDS = st.lists(st.text().map(lambda value: ProfileEncoder(timezone=None).encode({"a": value})), max_size=8)


@given(first=RECORDS, second=RECORDS, start=st.integers(-3, 9), end=st.integers(-3, 9))
def test_lines_are_a_sequence_of_their_records(first, second, start, end):
    lines, records = JsonLines.of(first) + JsonLines.of(second), first + second
    assert [*lines] == records
    assert len(lines) == len(records)
    assert lines.size == sum(map(len, records))
    assert [lines[place] for place in range(len(records))] == records
    assert [*lines[start:end]] == records[start:end]


@given(records=RECORDS, start=st.integers(-3, 9))
def test_records_in_a_body_are_the_same_sequence_and_the_same_lines(records, start):
    frame = Frame(b'{"data":[', b'],"more":[1]}')
    body = frame.join(records)
    packed = Packed(body, frame, len(records), lambda item: item)
    assert [*packed] == records
    assert [*packed[start:]] == records[start:]
    assert (packed.size, [*packed.parts]) == (JsonLines.of(records).size, [*JsonLines.of(records).parts])


@given(items=RECORDS)
def test_a_frame_joins_items_one_by_one_and_several_at_a_time_to_the_same_body(items):
    frame = Frame(b"[", b"]")
    assert frame.join(items) == b"[" + b",".join(items) + b"]"
    assert frame.join([b",".join(items)] if items else []) == frame.join(items)
    assert bytes(frame.array_of(frame.join(items))) == frame.join(items)
