"""One job's share of embedding a set: take a part, embed it, publish it, until no part is left to take."""

import hashlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np

from app.db.tables import EmbeddingPart, EmbeddingSet, EmbeddingShard, Image
from app.embeddings import parts, repository
from app.embeddings.service import shard as shard_key
from app.failpoints import reached
from app.images.service import working_key
from models.embedding import WorkingCopyUnreadable, embed
from models.engines.base import Engine
from workers.context import Context

BROUGHT = 64  # working copies fetched together


class _Held(NamedTuple):
    part: EmbeddingPart
    ids: list[UUID]


class Share:
    """Leader and helpers do the same; `leader` is the job that needs the vectors."""

    def __init__(self, context: Context, embedding_set: EmbeddingSet, leader: UUID, total: int | None = None) -> None:
        """total: the leader's, images that all together have to do; `done` counts those of a helper alone."""
        self.context, self.embedding_set, self.leader = context, embedding_set, leader
        self.total, self.done = total, 0
        self._held: deque[_Held] = deque()

    def embed(self, engine: Engine) -> None:
        """Returns when no part can be taken. Raises WorkingCopyUnreadable, and what the engine raises."""
        self._held.clear()
        for held, vectors in self._parts(engine):
            self._publish(held, vectors)

    def show(self, embedded: int = 0) -> None:
        """Progress, with images that are embedded and not yet published. Raises Stopped, LeaseLost."""
        self.context.progress("embed", self.done + embedded, self.total, "images")

    def give_back(self, spoiled: UUID | None = None) -> None:
        with self.context.database.transaction() as session:
            parts.give_back(session, self.embedding_set.id, self.context.job.id, spoiled)

    def count(self) -> int:
        """Images in parts that are still to be published, by anybody."""
        with self.context.database.reading() as session:
            left = parts.left(session, self.embedding_set.id)
        if self.total is not None:
            self.done = self.total - left
        return left

    def _parts(self, engine: Engine) -> Iterator[tuple[_Held, np.ndarray]]:
        """Parts and vectors (N, D), while decoding and inference go on without a pause between parts."""
        pending: list[np.ndarray] = []
        for block in embed(self._paths(), engine):
            pending.append(block)
            ready = sum(map(len, pending))
            self.show(ready)
            while self._held and ready >= len(self._held[0].ids):
                held = self._held.popleft()
                vectors = np.concatenate(pending)
                ready -= len(held.ids)
                pending = [vectors[len(held.ids) :]]
                yield held, vectors[: len(held.ids)]

    def _paths(self) -> Iterator[Path]:
        """Working copies of one part after the other; the next is taken while the one before is still computed."""
        storage, collection_id = self.context.storage, self.embedding_set.collection_id
        for held in iter(self._take, None):
            if not held.ids:
                self._publish(held, None)
                continue
            self._held.append(held)
            for start in range(0, len(held.ids), BROUGHT):
                keys = [working_key(collection_id, one) for one in held.ids[start : start + BROUGHT]]
                storage.bring(keys)
                yield from map(storage.local, keys)

    def _take(self) -> _Held | None:
        embedding_set, taker = self.embedding_set, self.context.job.id
        with self.context.database.transaction() as session:
            part = parts.take(session, embedding_set.id, self.leader, taker)
            ids = repository.missing_between(session, embedding_set, part.first_id, part.last_id) if part else []
        return _Held(part, ids) if part else None

    def _publish(self, held: _Held, vectors: np.ndarray | None) -> None:
        """Store the shard, then its rows: without them nobody sees the file."""
        shard = None if vectors is None else self._store(held.part, vectors)
        reached("embed.stored")
        done = self.done + len(held.ids)
        try:
            with self.context.step("embed", done, self.total, "images") as session:
                parts.publish(session, held.part, shard, held.ids)
        except parts.PartLost:
            if shard:
                self.context.storage.delete(shard.key)
            return
        reached("embed.committed")
        self.done = done
        if self.total is not None:
            self.count()

    def _store(self, part: EmbeddingPart, vectors: np.ndarray) -> EmbeddingShard:
        assert part.shard_id is not None
        path = self.context.folder / f"{part.shard_id}.npy"
        np.save(path, vectors.astype(np.float32, copy=False), allow_pickle=False)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        key = shard_key(self.embedding_set, part.shard_id)
        self.context.storage.put([(path, key)])
        return EmbeddingShard(id=part.shard_id, set_id=self.embedding_set.id, key=key, rows=len(vectors), sha256=digest)


def damaged(context: Context, error: WorkingCopyUnreadable) -> UUID | None:
    """The image; None if it was deleted meanwhile, which makes its working copy nobody's loss."""
    if error.path is None:  # only what was never a file has none
        raise error
    with context.database.reading() as session:
        image = session.get(Image, UUID(error.path.stem))
    return image.id if image else None
