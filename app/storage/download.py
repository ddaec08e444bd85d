"""Bytes from a store on the network, across connections that break."""

import hashlib
from pathlib import Path

import structlog
from botocore.exceptions import BotoCoreError

from app.storage.base import Reader
from app.storage.bucket import Body, Bucket
from app.storage.faults import store_errors

RESUMED = 3  # times in a row, without a byte in between
PIECE = 2**20
log = structlog.get_logger("roost.storage")


class Damaged(Exception):
    """What came is not what was put."""


class S3Reader(Reader):
    """Goes on at the same byte of the same blob where a connection broke."""

    def __init__(self, bucket: Bucket, key: str, start: int, stop: int | None) -> None:
        """Raises FileNotFoundError, Unavailable."""
        self._bucket, self._key, self._at = bucket, key, start
        self.body: Body = bucket.get(key, start, stop)
        super().__init__(self.body.size)

    def close(self) -> None:
        self.body.stream.close()

    def _some(self, size: int) -> bytes:
        with store_errors(self._bucket.name, self._key):
            for _ in range(RESUMED):
                try:
                    piece: bytes = self.body.stream.read(size)
                    break
                except BotoCoreError as error:
                    log.warning("a download broke off and goes on", key=self._key, at=self._at, error=str(error))
                    self._resume()
            else:
                piece = self.body.stream.read(size)
        self._at += len(piece)
        return piece

    def _resume(self) -> None:
        self.close()
        again = self._bucket.get(self._key, self._at, self._at + self.left, self.body.etag)
        self.body = again._replace(size=self.body.size)


def download(bucket: Bucket, key: str, target: Path, sha256: str | None) -> None:
    """Write a blob to `target`. Raises Damaged unless size and hash are what they were, FileNotFoundError."""
    digest = hashlib.sha256()
    with S3Reader(bucket, key, 0, None) as reader, target.open("wb") as file:
        size, said = reader.body.size, reader.body.sha256
        try:
            while piece := reader.read(PIECE):
                digest.update(piece)
                file.write(piece)
        except EOFError as error:
            raise Damaged(f"{error}, of {size}") from error
    for expected in (said, sha256):
        if expected and digest.hexdigest() != expected:
            raise Damaged(f"SHA-256 {digest.hexdigest()} instead of {expected}")
