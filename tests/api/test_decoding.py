"""Compressed answers: whole, in pieces, up to a size, and never taken for whole when they break off."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.decoding import PIECE, Decoder, Undecodable
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftAnswerTooLarge, AltcraftTransportError

STATUS = "scampaigns/get_status"
START = "campaigns/broadcasts/start"


def raw_deflate(data):
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


WAYS = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:])),
    "padded": ("gzip", lambda data: gzip.compress(data) + b"\0\0"),
    "zlib": ("deflate", zlib.compress),
    "raw": ("deflate", raw_deflate),
    "identity": ("", bytes),
    "not known": ("br", bytes),
}


def decoded(encoding, blocks):
    decoder = Decoder(encoding)
    return b"".join([*(piece for block in blocks for piece in decoder.feed(block)), decoder.end()])


@pytest.mark.parametrize("way", WAYS)
@given(data=st.binary(max_size=2_000), size=st.integers(1, 300), times=st.integers(1, 2_000))
def test_a_body_is_what_it_was_however_it_was_cut(way, data, size, times):
    encoding, compress = WAYS[way]
    data *= times
    sent = compress(data)
    assert decoded(encoding, [sent[at : at + size] for at in range(0, len(sent), size)]) == data


@pytest.mark.parametrize("way", ["gzip", "zlib", "raw"])
@given(data=st.binary(min_size=1, max_size=500), share=st.floats(0.1, 0.95))
def test_a_compressed_body_that_breaks_off_is_not_whole(way, data, share):
    encoding, compress = WAYS[way]
    sent = compress(data)
    with pytest.raises(Undecodable):
        decoded(encoding, [sent[: max(1, int(len(sent) * share))]])


def test_a_piece_is_never_larger_than_a_piece():
    bomb = gzip.compress(bytes(20 * PIECE))
    assert max(len(piece) for piece in Decoder("gzip").feed(bomb)) <= PIECE


def call(transport, settings, name, **kwargs):
    if transport == "worker":
        with AltcraftClient(settings) as client:
            return client.call(name, {"id": 18}, **kwargs)

    async def ask():
        async with AsyncAltcraftClient(settings) as client:
            return await client.call(name, {"id": 18}, **kwargs)

    return asyncio.run(ask())


@pytest.fixture(params=["worker", "triggerer"])
def transport(request):
    return request.param


def test_a_compressed_answer_is_read(echo, transport):
    echo.headers["Content-Encoding"] = "gzip"
    echo.answers.append(gzip.compress(json.dumps({"error": 0, "data": {"status": "active"}}).encode()))
    assert call(transport, Settings(echo.url, "secret"), STATUS).data == {"status": "active"}


@pytest.mark.parametrize("is_compressed", [True, False])
def test_an_answer_above_the_limit_is_refused_and_not_asked_for_again(echo, transport, is_compressed):
    answer = json.dumps({"error": 0, "data": "x" * 2_000_000}).encode()
    if is_compressed:
        echo.headers["Content-Encoding"] = "gzip"
        answer = gzip.compress(answer)
    echo.answers += [answer] * 2
    with pytest.raises(AltcraftAnswerTooLarge, match=r"scampaigns/get_status.*1,000,000.*max_answer_bytes") as caught:
        call(transport, Settings(echo.url, "secret", max_answer_bytes=1_000_000), STATUS)
    assert caught.value.in_doubt
    assert len(echo.arrived) == 1


def test_a_small_answer_that_is_a_huge_one_takes_no_memory(echo, transport):
    """0.3 MB on the wire, 300 MB unpacked."""
    stream = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(15_000_000)
    echo.headers["Content-Encoding"] = "gzip"
    echo.answers.append(b"".join(stream.compress(zeros) for _ in range(20)) + stream.flush())
    tracemalloc.start()
    try:
        with pytest.raises(AltcraftAnswerTooLarge):
            call(transport, Settings(echo.url, "secret", max_answer_bytes=10_000_000), STATUS)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_a_launch_whose_answer_is_too_large_is_in_doubt(echo):
    echo.answers.append({"error": 0, "data": "x" * 2_000_000})
    with pytest.raises(AltcraftAnswerTooLarge) as caught:
        call("worker", Settings(echo.url, "secret", max_answer_bytes=1_000_000), START, request_id="launch-1")
    assert caught.value.sent
    assert caught.value.in_doubt
    assert len(echo.arrived) == 1


def test_a_file_may_be_larger_and_compressed(echo, tmp_path):
    echo.headers["Content-Encoding"] = "gzip"
    echo.answers.append(gzip.compress(b"a;b\n" * 1_000_000))
    path = tmp_path / "1.csv"
    with AltcraftClient(Settings(echo.url, "secret", max_answer_bytes=1_000)) as client:
        assert client.download("1.csv", lambda: path.open("wb")) == 4_000_000
    assert path.stat().st_size == 4_000_000


def test_an_answer_that_is_not_compressed_as_it_says_is_a_broken_one(echo, transport):
    echo.headers["Content-Encoding"] = "gzip"
    echo.answers.append({"error": 0})
    with pytest.raises(AltcraftTransportError, match="broke"):
        call(transport, Settings(echo.url, "secret", max_attempts=1), STATUS)
