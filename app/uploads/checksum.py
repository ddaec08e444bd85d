"""Upload-Checksum: the hash of one request's body."""

import base64
import hashlib
import hmac
from typing import Self

from app.errors import ChecksumMismatch, Malformed

ALGORITHMS = ("sha256", "sha1", "md5")  # against broken lines, not against people: TLS and the whole's SHA-256 are


class Checksum:
    """Fed with the body as it comes, compared at its end."""

    def __init__(self, algorithm: str, wanted: bytes) -> None:
        self._hash, self._wanted = hashlib.new(algorithm, usedforsecurity=False), wanted

    @classmethod
    def read(cls, header: str | None) -> Self | None:
        """From "sha1 <base64>"; None without a header. Raises Malformed (checksum_unsupported)."""
        if header is None:
            return None
        algorithm, _, value = header.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            names = ", ".join(ALGORITHMS)
            raise Malformed(f"Upload-Checksum is one of {names}, a blank and base64.", code="checksum_unsupported")
        try:
            return cls(algorithm, base64.b64decode(value, validate=True))
        except ValueError as error:
            raise Malformed("Upload-Checksum has no base64 after its name.", code="checksum_unsupported") from error

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def verify(self) -> None:
        """Raises ChecksumMismatch."""
        if not hmac.compare_digest(self._hash.digest(), self._wanted):
            raise ChecksumMismatch("The bytes are not those that Upload-Checksum tells of; send them again.")
