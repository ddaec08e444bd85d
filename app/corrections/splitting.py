"""A cluster that becomes several: by k-means on its vectors, or by images that a person names."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.corrections import repository
from app.corrections.schemas import SplitIn
from app.corrections.work import Work, vectors
from app.db.tables import Cluster, Clustering
from app.errors import Conflict, Invalid, PreconditionFailed
from app.storage import Storage
from models import registry
from models.clustering.base import ClusteringError

MOST_IMAGES = 5000  # that fall into parts while a person waits, two seconds at most
RESTARTS = 5


@dataclass(frozen=True, eq=False)
class Proposal:
    """How a cluster falls into parts, as seen at one revision: biggest part first."""

    revision: int
    images: list[UUID]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int32]
    centres: NDArray[np.float32]


def propose(session: Session, storage: Storage, clustering: Clustering, number: int, into: int) -> Proposal:
    """k-means inside a cluster: a second or so, which no transaction should be held for."""
    size = repository.size(session, clustering.id, number)
    if not size:
        raise repository.no_cluster(number)
    if size > MOST_IMAGES:
        raise Conflict(
            f"Cluster {number} has {size} images; up to {MOST_IMAGES} can be split into parts. Split off images "
            "that you name, or start a clustering with more clusters.",
            code="cluster_too_large",
        )
    images = list(repository.members(session, clustering.id, number))
    rows = vectors(session, storage, repository.set_of(session, clustering), images)
    algorithm = registry.load("clustering", "kmeans")
    try:
        found = algorithm.cluster(rows, into, algorithm.Params(restarts=RESTARTS))
    except ClusteringError as error:
        raise Invalid(f"Cluster {number} can't be split: {error}.", code=error.code) from error
    return Proposal(clustering.revision, images, rows, found.labels, found.centres)


def split(work: Work, body: SplitIn, proposal: Proposal | None) -> None:
    row = work.cluster(body.cluster)
    if body.images is not None:
        _split_off(work, row, list(dict.fromkeys(body.images)))
    elif proposal is None or proposal.revision != work.clustering.revision - 1:
        raise PreconditionFailed("The clustering has changed meanwhile; GET it again and repeat the edit.")
    else:
        _split_into(work, row, proposal)


def _split_off(work: Work, whole: Cluster, images: list[UUID]) -> None:
    places = work.places(images)
    if elsewhere := [image for image in images if places[image].number != whole.number]:
        raise Invalid(f"Image {elsewhere[0]} is not in cluster {whole.number}.", code="image_elsewhere")
    if len(images) == repository.size(work.session, work.clustering.id, whole.number):
        raise Invalid("These are all images of the cluster; leave at least one.", code="split_empty")
    made = work.new_cluster(whole)
    rows = work.vectors(images)
    centre = rows.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(centre))
    centre = (centre / length if length > 1e-6 else rows[0]).astype(np.float32)
    work.add_centre(made.number, centre)
    distances = 1 - (rows @ centre).clip(-1, 1)
    work.move(places, ((image, made.number, d) for image, d in zip(images, distances.tolist(), strict=True)))
    _apart(work, whole, [made])
    work.say((image, work.group(made), True) for image in images)


def _split_into(work: Work, whole: Cluster, proposal: Proposal) -> None:
    """Pinned images stay, and the part that had most of them, or the biggest, keeps number and name."""
    labels, images = proposal.labels.copy(), proposal.images
    group, hard = work.group(whole), work.facts().hard
    pinned = np.array([hard.get(image) == group for image in images])
    keeper = int(np.bincount(labels[pinned], minlength=len(proposal.centres)).argmax())
    labels[pinned] = keeper
    if (np.bincount(labels, minlength=len(proposal.centres)) == 0).any():
        raise Conflict("Too many images of this cluster are pinned; unpin some, or ask for fewer parts.", code="pinned")
    work.give_centres(whole.number, None)
    parts = [whole if part == keeper else work.new_cluster(whole) for part in range(len(proposal.centres))]
    for part, centre in zip(parts, proposal.centres, strict=True):
        work.add_centre(part.number, centre)
    own = np.einsum("nd,nd->n", proposal.vectors, proposal.centres[labels]).clip(-1, 1)
    places = repository.members(work.session, work.clustering.id, whole.number)
    after = zip(images, labels.tolist(), (1 - own).tolist(), strict=True)
    work.move(places, ((image, parts[part].number, distance) for image, part, distance in after))
    _apart(work, whole, [part for part in parts if part is not whole])


def _apart(work: Work, whole: Cluster, made: list[Cluster]) -> None:
    work.effect["apart"] = [[str(work.group(part)) for part in (whole, *made)]]
    work.effect["created"] = {"numbers": [part.number for part in made], "whole": whole.number}
