"""All groups of a scan at one threshold, remembered while pages of them are asked for."""

from bisect import bisect_left
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.duplicates import repository
from models.duplicates.groups import Groups, connected

REMEMBERED = 4


class Member(NamedTuple):
    image_id: UUID
    similarity: float
    kind: str


class Grouping:
    """Groups of images, the largest first. What is held is a few numbers a pair, and an id an image."""

    def __init__(self, pairs: list[repository.Pair]) -> None:
        self.ids = sorted({one for pair in pairs for one in (pair.first_id, pair.second_id)})
        row = {image_id: number for number, image_id in enumerate(self.ids)}
        first = np.fromiter((row[pair.first_id] for pair in pairs), np.int64, len(pairs))
        second = np.fromiter((row[pair.second_id] for pair in pairs), np.int64, len(pairs))
        self.similarity: NDArray[np.float64] = np.array([pair.similarity for pair in pairs])
        self.kinds = [pair.kind for pair in pairs]
        self.groups: Groups = connected(first, second, self.similarity)

    def __len__(self) -> int:
        return len(self.groups.starts) - 1

    def members(self, number: int) -> list[Member]:
        """A group's images, by id."""
        part = slice(*self.groups.starts[number : number + 2])
        rows, best = self.groups.members[part].tolist(), self.groups.best[part].tolist()
        return [
            Member(self.ids[row], float(self.similarity[pair]), self.kinds[pair])
            for row, pair in zip(rows, best, strict=True)
        ]

    def of_image(self, image_id: UUID) -> int | None:
        """The group of an image."""
        row = bisect_left(self.ids, image_id)
        if row == len(self.ids) or self.ids[row] != image_id:
            return None
        place = int(np.flatnonzero(self.groups.members == row)[0])
        return int(np.searchsorted(self.groups.starts, place, side="right")) - 1


_known: OrderedDict[tuple[UUID, float, int], Grouping] = OrderedDict()
_lock = Lock()


def of_scan(session: Session, scan_id: UUID, similarity: float) -> Grouping:
    """A scan never changes, but for pairs that go with a deleted image; their number tells."""
    key = scan_id, similarity, repository.count(session, scan_id, similarity)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    made = Grouping(list(repository.pairs(session, scan_id, similarity)))
    with _lock:
        _known[key] = made
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return made
