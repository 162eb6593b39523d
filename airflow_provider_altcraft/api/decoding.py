"""Decompress bodies in pieces of bounded size: a megabyte of gzip may expand to a gigabyte."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 20
"""Bytes of a body handled at a time. The libraries' default of 10 KB is a hundredth of the answer to a batch."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Undecodable(ValueError):
    """A body is not compressed as its header says, or is truncated."""


class Decoder:
    """Decompresses a body block by block. Unknown encodings pass through unchanged.

    :param encoding: the header ``Content-Encoding``.
    """

    def __init__(self, encoding: str | None) -> None:
        name = (encoding or "").strip().lower()
        self._is_gzip = name in {"gzip", "x-gzip"}
        self._is_compressed = self._is_gzip or name == "deflate"
        self._stream: Any = None
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress a block, in pieces of at most ``PIECE`` bytes.

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
        """The rest, after the last block.

        :raises Undecodable: if the body is truncated.
        """
        if self._kept:
            raise Undecodable("the compressed body is truncated")
        if self._stream is None:
            return b""
        # Less than a piece, since all input has been consumed.
        rest: bytes = self._stream.flush()
        if not self._stream.eof:
            raise Undecodable("the compressed body is truncated")
        return rest

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._kind(data))
            if self._stream.eof:
                if not (self._is_gzip and data[0] == 0x1F):
                    # Padding after the end.
                    return
                self._stream = zlib.decompressobj(_GZIP)
            piece = self._stream.decompress(data, PIECE)
            if piece:
                yield piece
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _kind(self, data: bytes) -> int:
        """``deflate`` means either of two formats, told apart by the first two bytes (RFC 1950)."""
        if self._is_gzip:
            return _GZIP
        return _ZLIB if data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0 else _RAW
