"""What Roost asks of a blob store."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, Self

_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def sha256_in(key: str) -> str | None:
    """The hash of the content that a key carries, as those of originals do."""
    found = _SHA256.search(key.rpartition("/")[2])
    return found and found[0]


class Stat(NamedTuple):
    """size in bytes, modified in seconds since 1970: when it was put there, however old the content is."""

    size: int
    modified: float


class Reader(ABC):
    """A stretch of a blob, read from its start to its end."""

    def __init__(self, left: int) -> None:
        self.left = left

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that is left; fewer only at the end."""
        wanted = self.left if size < 0 else min(size, self.left)
        pieces = []
        while wanted:
            piece = self._some(wanted)
            if not piece:
                raise EOFError(f"a blob ended {self.left} bytes before its end")
            wanted -= len(piece)
            self.left -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _some(self, size: int) -> bytes:
        """1 to `size` bytes; none at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Storage(Protocol):
    """Immutable blobs by key. A key is made by Roost from ids and hashes, never from what a person sent.

    Every call raises Unavailable (storage_unavailable) when a store on the network does not answer or refuses.
    """

    def put(self, sources: Iterable[tuple[Path, str]]) -> None:
        """Move local files or folders to their keys; when this returns they outlast a power cut. Raises StorageFull.

        A key is written once: where a blob is already, by whomever, it stays as it is and the source only goes.
        """
        ...

    def local(self, key: str, check: Callable[[Path], object] | None = None) -> Path:
        """A path to read the blob, or all below a prefix, from; there may be nothing at it.

        For what is mapped into memory or read by path. Open it soon: a store elsewhere lends a copy, which stays for
        a minute after the last call, and for whom has it open. Raises Unavailable (cache_full) where it finds no room.

        check: looks at a copy that has just been fetched. What it raises is raised here, and the copy is not kept.
        """
        ...

    def bring(self, keys: Iterable[str]) -> None:
        """Prepare `local` of blobs that will be read one after the other: several are fetched at a time."""
        ...

    def reader(self, key: str, start: int = 0, stop: int | None = None) -> Reader:
        """Bytes [start, stop) of a blob as a stream. Raises FileNotFoundError."""
        ...

    def stat(self, key: str) -> Stat:
        """Raises FileNotFoundError."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a blob of this key, or one below it."""
        ...

    def delete(self, key: str) -> None:
        """Remove a blob, or all below a prefix; nothing there is no error."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every blob's key below a prefix, in no order."""
        ...
