"""Blobs in an S3-compatible store, with copies on this machine of what must be read by path."""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from app.storage.base import Reader, Stat, sha256_in
from app.storage.bucket import Bucket
from app.storage.copies import LocalCopies
from app.storage.download import Damaged, S3Reader, download
from app.storage.faults import damaged

AT_ONCE = 8  # blobs on their way
TRIES = 3
log = structlog.get_logger("roost.storage")


class S3Storage:
    def __init__(self, bucket: Bucket, prefix: str, copies: LocalCopies) -> None:
        """`prefix` is put before every key; empty, or ending in a slash."""
        self.bucket, self.prefix, self.copies = bucket, prefix, copies
        self._workers = ThreadPoolExecutor(AT_ONCE, "s3")

    @classmethod
    def open(cls, url: str, cache: Path, limit: int) -> "S3Storage":
        """s3://bucket/prefix. Nothing is asked of the store yet: Roost starts without it, and says so in /readyz."""
        parts = urlsplit(url)
        if not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"ROOST_STORAGE_URL {url!r}: use s3://bucket or s3://bucket/prefix")
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        bucket = Bucket(parts.netloc)
        name = hashlib.sha256(f"{bucket.endpoint}/{parts.netloc}/{prefix}".encode()).hexdigest()[:16]
        return cls(bucket, prefix, LocalCopies(cache / name, limit))

    def put(self, sources: Iterable[tuple[Path, str]]) -> None:
        moved = list(sources)
        files = [one for source, key in moved for one in _files(source, key)]
        list(self._workers.map(self._put, files))  # to its end: the first error is raised
        for source, _ in moved:
            shutil.rmtree(source) if source.is_dir() else source.unlink(missing_ok=True)

    def local(self, key: str, check: Callable[[Path], object] | None = None) -> Path:
        def fetch(target: Path) -> None:
            self._fetch(key, target)
            if check:
                check(target)

        return self.copies.path(key, fetch)

    def bring(self, keys: Iterable[str]) -> None:
        list(self._workers.map(self.local, keys))

    def reader(self, key: str, start: int = 0, stop: int | None = None) -> Reader:
        return S3Reader(self.bucket, self.prefix + key, start, stop)

    def stat(self, key: str) -> Stat:
        return self.bucket.stat(self.prefix + key)

    def exists(self, key: str) -> bool:
        try:
            self.stat(key)
        except FileNotFoundError:
            return next(self.keys(key), None) is not None
        return True

    def delete(self, key: str) -> None:
        self.copies.drop(key)
        self.bucket.delete(self.prefix + key)
        self.bucket.delete_all(self._forgotten(key))

    def keys(self, prefix: str) -> Iterator[str]:
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        for key in self.bucket.keys(self.prefix + below):
            yield key.removeprefix(self.prefix)

    def _forgotten(self, prefix: str) -> Iterator[str]:
        """The full keys below a prefix; as each is named, this machine's copies of it and of its folders go."""
        dropped = set()
        for key in self.keys(prefix):
            for one in (key, *map(str, Path(key).parents)):
                if one not in dropped:
                    self.copies.drop(one)
                    dropped.add(one)
            yield self.prefix + key

    def _put(self, file: tuple[Path, str]) -> None:
        source, key = file
        with source.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        size = source.stat().st_size
        if not self.bucket.put(source, self.prefix + key, sha256):
            there = self.bucket.get(self.prefix + key)
            there.stream.close()
            if (there.size, there.sha256) != (size, sha256):
                log.warning("a key was taken by another content, which stays", key=key)

    def _fetch(self, key: str, target: Path) -> None:
        """Copy the blob, or all below a prefix, to `target`. Raises FileNotFoundError when there is neither."""
        try:
            return self._download(key, target)
        except FileNotFoundError:
            below = list(self.keys(key))
        if not below:
            raise FileNotFoundError(key)
        for one in below:
            path = target / one.removeprefix(f"{key.rstrip('/')}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._download(one, path)

    def _download(self, key: str, target: Path) -> None:
        """Size and hash are those of the blob that was put, and the hash that the key carries, if it does."""
        for _ in range(TRIES):
            try:
                return download(self.bucket, self.prefix + key, target, sha256_in(key))
            except Damaged as error:
                found = str(error)
        raise damaged(key, found)


def _files(source: Path, key: str) -> Iterator[tuple[Path, str]]:
    if not source.is_dir():
        yield source, key
        return
    for path in source.rglob("*"):
        if path.is_file():
            yield path, f"{key}/{path.relative_to(source).as_posix()}"
