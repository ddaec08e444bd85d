"""The map of a clustering: coordinates that a job stored, joined with where each image is now."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from app.clusterings import repository as clusterings_repository
from app.db.session import Database
from app.db.tables import Clustering
from app.errors import Conflict
from app.maps import repository
from app.maps.encodings import NO_CLUSTER, Shown
from app.maps.file import Block, MapFile, uuids
from app.resources import Resources
from app.storage.missing import missing


@dataclass(frozen=True)
class OpenMap:
    """A map that can be read, and a mark of the state it will be shown in."""

    database: Database
    clustering_id: UUID
    state: str
    file: MapFile

    def blocks(self) -> Iterator[Shown]:
        """Those who are still there, with their clusters of now; a block at a time is in memory."""
        with self.database.reading() as session:
            for block in self.file.blocks():
                image_ids = uuids(block.ids)
                clusters = repository.clusters(session, self.clustering_id, image_ids)
                yield _shown(block, image_ids, clusters)


def opened(res: Resources, clustering_id: UUID) -> OpenMap:
    """Conflict (map_not_ready) before the first map is made."""
    while True:
        with res.database.reading() as session:
            clustering = clusterings_repository.get(session, clustering_id)
            images = repository.count(session, clustering_id)
        if clustering.map_key is None:
            raise Conflict(
                "The clustering has no map yet. Wait until its job has ended, or have the map made with "
                f"POST /v1/clusterings/{clustering_id}/assign.",
                code="map_not_ready",
                headers={"Retry-After": "5"},
            )
        try:
            file = MapFile(res.storage.local(clustering.map_key))
        except FileNotFoundError as error:
            if not _replaced(res, clustering):
                raise missing(clustering.map_key) from error
        else:
            return OpenMap(res.database, clustering_id, _state(clustering, images), file)


def _replaced(res: Resources, clustering: Clustering) -> bool:
    """Whether a newer map has taken the place of the one that this row named."""
    with res.database.reading() as session:
        return clusterings_repository.get(session, clustering.id).map_key != clustering.map_key


def _state(clustering: Clustering, images: int) -> str:
    """Differs when coordinates, clusters or images do: corrections raise the revision, deletions lower the count."""
    made = (clustering.map_key or "").rpartition("/")[2].removesuffix(".arrow")
    return f"{made}.{clustering.revision}.{images}"


def _shown(block: Block, image_ids: list[UUID], clusters: dict[UUID, int | None]) -> Shown:
    there = np.array([one in clusters for one in image_ids], bool)
    numbers = (clusters[one] for one in image_ids if one in clusters)
    now = np.array([NO_CLUSTER if number is None else number for number in numbers], np.int32)
    return Shown(np.ascontiguousarray(block.ids[there]), block.points[there], now)
