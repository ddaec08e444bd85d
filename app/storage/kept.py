"""Blobs that are stored before it is known whether they will be needed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import Unavailable
from app.storage.base import Storage

COMMITTED_WITHIN_S = 12 * 3600.0  # later, `roost gc` may take the blobs for orphans; only a machine asleep is so slow


@contextmanager
def removed_unless_kept(storage: Storage, keys: list[str]) -> Iterator[Callable[[bool], None]]:
    """Blobs come before rows; where no row will come, they go again.

    The last word is said before the commit: one that fails may still have happened, and a blob too many is a smaller
    evil than a row without its blob. It comes in time, or raises Unavailable (storage_unavailable).
    """
    begun, kept = time.time(), False

    def keep(wanted: bool) -> None:
        nonlocal kept
        if wanted and time.time() - begun > COMMITTED_WITHIN_S:
            detail = "It took too long to store this; try again."
            raise Unavailable(detail, code="storage_unavailable", headers={"Retry-After": "2"})
        kept = wanted

    try:
        yield keep
    finally:
        for key in [] if kept else keys:
            storage.delete(key)
