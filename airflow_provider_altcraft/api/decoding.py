"""Compressed bodies, a bounded piece at a time: a megabyte of gzip may hold a gigabyte of zeros."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 20
"""Bytes of a body handled at a time. The libraries' own 10 KB are a hundredth of the answer to a batch."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Undecodable(ValueError):
    """A body is not compressed as its header says, or breaks off."""


class Decoder:
    """Takes the compression off a body, block by block. What is compressed in an unknown way passes as it is.

    :param encoding: the header ``Content-Encoding``.
    """

    def __init__(self, encoding: str | None) -> None:
        name = (encoding or "").strip().lower()
        self._is_gzip = name in {"gzip", "x-gzip"}
        self._is_compressed = self._is_gzip or name == "deflate"
        self._stream: Any = None
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a block holds, in pieces of at most ``PIECE`` bytes.

        :raises Undecodable: if it is broken.
        """
        if not self._is_compressed:
            yield data
            return
        data = self._kept + data
        if self._stream is None and len(data) < 2:
            self._kept = data
            return
        self._kept = b""
        try:
            yield from self._inflated(data)
        except zlib.error as error:
            raise Undecodable(str(error)) from None

    def end(self) -> bytes:
        """The rest, now that nothing more comes.

        :raises Undecodable: if there should be more.
        """
        if self._kept:
            raise Undecodable("the compressed body breaks off")
        if self._stream is None:
            return b""
        # Less than a piece: all input was taken.
        rest: bytes = self._stream.flush()
        if not self._stream.eof:
            raise Undecodable("the compressed body breaks off")
        return rest

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._kind(data))
            if self._stream.eof:
                if not (self._is_gzip and data[0] == 0x1F):
                    # Padding.
                    return
                self._stream = zlib.decompressobj(_GZIP)
            piece = self._stream.decompress(data, PIECE)
            if piece:
                yield piece
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _kind(self, data: bytes) -> int:
        """Servers mean either of two things by ``deflate``; the first two bytes tell them apart (RFC 1950)."""
        if self._is_gzip:
            return _GZIP
        return _ZLIB if data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0 else _RAW
