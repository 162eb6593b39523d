"""Fingerprints: hashes of a row's key and content."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

SIZE = 16
"""Bytes per hash: the chance that any two of ten million rows share one is about 1 in 10^24."""


class Fingerprint(NamedTuple):
    """The two hashes of a row.

    :param key: of what identifies it.
    :param content: of its profile.
    """

    key: bytes
    content: bytes


class FingerprintEncoder:
    """Makes fingerprints.

    :param salt: kept with the ledger, so that the hash of a known address cannot be looked up in a precomputed table.
    :param scope: where the rows go and how: the same row sent elsewhere is another row.
    :param encoder: encodes the key's values as in the profile.
    """

    def __init__(self, salt: bytes, scope: bytes, encoder: ProfileEncoder) -> None:
        self._keyed = blake2b(scope, digest_size=SIZE, key=salt)
        self._salt = salt
        self._encoder = encoder

    def of(self, key: Sequence[Any], record: bytes) -> Fingerprint:
        """The fingerprint of a row.

        :param key: the values that identify it.
        :param record: its profile as JSON.
        """
        keyed = self._keyed.copy()
        keyed.update(self._encoder.encode({str(index): value for index, value in enumerate(key)}))
        return Fingerprint(keyed.digest(), blake2b(record, digest_size=SIZE, key=self._salt).digest())
