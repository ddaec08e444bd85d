"""What Roost asks of a blob store."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


class Storage(Protocol):
    """Immutable blobs by key. A key is made by Roost from ids and hashes, never from what a person sent."""

    def put(self, sources: Iterable[tuple[Path, str]]) -> None:
        """Move local files or folders to their keys; when this returns they outlast a power cut. Raises StorageFull."""
        ...

    def local(self, key: str) -> Path:
        """A path to read the blob from; the file may not exist."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove a blob, or all below a prefix; nothing there is no error."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every blob's key below a prefix, in no order."""
        ...
