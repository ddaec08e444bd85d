"""One edit while it is made: what it changes, and how each of that is undone.

`Edit.effect` keeps what is not of single images (of these see edit_moves and group_images):

clusters  number -> {before, after}: name, group and threshold
centres   id -> [before, after]: the cluster that a centre stands for
groups    old -> new: groups that became one
apart     [[whole, part, ...]]: a group that was divided, and what became of it
pairs     [[group, group]]: that were divided in a clustering before
absorbed  {numbers, into}: clusters that became part of another; whatever is in them comes along when it is done again
created   {numbers, whole}: clusters that were not there before; whatever is in them goes back when it is undone
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.corrections import repository, shape
from app.corrections.centres import Centres
from app.corrections.facts import Facts, in_force
from app.corrections.repository import Move, Place
from app.db.tables import Centre, Cluster, Clustering, Edit
from app.embeddings import repository as embeddings
from app.storage import Storage


def state(row: Cluster) -> dict[str, Any]:
    """What an edit may change of a cluster and its images do not tell."""
    group = str(row.group_id) if row.group_id else None
    return {"label": row.label, "group": group, "threshold": row.outlier_distance}


def restore(row: Cluster, saved: dict[str, Any]) -> None:
    row.label, row.outlier_distance = saved["label"], saved["threshold"]
    row.group_id = UUID(saved["group"]) if saved["group"] else None


@dataclass
class Work:
    session: Session
    storage: Storage
    clustering: Clustering
    edit: Edit
    effect: dict[str, Any] = field(default_factory=lambda: {"clusters": {}, "centres": {}})
    _next: int | None = None
    _centres: Centres | None = None

    def cluster(self, number: int) -> Cluster:
        """A cluster that this edit may change. NotFound when there is none, or nothing in it any more."""
        row = self.session.get(Cluster, (self.clustering.id, number))
        if row is None or not row.size:
            raise repository.no_cluster(number)
        self._changes(row)
        return row

    def _changes(self, row: Cluster) -> None:
        self.effect["clusters"].setdefault(str(row.number), {"before": state(row)})

    def group(self, row: Cluster) -> UUID:
        """The group that a cluster is, from now on if not already."""
        if row.group_id is None:
            row.group_id = repository.new_group(self.session, self.clustering.collection_id).id
        return row.group_id

    def outside(self) -> UUID:
        """The group of what is in no cluster."""
        collection_id = self.clustering.collection_id
        found = repository.outside(self.session, collection_id)
        return found or repository.new_group(self.session, collection_id, outside=True).id

    def new_cluster(self, whole: Cluster, group_id: UUID | None = None) -> Cluster:
        """One that comes out of another, with the next number that was never used; it is a group of its own or this."""
        number = self._next or repository.next_number(self.session, self.clustering.id)
        self._next = number + 1
        made = Cluster(
            clustering_id=self.clustering.id, number=number, label=None, group_id=None, size=0, cohesion=0.0,
            outlier_distance=whole.outlier_distance, representatives=[],
        )  # fmt: skip
        self.session.add(made)
        self._changes(made)
        self.session.flush()
        made.group_id = group_id or self.group(made)
        return made

    def facts(self, images: list[UUID] | None = None) -> Facts:
        return in_force(self.session, self.clustering.id, images)

    def say(self, statements: Iterable[tuple[UUID, UUID, bool | None]]) -> None:
        repository.say(self.session, self.edit.id, statements)

    def places(self, images: list[UUID]) -> dict[UUID, Place]:
        return repository.places(self.session, self.clustering.id, images)

    def numbers(self, images: list[UUID]) -> dict[UUID, int | None]:
        """The cluster of those of these images that the clustering has."""
        found = repository.known_places(self.session, self.clustering.id, images)
        return {image: place.number for image, place in found.items()}

    def vectors(self, images: list[UUID]) -> NDArray[np.float32]:
        set_id = repository.set_of(self.session, self.clustering)
        return vectors(self.session, self.storage, set_id, images)

    @property
    def centres(self) -> Centres:
        """As they were before this edit."""
        if self._centres is None:
            self._centres = Centres.load(self.session, self.storage, self.clustering)
        return self._centres

    def move(self, places: dict[UUID, Place], after: Iterable[tuple[UUID, int | None, float]]) -> None:
        """(image, cluster, distance) of each image's new place; `places` are the old ones."""
        moves = (Move(image, places[image], Place(number, distance)) for image, number, distance in after)
        repository.note_moves(self.session, self.edit.id, moves)

    def move_all_in(self, numbers: list[int], *, into: int) -> None:
        repository.note_all_in(self.session, self.edit, numbers, before=None, after=into)

    def groups(self) -> dict[UUID, int]:
        """The cluster that each group is."""
        return repository.of_groups(self.session, self.clustering.id)

    def add_centre(self, number: int, vector: NDArray[np.float32]) -> None:
        known = [int(one) for one in self.effect["centres"]]
        new = max([len(self.centres.numbers) - 1, *known]) + 1
        row = Centre(clustering_id=self.clustering.id, id=new, number=number, vector=vector.astype("<f4").tobytes())
        self.session.add(row)
        self.effect["centres"][str(new)] = [None, number]

    def give_centres(self, number: int, to: int | None) -> None:
        """A cluster's centres stand for another one from now on, or for none."""
        for one in self.centres.of(number):
            self.effect["centres"][str(one)] = [number, to]
            set_centre(self.session, self.clustering.id, one, to)

    def settle(self) -> None:
        """Move the images, make the clusters' rows true again, and keep what an undo needs."""
        self.session.flush()
        moved = repository.touched(self.session, self.edit.id)
        rows = repository.clusters(self.session, self.clustering.id, moved | {int(n) for n in self.effect["clusters"]})
        for row in rows:
            self._changes(row)
        repository.replay(self.session, self.edit, forward=True)
        set_id = repository.set_of(self.session, self.clustering)
        shape.refresh(self.session, self.storage, set_id, [row for row in rows if row.number in moved])
        for row in rows:
            self.effect["clusters"][str(row.number)]["after"] = state(row)
        self.edit.effect = self.effect
        self.session.flush()


def set_centre(session: Session, clustering_id: UUID, one: int, number: int | None) -> None:
    if row := session.get(Centre, (clustering_id, one)):
        row.number = number
    else:
        session.add(Centre(clustering_id=clustering_id, id=one, number=number))


def vectors(session: Session, storage: Storage, set_id: UUID, images: list[UUID]) -> NDArray[np.float32]:
    """(N, D) of these images, in their order, however many."""
    starts = range(0, len(images), 10_000)
    parts = [embeddings.vectors(session, storage, set_id, images[start : start + 10_000]) for start in starts]
    return np.concatenate(parts)
