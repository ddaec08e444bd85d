"""Where new images belong: the centres of a clustering, and the cluster that each stands for after all edits.

A cluster may have several centres: one that took others in keeps theirs, so that what is like them comes to it too. Its
images keep the distance to the centre they are near, and no merge, however large, has to read a vector.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.corrections import repository
from app.db.tables import Clustering
from app.storage import Storage

GONE = -1
CELLS = 2**24  # of the table of similarities that is in memory at a time


@dataclass(frozen=True, eq=False)
class Centres:
    """vectors (C, D) unit rows; numbers (C,) the cluster that each stands for, or GONE; the run's own K come first."""

    vectors: NDArray[np.float32]
    numbers: NDArray[np.int64]
    run: int

    @classmethod
    def load(cls, session: Session, storage: Storage, clustering: Clustering) -> Self:
        own = np.load(storage.local(clustering.centres_key), mmap_mode="r", allow_pickle=False)
        rows = repository.centres(session, clustering.id)
        made = [np.frombuffer(row.vector, np.float32) for row in rows if row.vector is not None]
        numbers = np.arange(len(own) + len(made))
        for row in rows:
            numbers[row.id] = GONE if row.number is None else row.number
        numbers[~np.isin(numbers, repository.filled(session, clustering.id))] = GONE
        return cls(np.concatenate([own, *[vector[None] for vector in made]]), numbers, len(own))

    def of(self, number: int) -> list[int]:
        return [int(one) for one in np.flatnonzero(self.numbers == number)]

    def distances_to(self, number: int, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) -> (N,) cosine distance to the nearest centre of one cluster."""
        similarity = vectors @ self.vectors[self.numbers == number].T
        return np.asarray(1 - similarity.max(axis=1).clip(-1, 1), np.float32)

    def nearest(
        self, vectors: NDArray[np.float32], but: list[set[int]] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(N, D) -> (N,) the nearest cluster and (N,) the cosine distance to it; `but` bars clusters for each row.

        A row that has no cluster left gets GONE, and the distance to the nearest centre of all.
        """
        numbers, distances = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
        step = max(1, CELLS // len(self.vectors))
        for start in range(0, len(vectors), step):
            part = slice(start, start + step)
            numbers[part], distances[part] = self._nearest(vectors[part], but[part] if but else None)
        return numbers, distances

    def _nearest(
        self, vectors: NDArray[np.float32], but: list[set[int]] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        similarity = vectors @ self.vectors.T
        best = similarity.max(axis=1)
        barred = np.broadcast_to(self.numbers == GONE, similarity.shape).copy()
        for row, banned in enumerate(but or ()):
            barred[row] |= np.isin(self.numbers, list(banned))
        open_ = np.where(barred, -np.inf, similarity)
        nearest = open_.argmax(axis=1)
        left = ~barred.all(axis=1)
        numbers = np.where(left, self.numbers[nearest], GONE)
        found = np.where(left, open_[np.arange(len(vectors)), nearest], best)
        return numbers, np.asarray(1 - found.clip(-1, 1), np.float32)
