"""Requests that bring bytes right now, so that who asks how far an upload is gets an answer that stays true.

A connection that was cut far away looks alive from here, for minutes. tus wants it ended when the client comes back and
asks. Only those of this process are known; where another process has one, a request more may be sent in vain.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

WAIT_S = 5.0  # for what has come to be on the disk


class Bringing:
    """One request: `asked` to end, and `over` when all it brought is safe."""

    def __init__(self) -> None:
        self.asked, self.over = asyncio.Event(), asyncio.Event()

    async def until_asked(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream's chunks, up to its end or to the moment when somebody asks."""
        asked = asyncio.ensure_future(self.asked.wait())
        try:
            while not self.asked.is_set():
                chunk = asyncio.ensure_future(anext(stream, None))
                await asyncio.wait({chunk, asked}, return_when=asyncio.FIRST_COMPLETED)
                if not chunk.done():
                    chunk.cancel()
                    return
                if (found := chunk.result()) is None:
                    return
                yield found
        finally:
            asked.cancel()


class UnderWay:
    """Of one process; all on its event loop."""

    def __init__(self) -> None:
        self._of: dict[UUID, set[Bringing]] = defaultdict(set)

    @contextmanager
    def bringing(self, upload_id: UUID) -> Iterator[Bringing]:
        one = Bringing()
        self._of[upload_id].add(one)
        try:
            yield one
        finally:
            one.over.set()
            self._of[upload_id].discard(one)
            if not self._of[upload_id]:
                del self._of[upload_id]

    async def end(self, upload_id: UUID) -> None:
        """Ask all of this upload to end, and wait until they have."""
        for one in list(self._of.get(upload_id, ())):
            one.asked.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(one.over.wait(), WAIT_S)
