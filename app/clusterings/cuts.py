"""`?k=` on a clustering whose algorithm keeps a tree: its clusters for any k, read off without a new job.

A cut shows what the run found; a person's corrections belong to the clustering as it is and do not enter.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import numpy as np
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clusterings.repository import Member
from app.clusterings.schemas import ClusterOrder, ClusterOut
from app.db.tables import Assignment, Clustering, Image
from app.errors import Conflict, Invalid, NotFound
from app.pagination import Paging, cursor_after, page, sort_key
from app.storage import Storage
from models.clustering.tree import Cut, regroup

TREE, LEAVES = "tree.json", "leaves.npy"  # in the folder of `tree_key`; the second: (L, D) mean directions


class StoredTree(BaseModel):
    """A run's tree as it is kept: the merges of its leaves as a linkage matrix, and what stands for each leaf."""

    merges: list[tuple[float, float, float, float]]
    sizes: list[int]
    cohesion: list[float]
    representatives: list[list[str]]

    def cut(self, k: int) -> Cut:
        """Into k clusters, whose representatives are places in `images`. Raises Invalid."""
        if k > len(self.sizes):
            raise Invalid(f"k: this tree has {len(self.sizes)} leaves; ask for at most so many.", code="k_too_large")
        places = iter(range(sum(map(len, self.representatives))))
        rows = [[next(places) for _ in leaf] for leaf in self.representatives]
        return regroup(np.array(self.merges).reshape(-1, 4), k, self.sizes, self.cohesion, rows)

    @property
    def images(self) -> list[str]:
        """Every leaf's representatives, one after the other."""
        return [image for leaf in self.representatives for image in leaf]


@lru_cache(maxsize=16)
def _read(path: Path) -> StoredTree:
    return StoredTree.model_validate(json.loads(path.read_bytes()))


@lru_cache(maxsize=64)
def _cut(path: Path, k: int) -> tuple[StoredTree, Cut]:
    tree = _read(path)
    return tree, tree.cut(k)


def cut(storage: Storage, clustering: Clustering, k: int) -> tuple[StoredTree, Cut]:
    """Raises Conflict when the algorithm keeps no tree, Invalid when k is more than it has leaves."""
    if clustering.tree_key is None:
        raise Conflict(
            f"{clustering.algorithm} keeps no tree to be cut; start a clustering with agglomerative, or with this k.",
            code="tree_missing",
        )
    return _cut(storage.local(clustering.tree_key) / TREE, k)


def clusters(
    storage: Storage, clustering: Clustering, k: int, order: ClusterOrder, paging: Paging
) -> tuple[list[ClusterOut], str | None]:
    """A page of the cut's clusters. Its numbers go from the biggest down, so that order by number is order by size."""
    tree, found = cut(storage, clustering, k)
    last = sort_key(paging, int)
    start = max(0, last[0] + 1) if last else 0
    numbers = np.argsort(-found.cohesion, kind="stable") if order == "cohesion" else np.arange(k)
    shown = [_shown(tree, found, number) for number in numbers[start : start + paging.limit].tolist()]
    end = start + len(shown)
    return shown, cursor_after(paging, [end - 1]) if end < k else None


def cluster(storage: Storage, clustering: Clustering, k: int, number: int) -> ClusterOut:
    if number >= k:
        raise NotFound(f"There is no cluster {number} in this cut.", code="cluster_not_found")
    return _shown(*cut(storage, clustering, k), number)


def members(
    session: Session, storage: Storage, clustering: Clustering, k: int, number: int, paging: Paging
) -> tuple[list[Assignment], str | None]:
    """Images of one of the cut's clusters, those most typical of the run's own clusters first."""
    cluster(storage, clustering, k, number)
    query = select(Assignment).where(
        Assignment.clustering_id == clustering.id, Assignment.leaf.in_(_leaves(storage, clustering, k, number))
    )
    return page(
        session, query, paging, Assignment.distance, Assignment.image_id, value=lambda row: [row.distance, row.image_id]
    )


def assignments(session: Session, storage: Storage, clustering: Clustering, k: int) -> Iterator[Member]:
    """Every assignment to the cut's clusters, cluster by cluster, in constant memory."""
    for number in range(k):
        query = (
            select(Assignment.image_id, Image.name, Assignment.distance)
            .join(Image, Image.id == Assignment.image_id)
            .where(
                Assignment.clustering_id == clustering.id,
                Assignment.leaf.in_(_leaves(storage, clustering, k, number)),
            )
            .order_by(Assignment.distance, Assignment.image_id)
        )
        for row in session.execute(query.execution_options(yield_per=1000)):
            yield Member(row.image_id, row.name, number, None, row.distance)


def _leaves(storage: Storage, clustering: Clustering, k: int, number: int) -> list[int]:
    _, found = cut(storage, clustering, k)
    leaves: list[int] = np.flatnonzero(found.labels == number).tolist()
    return leaves


def _shown(tree: StoredTree, found: Cut, number: int) -> ClusterOut:
    images = tree.images
    return ClusterOut(
        id=number,
        label=None,
        size=int(found.sizes[number]),
        cohesion=float(found.cohesion[number]),
        representatives=[UUID(images[place]) for place in found.representatives[number]],
    )
