"""Fingerprints: which row it is and what it says, without saying either."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

SIZE = 16
"""Bytes of a hash: that two of ten million rows share one has a chance of about 1 in 10^24."""


class Fingerprint(NamedTuple):
    """The two hashes of a row.

    :param key: of what identifies it.
    :param content: of all it says.
    """

    key: bytes
    content: bytes


class FingerprintEncoder:
    """Makes fingerprints.

    :param salt: kept with the ledger, so that the hash of a known address cannot be looked up in a table made
        elsewhere.
    :param scope: where the rows go and how: the same row to another place is another row.
    :param encoder: writes the key's values as the profile has them.
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
        keyed.update(self._encoder.encode({str(place): value for place, value in enumerate(key)}))
        return Fingerprint(keyed.digest(), blake2b(record, digest_size=SIZE, key=self._salt).digest())
