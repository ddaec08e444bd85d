"""Blobs that are stored before it is known whether they will be needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.storage.base import Storage


@contextmanager
def removed_unless_kept(storage: Storage, keys: list[str]) -> Iterator[Callable[[bool], None]]:
    """Blobs come before rows; where no row will come, they go again.

    The last word is said before the commit: one that fails may still have happened, and a blob too many is a smaller
    evil than a row without its blob.
    """
    kept = False

    def keep(wanted: bool) -> None:
        nonlocal kept
        kept = wanted

    try:
        yield keep
    finally:
        for key in [] if kept else keys:
            storage.delete(key)
