"""A watermark never passes a row that was not accepted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.mapping import FieldMapping
from airflow_provider_altcraft.delivery.source import from_rows
from airflow_provider_altcraft.delivery.watermark import Watermark, plain
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from tests.delivery.altcraft import Altcraft, delivery

COLUMNS = ["email", "moved"]


def chunked(rows, size=4):
    return (rows[start : start + size] for start in range(0, len(rows), size))


def deliver(rows, refused=(), **arguments):
    """The watermark after a delivery."""
    sending = delivery(Altcraft(refuses=refused), **arguments)
    watermark = Watermark("moved", COLUMNS)
    source = from_rows(watermark.follow(chunked(rows)), FieldMapping(COLUMNS), ProfileEncoder(timezone=UTC))
    sending.run(source, watermark=watermark)
    return sending.report.passed


@given(
    moments=st.lists(st.integers(0, 6) | st.none(), max_size=25),
    refused=st.sets(st.integers(0, 25), max_size=2),
    keyless=st.sets(st.integers(0, 25), max_size=1),
    batch_size=st.integers(1, 6),
    in_flight=st.integers(1, 3),
)
@settings(max_examples=100, deadline=None)
def test_no_row_up_to_it_is_missing_and_it_is_as_high_as_can_be(moments, refused, keyless, batch_size, in_flight):
    values = iter(sorted(moment for moment in moments if moment is not None))
    ordered = [None if moment is None else next(values) for moment in moments]
    rows = [(None if number in keyless else f"u{number}", moment) for number, moment in enumerate(ordered)]
    missing = [
        max((moment for moment in ordered[:number] if moment is not None), default=None) if row[1] is None else row[1]
        for number, row in enumerate(rows)
        if number in refused or number in keyless
    ]
    passed = deliver(rows, {f"u{number}" for number in refused}, batch_size=batch_size, in_flight=in_flight)
    seen = [moment for moment in ordered if moment is not None]
    if not missing:
        assert passed == max(seen, default=None)
    elif missing[0] is None:
        assert passed is None
    else:
        assert passed == max((moment for moment in seen if moment < missing[0]), default=None)


def test_a_query_in_another_order_is_refused():
    with pytest.raises(AltcraftConfigurationError, match="ORDER BY moved"):
        deliver([("a", 2), ("b", 1)])


def test_a_column_that_the_query_does_not_return_is_refused():
    with pytest.raises(AltcraftConfigurationError, match=r"'changed'.*returns email, moved"):
        Watermark("changed", COLUMNS)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (7, 7),
        ("a", "a"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "2026-01-02T03:04:05.000006+00:00"),
        (Decimal("1.10"), "1.10"),
    ],
)
def test_it_is_written_so_that_sql_reads_it_back(value, written):
    assert plain(value) == written
